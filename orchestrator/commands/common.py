"""What every command shares: where the files are, how errors end, how tables and JSON are printed."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import typer

from ..control import Connection, NotRunningError
from ..home import Home
from ..settings.problems import ConfigError

FAILED = 1


class State:
    """The global options, set once by the root command."""

    home: Home = Home(Path())
    settings: Path = Path()
    pipeline: Path | None = None


state = State()


def set_globals(home: Path | None, settings: Path | None, pipeline: Path | None) -> None:
    state.home = Home.find(home, os.environ)
    state.settings = settings.expanduser().absolute() if settings else state.home.models
    if settings and not state.settings.exists():  # the usual one may be missing, but not one that was named
        fail(f"{state.settings}: there is no such file", ConfigError.EXIT_CODE)
    state.pipeline = pipeline.expanduser().absolute() if pipeline else None


def fail(sentence: str, code: int = FAILED) -> NoReturn:
    fail_with([sentence], code)


def fail_with(sentences: Sequence[str], code: int = FAILED) -> NoReturn:
    """Each problem on a line of its own."""
    for sentence in sentences:
        say_error(sentence)
    raise typer.Exit(code)


def say_error(sentence: str) -> None:
    typer.echo(typer.style("error: ", fg="red", bold=True) + sentence, err=True)


@contextmanager
def config_errors() -> Iterator[None]:
    """Problems of the user's files: one per line, exit code 78."""
    try:
        yield
    except ConfigError as error:
        fail_with([str(problem) for problem in error.problems], ConfigError.EXIT_CODE)


def connection() -> Connection:
    return Connection(state.home.control)


def ask_running(command: str, **arguments: Any) -> dict[str, Any]:
    """The running chain's answer; ends the command where none runs or it refuses."""
    try:
        answer = connection().ask_once(command, **arguments)
    except NotRunningError:
        fail(f"no chain is running for {state.home.root}; start it with `codex-shim start`")
    if not answer.get("ok"):
        fail(str(answer.get("error")))
    return answer


def print_json(value: Any) -> None:
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def print_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as they must be; headings only where a person reads."""
    shown = [list(headings), *map(list, rows)] if sys.stdout.isatty() else [list(row) for row in rows]
    widths = [max((len(_plain(row[place])) for row in shown), default=0) for place in range(len(headings))]
    for number, row in enumerate(shown):
        cells = [cell + " " * (width - len(_plain(cell))) for cell, width in zip(row, widths, strict=True)]
        line = "  ".join(cells).rstrip()
        typer.echo(typer.style(line, bold=True) if number == 0 and shown[0] == list(headings) else line)


def _plain(cell: str) -> str:
    import re

    return re.sub(r"\x1b\[[0-9;]*m", "", cell)
