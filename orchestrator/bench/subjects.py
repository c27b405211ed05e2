"""The things that are measured, each running and with an address: nothing at all, bare relays, the chain, other programs."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import perf_counter
from urllib.parse import urlsplit

import msgspec
from codex_shim.stages.contract.handshake import Handshake

from ..control import Connection
from ..home import Home, write_private
from ..system import port_holder
from .jobs import Target
from .script import MODEL
from .worker import started

CHAT = "direct"
RESPONSES = "direct (Responses)"
CHAIN = "chain"
_HOST = "127.0.0.1"
RELAYS = 4


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """`against` is the subject whose time is taken off to get the added one; `roots` are its processes, or their parents."""

    name: str
    target: Target
    against: str | None = None
    roots: tuple[int, ...] = ()


class NotStartedError(Exception):
    """Something that was to be measured does not run; the message says what it printed."""


def direct(port: int) -> list[Subject]:
    """The upstream itself, in both languages."""
    at = {"host": _HOST, "port": port, "model": MODEL}
    return [
        Subject(name=CHAT, target=Target(**at, path="/v1/chat/completions", wire="chat")),
        Subject(name=RESPONSES, target=Target(**at, path="/v1/responses", wire="responses")),
    ]


@contextmanager
def relays(upstream_port: int) -> Iterator[list[Subject]]:
    """A row of relays, of which the one in front of n others is the entrance to n + 1."""
    subjects: list[Subject] = []
    pids: tuple[int, ...] = ()
    following = upstream_port
    with ExitStack() as running:
        for length in range(1, RELAYS + 1):
            port, pid = running.enter_context(_relay(length, following))
            pids = (*pids, pid)
            target = Target(host=_HOST, port=port, path="/v1/responses", wire="responses", model=MODEL)
            subjects.append(Subject(name=relay_name(length), target=target, against=RESPONSES, roots=pids))
            following = port
        yield subjects


def relay_name(length: int) -> str:
    return f"{length} bare relay{'s' if length > 1 else ''}"


@contextmanager
def _relay(number: int, following: int) -> Iterator[tuple[int, int]]:
    """Port and process. The socket is bound here, so that a connection waits until the relay is there."""
    with socket.create_server((_HOST, 0), backlog=1024) as listening:
        port = listening.getsockname()[1]
        shake = Handshake(
            stage=f"relay-{number}", host=_HOST, port=port, listen_fd=listening.fileno(), next=f"http://{_HOST}:{following}"
        )
        with started("codex_shim.stages.kit.bare", extra=shake.environ(), inherit=[listening.fileno()]) as process:
            listening.close()
            yield port, process.pid


class ChainHome:
    """A home of its own for the chain under test, with one model: the scripted upstream's, without a key."""

    def __init__(self, root: Path, upstream_port: int) -> None:
        self.home = Home(root)
        row = {"model": MODEL, "slug": MODEL, "provider": "openai", "base_url": f"http://{_HOST}:{upstream_port}/v1"}
        write_private(self.home.models, json.dumps([row]).encode())

    @contextmanager
    def up(self) -> Iterator[tuple[Subject, float]]:
        """The default chain as a user starts it, and the seconds from the command to its `Ready`."""
        arguments = ["--home", str(self.home.root), "--pipeline", str(_packaged_pipeline()), "pipeline", "up", "--port", "0"]
        began = perf_counter()
        with started("codex_shim.orchestrator.cli", arguments, stderr=subprocess.PIPE) as process:
            _wait_for_ready(process)
            seconds = perf_counter() - began
            address = urlsplit(str(Connection(self.home.control).ask_once("status")["url"]))
            target = Target(
                host=_HOST,
                port=address.port or 0,
                path="/v1/responses",
                wire="responses",
                model=MODEL,
                headers={"authorization": f"Bearer {self.home.local_token()}", "originator": "codex_cli_rs"},
            )
            yield Subject(name=CHAIN, target=target, against=CHAT, roots=(process.pid,)), seconds


def rival(name: str, url: str, model: str, token: str | None) -> Subject:
    """Another program that listens already. `url` is its base URL, with or without `/responses`."""
    address = urlsplit(url)
    if address.scheme != "http" or not address.hostname or address.port is None:
        raise NotStartedError(f"{url} is not a base URL such as http://127.0.0.1:8000/v1")
    path = address.path.rstrip("/").removesuffix("/responses") + "/responses"
    target = Target(
        host=address.hostname,
        port=address.port,
        path=path,
        wire="responses",
        model=model,
        headers={"authorization": f"Bearer {token}"} if token else {},
    )
    holder = port_holder(address.port)
    return Subject(name=name, target=target, against=CHAT, roots=(holder,) if holder else ())


def _wait_for_ready(process: subprocess.Popen[bytes]) -> None:
    assert process.stderr is not None
    said: list[str] = []
    for line in process.stderr:
        said.append(line.decode("utf-8", "replace"))
        if line.startswith(b"Ready in"):
            return
    raise NotStartedError("the chain did not come up:\n" + "".join(said))


def _packaged_pipeline() -> Path:
    from ..settings.pipeline import packaged_default

    return packaged_default()
