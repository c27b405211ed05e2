"""What `stage run` does: a stage in this terminal, in its place in the chain or alone."""

from __future__ import annotations

import os
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import typer

from ..control import Message, NotRunningError
from ..foreground import Foreground, Watched, argv_of
from ..home import private_folder
from .common import config_errors, connection, fail, state

_HOST = "127.0.0.1"
_DEMO = "demo"
_BREAKPOINT = "codex_shim.stages.kit.debugger.stop_here"


def in_the_chain(name: str, *, reload: bool) -> int:
    """The chain lends the stage's place for as long as the connection is open."""
    answers = connection().ask("lease", stage=name)
    try:
        lent = next(answers)
    except (NotRunningError, StopIteration):
        fail("the chain went away; `codex-shim stage run` works without one too")
    if "argv" not in lent:
        fail(str(lent["error"]))
    _tell(f"{name} runs here at {lent['address']}, in its place in the chain. Ctrl-C gives the place back.")
    code = _run(name, lent["kind"], lent["argv"], lent["env"], lent["address"], reload=reload, chain=answers)
    _tell(f"{name} ended with exit code {code}; its place in the chain is given back.")
    return code


def alone(name: str, next: str | None, port: int, *, reload: bool) -> int:
    """The stage as its chain would start it, but nobody is asked for a token. `next` may be the demo model, started beside it."""
    from codex_shim.stages.contract.secret import Secret

    from .. import alone, demo
    from ..environment import survey
    from ..sockets import bind
    from ..stage_files import StageFiles
    from .offers import offered

    target = _address(next) if next and next != _DEMO else None
    sources = read_sources()
    refuse_outside(sources, name, "it runs already, wherever it was started")
    with tempfile.TemporaryDirectory(prefix="codex-shim-") as folder, ExitStack() as beside:
        if next == _DEMO:
            target = beside.enter_context(demo.beside(Path(folder)))
        try:
            with bind(_HOST, port) as probe:
                listen = probe.getsockname()[:2]
        except OSError as error:
            fail(f"{name} cannot listen on {_HOST}:{port}: {error.strerror}")
        place = alone.Place(
            listen=listen,
            next=target,
            local_token=Secret(""),
            hop_token=Secret(""),
            surroundings=survey(os.environ, Path(folder)),
        )
        spec = alone.spec(sources, name, place, offered(sources)) or fail(unknown(name, sources))
        StageFiles(Path(folder)).put(spec)
        _tell(f"{name} runs alone at {spec.url}/v1; it asks for no token. Ctrl-C ends it.")
        _tell(_destination(next))
        return _run(name, spec.kind, spec.argv, spec.env, f"{spec.host}:{spec.port}", reload=reload)


def read_sources() -> Any:
    """The files that the global options name; ends the command where they have problems."""
    from ..sources import read_files
    from .pipeline import _options

    with config_errors():
        return read_files(_options(), os.environ)


def refuse_outside(sources: Any, name: str, why: str) -> None:
    if any(stage.name == name and stage.url for stage in sources.pipeline.stages):
        fail(f"`{name}` is an outside proxy: {why}")


def unknown(name: str, sources: Any) -> str:
    from ..settings.problems import did_you_mean

    names = [stage.name for stage in sources.pipeline.stages] + [worker.name for worker in sources.workers]
    names += sources.subscriptions.names
    return f"there is no stage named `{name}`{did_you_mean(name, names) or '; `codex-shim stage list` shows them'}"


def _address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname or not parts.port or parts.path.rstrip("/") not in ("", "/v1"):
        fail(f"`{url}` is not the address of a next stage; write it like http://127.0.0.1:4000", 2)
    return parts.hostname, parts.port


def _destination(next: str | None) -> str:
    if next == _DEMO:
        return "It sends to the demo model, which runs beside it."
    return (
        f"It sends to {next}." if next else "It has no next stage; give it one with --next http://127.0.0.1:PORT, or --next demo."
    )


def _run(
    name: str,
    kind: str,
    argv: Sequence[str],
    env: Mapping[str, str],
    address: str,
    *,
    reload: bool,
    chain: Iterator[Message] | None = None,
) -> int:
    """The exit code of the stage; 0 where its end was asked for. With a `chain`, it ends with the chain."""
    private_folder(state.home.root)
    files = _files(kind, argv, env) if reload else []
    with ExitStack() as held:
        try:
            watched = _watched(name, files, kind, argv, env, address, held) if files else None
            stage = Foreground(argv_of(kind, argv), {**_debugger(kind), **env}, state.home.root, watched)
        except OSError as error:
            fail(f"{name} cannot be started: {error.strerror}")
        if files:
            _tell(f"It is restarted when {files[0].name if len(files) == 1 else f'a file in {files[0].parent}'} changes.")
        if chain is not None:
            threading.Thread(target=_end_with_the_chain, args=(chain, stage), daemon=True).start()
        code = stage.wait(_interrupted, _tell)
    return 0 if stage.stopped else code


def _debugger(kind: str) -> dict[str, str]:
    """What breakpoint() does in a Python stage, unless the user's own environment says something else."""
    chosen = os.environ.get("PYTHONBREAKPOINT")
    return {"PYTHONBREAKPOINT": chosen or _BREAKPOINT} if kind == "module" else {}


def _watched(
    name: str, files: list[Path], kind: str, argv: Sequence[str], env: Mapping[str, str], address: str, held: ExitStack
) -> Watched:
    """The socket is ours and stays open from one process to the next. Raises `OSError`."""
    from codex_shim.stages.contract.handshake import parse_listen

    from ..logins.watch import stat_mark
    from ..sockets import bind
    from ..system import can_hand_on_sockets
    from .loglines import Painter

    listening: socket.socket | None = None
    if can_hand_on_sockets():
        listening = held.enter_context(closing(bind(*parse_listen(address))))
    painter = Painter(raw=not sys.stderr.isatty())

    def show(line: bytes) -> None:
        typer.echo(painter.paint(name, line.decode("utf-8", "replace").rstrip("\n")), err=True)

    return Watched(lambda: {path: stat_mark(path) for path in _files(kind, argv, env)}, listening, show)


def _files(kind: str, argv: Sequence[str], env: Mapping[str, str]) -> list[Path]:
    """The user's own files that a process is made from: a script, or the package of a typed stage."""
    from ..contents import files_of
    from ..plan import SCRIPT_HOST
    from ..settings.stage_table import StageTable

    if kind != "module":
        return []
    if argv[0] == SCRIPT_HOST:
        return files_of(StageTable(name="s", script=argv[1]))
    return files_of(StageTable(name="s", use=argv[0], path=env.get("PYTHONPATH")))


def _end_with_the_chain(answers: Iterator[Message], stage: Foreground) -> None:
    """The connection says nothing more until the chain stops."""
    for _ in answers:
        pass
    _tell("The chain has stopped, and the stage with it.")
    stage.stop()


def _interrupted() -> None:
    _tell("Stopping: what streams may finish. Ctrl-C again ends it at once.")


def _tell(sentence: str) -> None:
    typer.echo(typer.style(sentence, dim=True), err=True)
