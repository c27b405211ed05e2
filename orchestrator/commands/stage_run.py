"""What `stage run` does: a stage in this terminal, in its place in the chain or alone."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import typer

from ..control import Message, NotRunningError
from ..foreground import Foreground, argv_of
from ..home import private_folder
from .common import config_errors, connection, fail, state

_HOST = "127.0.0.1"


def in_the_chain(name: str) -> int:
    """The chain lends the stage's place for as long as the connection is open."""
    answers = connection().ask("lease", stage=name)
    try:
        lent = next(answers)
    except (NotRunningError, StopIteration):
        fail("the chain went away; `codex-shim stage run` works without one too")
    if "argv" not in lent:
        fail(str(lent["error"]))
    _tell(f"{name} runs here at {lent['address']}, in its place in the chain. Ctrl-C gives the place back.")
    stage = _started(argv_of(lent["kind"], lent["argv"]), lent["env"])
    threading.Thread(target=_end_with_the_chain, args=(answers, stage), daemon=True).start()
    code = stage.wait(_interrupted)
    _tell(f"{name} ended with exit code {code}; its place in the chain is given back.")
    return 0 if stage.stopped else code


def alone(name: str, next: str | None, port: int) -> int:
    """The stage as its chain would start it, but nobody is asked for a token."""
    from codex_shim.stages.contract.secret import Secret

    from .. import alone
    from ..environment import survey
    from ..sockets import bind
    from ..stage_files import StageFiles
    from .offers import offered

    target = _address(next) if next else None
    sources = read_sources()
    refuse_outside(sources, name, "it runs already, wherever it was started")
    with tempfile.TemporaryDirectory(prefix="codex-shim-") as folder:
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
        _tell(f"It sends to {next}." if next else "It has no next stage; give it one with --next http://127.0.0.1:PORT.")
        stage = _started(argv_of(spec.kind, spec.argv), spec.env)
        code = stage.wait(_interrupted)
    return 0 if stage.stopped else code


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


def _started(argv: list[str], env: dict[str, str]) -> Foreground:
    private_folder(state.home.root)
    try:
        return Foreground(argv, env, state.home.root)
    except OSError as error:
        fail(f"{argv[0]} cannot be started: {error.strerror}")


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
