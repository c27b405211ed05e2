"""`codex-shim codex` and `codex-shim app`: Codex's CLI and its Desktop app, led to the chain.

The CLI is led by its command line and its environment alone, so nothing of the user's own configuration is written. Desktop takes
no such words, so it needs `codex-shim enable`.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Annotated, Any

import typer

from .. import system
from . import connect, model_questions, own, pipeline
from .common import config_errors, fail, state

# All words behind the first one that is not ours belong to Codex; a `--` in front of them is not passed on.
PASSING_ON = {"allow_interspersed_args": False, "ignore_unknown_options": True}

_HELP_SECONDS = 10.0
_OPEN = "/usr/bin/open"  # of macOS

_Model = Annotated[
    str | None, typer.Option("--model", "-m", metavar="NAME", help="The model; else the one that `model use` has chosen.")
]


def codex(
    arguments: Annotated[list[str] | None, typer.Argument(metavar="[--] ARGS", help="Codex's own words, all of them.")] = None,
    model: _Model = None,
) -> None:
    """Run the Codex CLI with the chain, which is started where it does not run. Nothing is written into your own ~/.codex, and
    everything else in it counts as usual. The exit code is Codex's.

    Example: codex-shim codex -m deepseek-chat -- exec "what does this repository do?"
    """
    from ..codex import overrides

    given = list(arguments or [])
    cli = _cli()
    url = _running_url()
    chain = own.own_codex().chain(url)
    words = overrides.words(chain, _slug(model, chain.slugs))
    if overrides.may_start_daemon(given) and _knows(cli, overrides.NO_DAEMON):
        words.append(overrides.NO_DAEMON)
    environ = overrides.environment(os.environ, state.home.local_token())
    raise typer.Exit(system.become([str(cli), *words, *given], environ))


def desktop(
    path: Annotated[Path | None, typer.Argument(metavar="PATH", help="The project to open.")] = None, model: _Model = None
) -> None:
    """Open Codex Desktop with a model of the chain (macOS and Windows); the patched copy of `codex-shim patch-app`, where there is
    one. Your own Codex is led to the chain first, if it is not yet: that is `codex-shim enable`, and it is asked for.

    Example: codex-shim app ~/work/project -m deepseek-chat
    """
    if not system.has_codex_desktop():
        fail("Codex Desktop is an app for macOS and Windows; here `codex-shim codex` runs the CLI with the same models")
    opening = _opening()
    told = own.facts("")
    if not told["leads_here"]:
        _agreed(told)
    connect.enable(keep_threads=None, keep_login=None, model=model)
    raise typer.Exit(system.become([*opening, *([str(path.expanduser().absolute())] if path else [])], dict(os.environ)))


def _opening() -> list[str]:
    """What opens the app; the path of a project may follow. The CLI knows the app itself, and nothing of a copy."""
    from ..app import copied

    copy = copied.find(state.home) if system.has_app_bundles() else None
    if copy is None:
        return [str(_cli()), "app"]
    if copy.newer:
        remedy = "`codex-shim restore-app`, then `codex-shim patch-app` makes a copy of that one"
        typer.echo(f"{copy.app} is a copy of version {copy.version}, and the app is at {copy.newer} by now: {remedy}.", err=True)
    return [_OPEN, "-a", str(copy.app)]


def _agreed(told: dict[str, Any]) -> None:
    """Their own configuration is written only where they have said so."""
    if told["problem"]:
        fail(told["problem"])
    sentence = f"Desktop reads {told['config']}, which does not lead to this chain"
    if not model_questions.can_ask():
        fail(f"{sentence}; run `codex-shim enable` first, which `codex-shim disable` takes back")
    typer.echo(f"{sentence}. `codex-shim enable` changes that, and `codex-shim disable` takes it back.", err=True)
    if not typer.confirm("Enable it now?", default=True, err=True):
        fail("Desktop was not opened; nothing was changed")


def _cli() -> Path:
    from ..codex.cli import find

    cli = find(os.environ)
    if cli is None:
        fail("the Codex CLI was not found; `npm install -g @openai/codex` installs it, or CODEX_BIN names it")
    return cli


def _running_url() -> str:
    """Where the chain is, after starting it where it was not."""
    running = pipeline.running_status()
    if not running["running"]:
        pipeline.bring_up(detach=True, port=None)
        running = pipeline.running_status()
    if not running["running"]:
        fail("the chain went away again; `codex-shim doctor` tells why")
    return str(running["url"])


def _slug(wanted: str | None, listed: list[str]) -> str:
    """The one that is named, else the one that was chosen, else the first of the catalog."""
    from ..codex.files import chosen
    from ..sources import read_files
    from .offers import find, look

    if wanted is None or wanted in listed:
        slug = wanted or chosen(state.home.codex_config)
        if slug in listed or not listed:
            return slug or "demo"
        return listed[0]
    with config_errors():
        files = read_files(pipeline._options(), os.environ)
    return find(wanted, files, look(files))


def _knows(cli: Path, flag: str) -> bool:
    """Whether this version of the CLI has such a flag."""
    command: list[Any] = [cli, "--help"]
    try:
        done = subprocess.run(  # noqa: S603  # the user's own Codex
            command, capture_output=True, text=True, errors="replace", timeout=_HELP_SECONDS, stdin=subprocess.DEVNULL, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return flag in done.stdout
