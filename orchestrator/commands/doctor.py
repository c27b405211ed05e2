"""`codex-shim doctor`: a report on all that has to be right, and what to do about what is not."""

from __future__ import annotations

import os
import sys

import typer

from . import pipeline
from .common import FAILED, print_json


def doctor(json: pipeline.Json = False) -> None:
    """Look at everything and say what to do: programs, settings, the chain, logins, Codex's configuration. Changes nothing.

    Exit code 1 when something fails; a warning alone is no failure. No key or token is ever shown.

    Example: codex-shim doctor
    """
    from ..doctor import report
    from ..doctor.run import examine
    from ..doctor.subject import Subject

    checks = examine(Subject(pipeline._options(), os.environ, _progress))
    if json:
        print_json(report.as_json(checks))
    else:
        for line in report.lines(checks, _paint):
            typer.echo(line)  # which takes the colours out where no terminal reads
    raise typer.Exit(0 if report.healthy(checks) else FAILED)


def _progress(sentence: str) -> None:
    if sys.stderr.isatty():
        typer.echo(typer.style(sentence, dim=True), err=True)


def _paint(text: str, style: str) -> str:
    return typer.style(text, bold=True) if style == "bold" else typer.style(text, fg=style, bold=True)
