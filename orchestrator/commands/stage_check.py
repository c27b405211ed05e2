"""What `stage check` does: hand one stage over to the conformance runner, a process of its own (stages/kit/conformance).

The subject goes over standard input: the stage's environment may hold secrets, which have no place in an argument.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import typer
from codex_shim.stages.contract.secret import Secret

from .. import alone, plan
from ..environment import Surroundings, survey
from ..foreground import argv_of
from ..home import private_folder
from ..sockets import free_port
from ..sources import Sources
from ..spec import StageSpec
from ..stage_files import StageFiles
from .common import fail, state
from .offers import offered
from .stage_run import read_sources, unknown

RUNNER = "codex_shim.stages.kit.conformance"
_HOST = "127.0.0.1"


def url(target: str, next_port: int | None, token: str | None, options: Sequence[str]) -> int:
    """A stage that runs already."""
    base = target.rstrip("/").removesuffix("/v1")
    return _examine({"name": base, "url": base, "next_port": next_port, "token": token, "hop_token": token}, options)


def file(path: Path, options: Sequence[str]) -> int:
    """A program that is in no chain yet."""
    if not path.is_file():
        fail(f"there is no file {path}")
    if path.suffix not in (".py", ".js", ".mjs") and not os.access(path, os.X_OK):
        fail(f"{path} can neither be executed nor is it a .py, .js or .mjs file")
    return _started(alone.of_file(path), path.stem, options)


def command(words: Sequence[str], options: Sequence[str]) -> int:
    """A command line, as it would stand in a [[stage]] table. It runs in the current directory."""
    program = words[0]
    found = shutil.which(str(Path(program).absolute()) if len(Path(program).parts) > 1 else program)
    if found is None:
        fail(f"the program `{program}` cannot be executed; it is neither a file here nor on PATH")
    if not any("{port}" in word or "{listen}" in word for word in words):
        note = "nothing in the command line says {port} or {listen}; the program must read CODEX_SHIM_LISTEN to be found"
        typer.echo(typer.style(note, dim=True), err=True)
    return _started(alone.of_command([found, *words[1:]]), alone.COMMAND, options, cwd=str(Path.cwd()))


def name(wanted: str, options: Sequence[str]) -> int:
    """A stage of the files, started beside whatever chain runs."""
    sources = read_sources()
    table = next((stage for stage in sources.pipeline.stages if stage.name == wanted), None)
    if table is not None and table.url:
        return url(table.url, None, None, options)
    return _started(sources, wanted, options)


def _started(sources: Sources, wanted: str, options: Sequence[str], cwd: str | None = None) -> int:
    with tempfile.TemporaryDirectory(prefix="codex-shim-") as folder:
        place = _place(survey(os.environ, Path(folder)))
        models = offered(sources)
        spec = alone.spec(sources, wanted, place, models)
        if spec is None:
            fail(unknown(wanted, sources))
        StageFiles(Path(folder)).put(spec)
        own = [model.target for model in models if model.subscription == wanted]
        subject = _subject(spec, place, sources, (own or plan.slugs(sources.workers))[0])
        return _examine(subject | ({"cwd": cwd} if cwd else {}), options)


def _place(surroundings: Surroundings) -> alone.Place:
    return alone.Place(
        listen=(_HOST, free_port(_HOST)),
        next=(_HOST, free_port(_HOST)),
        local_token=Secret(secrets.token_urlsafe(16)),
        hop_token=Secret(secrets.token_urlsafe(16)),
        surroundings=surroundings,
    )


def _subject(spec: StageSpec, place: alone.Place, sources: Sources, model: str) -> dict[str, Any]:
    kind = _kind(spec, sources)
    private_folder(state.home.root)
    assert place.next is not None
    return {
        "name": spec.name,
        "url": spec.url,
        "kind": kind,
        "argv": argv_of(spec.kind, spec.argv),
        "env": spec.env,
        "cwd": str(state.home.root),
        "next_port": None if kind == "egress" else place.next[1],
        "token": (place.local_token if kind == "ingress" else place.hop_token).reveal(),
        "hop_token": place.hop_token.reveal(),
        "model": model,
        "ready": "tcp" if spec.ready == "tcp" else "health",
    }


def _kind(spec: StageSpec, sources: Sources) -> str:
    table = next((stage for stage in sources.pipeline.stages if stage.name == spec.name), None)
    if table is None:
        return "egress"
    return table.use if table.use in ("ingress", "router") else "stage"


def _examine(subject: dict[str, Any], options: Sequence[str]) -> int:
    """The runner writes to our own output. Ctrl-C ends it first: it has a process to clear away."""
    argv = [sys.executable, "-P", "-m", RUNNER, "--subject", "-", *options]
    runner = subprocess.Popen(argv, stdin=subprocess.PIPE)  # noqa: S603  # our own interpreter and module
    try:
        runner.communicate(msgspec.json.encode(subject))
    except KeyboardInterrupt:
        runner.wait()
    return runner.returncode
