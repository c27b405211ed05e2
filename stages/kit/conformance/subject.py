"""What is tested: where it listens, how it is started, where it sends to."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from functools import cache
from typing import Literal

import msgspec

from ...contract import ports
from ...contract.handshake import Handshake
from ...contract.secret import Secret

Kind = Literal["stage", "ingress", "router", "egress"]
HOST = "127.0.0.1"


class Subject(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One stage and its place between our caller and our next hop.

    `argv` is empty where somebody else has started it; `next_port` is None where it sends to somebody else's next hop, or to none.
    `token` is what callers present, `hop_token` what the next hop must see. `model` is a slug the stage lets through.
    `patience` is how many seconds a check waits for anything: it is for slow machines, and for tests of these checks.
    """

    name: str
    url: str
    kind: Kind = "stage"
    argv: list[str] = []
    env: dict[str, str] = {}
    cwd: str | None = None
    next_port: int | None = None
    token: str | None = None
    hop_token: str | None = None
    model: str = "conformance"
    ready: Literal["health", "tcp"] = "health"
    patience: float = 5.0

    def __repr__(self) -> str:
        return f"Subject({self.name} {self.kind} {self.url})"


def started(name: str, argv: list[str], environ: dict[str, str], config: str | None, token: str) -> Subject:
    """A stage of which nothing is known but how to start it. `{port}`, `{listen}` and `{next}` in `argv` are filled in."""
    port, next_port = free_port(), free_port()
    shake = Handshake(
        stage=name,
        host=HOST,
        port=port,
        next=f"http://{HOST}:{next_port}",
        next_name="the scripted next hop",
        config=config,
        hop_token=Secret(token),
    )
    return Subject(
        name=name,
        url=f"http://{HOST}:{port}",
        argv=[shake.fill(word) for word in argv],
        env={**environ, **shake.environ()},
        next_port=next_port,
        token=token,
        hop_token=token,
    )


def free_port() -> int:
    """A port that nobody listens on now. The stage binds it itself, as it would when run by hand."""
    for port in _candidates(os.getpid()):
        with contextlib.suppress(OSError), socket.create_server((HOST, port)):
            return port
    raise AssertionError("there is always another candidate")


@cache
def _candidates(pid: int) -> Iterator[int]:
    """One row for each process: who forks begins anew."""
    return ports.candidates(pid)
