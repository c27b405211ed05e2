"""All that a stage in any language is told, as environment variables (docs/hop-contract.md has the table)."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import TypeVar

import msgspec

from .secret import Secret

STAGE = "CODEX_SHIM_STAGE"
LISTEN = "CODEX_SHIM_LISTEN"
LISTEN_FD = "CODEX_SHIM_LISTEN_FD"
NEXT = "CODEX_SHIM_NEXT"
NEXT_NAME = "CODEX_SHIM_NEXT_NAME"
CONFIG = "CODEX_SHIM_CONFIG"
HOP_TOKEN = "CODEX_SHIM_HOP_TOKEN"  # noqa: S105  # the name of the variable
DRAIN = "CODEX_SHIM_DRAIN_SECONDS"

DEFAULT_DRAIN_SECONDS = 30.0
# Said on a stage's standard input, in a line of its own, where a system has no SIGTERM.
DRAIN_WORD = b"drain"

N = TypeVar("N", int, float)


class HandshakeError(ValueError):
    """The environment does not describe a stage. The message is a sentence for whoever started it."""


class Handshake(msgspec.Struct, frozen=True, kw_only=True):
    """What one stage process was told.

    `next` is the base URL of the next hop without `/v1`, None for the last stage and for a router. `hop_token` is what callers
    must present, and what is sent on; None means that whoever listens behind this stage does the checking.
    """

    stage: str
    host: str
    port: int
    listen_fd: int | None = None
    next: str | None = None
    next_name: str = "the next stage"
    config: str | None = None
    hop_token: Secret | None = None
    drain_seconds: float = DEFAULT_DRAIN_SECONDS

    def environ(self) -> dict[str, str]:
        """The inverse of `read`."""
        values: dict[str, object] = {
            STAGE: self.stage,
            LISTEN: f"{self.host}:{self.port}",
            LISTEN_FD: self.listen_fd,
            NEXT: self.next,
            NEXT_NAME: self.next_name,
            CONFIG: self.config,
            HOP_TOKEN: self.hop_token.reveal() if self.hop_token else None,
            DRAIN: f"{self.drain_seconds:g}",
        }
        return {name: str(value) for name, value in values.items() if value is not None}

    def fill(self, word: str) -> str:
        """One word of a stage's `command`. Only our own placeholders are filled in: a program may have braces of its own."""
        for name, value in (("port", str(self.port)), ("listen", f"{self.host}:{self.port}"), ("next", self.next or "")):
            word = word.replace("{" + name + "}", value)
        return word


def read(environ: Mapping[str, str]) -> Handshake:
    """Raises `HandshakeError` naming the variable that is missing or malformed."""
    host, port = parse_listen(_required(environ, LISTEN))
    token = environ.get(HOP_TOKEN)
    return Handshake(
        stage=_required(environ, STAGE),
        host=host,
        port=port,
        listen_fd=_number(environ, LISTEN_FD, int),
        next=(environ.get(NEXT) or "").rstrip("/") or None,
        next_name=environ.get(NEXT_NAME) or "the next stage",
        config=environ.get(CONFIG) or None,
        hop_token=Secret(token) if token else None,
        drain_seconds=_number(environ, DRAIN, float) or DEFAULT_DRAIN_SECONDS,
    )


def parse_listen(value: str) -> tuple[str, int]:
    """`127.0.0.1:8765` or `[::1]:8765` → host and port. Anything but loopback is refused: this is never a network service."""
    host, colon, port = value.rpartition(":")
    host = host.strip("[]")
    if not colon or not (port.isascii() and port.isdigit()) or int(port) > 65535:
        raise HandshakeError(f"`{value}` is not an address; write it like 127.0.0.1:8765")
    if not is_loopback(host):
        raise HandshakeError(f"`{host}` is not a loopback address; stages listen on 127.0.0.1 or ::1 only")
    return host, int(port)


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _required(environ: Mapping[str, str], name: str) -> str:
    if not environ.get(name):
        raise HandshakeError(f"{name} is not set; a stage is started by `codex-shim pipeline up` or `codex-shim stage run`")
    return environ[name]


def _number(environ: Mapping[str, str], name: str, kind: type[N]) -> N | None:
    value = environ.get(name)
    if not value:
        return None
    try:
        return kind(value)
    except ValueError:
        raise HandshakeError(f"{name} must be a number, not `{value}`") from None
