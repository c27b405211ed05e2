"""What `pipeline test` does: run the `[[test]]` tables of pipeline.toml and say what became of them."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from ..file_tests import report
from ..file_tests.report import Verdict
from ..file_tests.run import StandIns, run, stand_in_command
from ..home import private_folder
from ..settings.case_table import Case
from .common import FAILED, config_errors, fail, print_json, state
from .offers import offered


def run_tests(names: Sequence[str], *, json: bool, junit: Path | None, patience: float) -> int:
    """The exit code. Problems of the files end the command."""
    sources = _sources()
    path = str(sources.pipeline.path)
    cases = _chosen(sources.pipeline.tests, names, path)
    if not sources.pipeline.tests and not json:
        typer.echo(f"{path} has no [[test]]; docs/pipeline-toml.md shows how one is written.")
    private_folder(state.home.root)
    began = time.perf_counter()
    models = offered(sources) if sources.subscriptions.names and cases else []
    verdicts = []
    for verdict in run(sources, cases, os.environ, state.home.root, models, patience):
        verdicts.append(verdict)
        if not json:
            _show(verdict)
    seconds = time.perf_counter() - began
    if junit is not None:
        _write(junit, report.junit(path, verdicts, seconds))
    if json:
        print_json(report.for_programs(path, verdicts, seconds))
    elif verdicts:
        typer.echo(report.summary(verdicts, seconds))
    return 0 if all(verdict.passed for verdict in verdicts) else FAILED


def _sources() -> Any:
    from ..launch import options_from
    from ..sources import read_files

    with config_errors():
        options = options_from(state.home.root, state.settings, state.pipeline, None)
        return read_files(options, os.environ, stand_in_command, StandIns(os.environ))


def _chosen(cases: Sequence[Case], names: Sequence[str], path: str) -> list[Case]:
    """Those whose name holds one of the texts; all of them where there is none."""
    for name in names:
        if not any(name in case.name for case in cases):
            fail(f"{path} has no [[test]] with `{name}` in its name")
    return [case for case in cases if not names or any(name in case.name for name in names)]


def _show(verdict: Verdict) -> None:
    mark = typer.style("✓", fg="green") if verdict.passed else typer.style("✗", fg="red")
    typer.echo(f"{mark} {verdict.name}")
    for line in report.details(verdict):
        typer.echo(f"    {line}")


def _write(path: Path, content: bytes) -> None:
    try:
        path.expanduser().write_bytes(content)
    except OSError as error:
        fail(f"{path} cannot be written: {error.strerror}")
