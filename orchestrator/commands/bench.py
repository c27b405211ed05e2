"""`codex-shim bench`: measure the chain on this machine."""

from __future__ import annotations

import signal
import sys
from typing import Annotated, Any, NoReturn

import typer

from .common import FAILED, fail, print_json


def bench(
    quick: Annotated[bool, typer.Option("--quick", help="Fewer scenarios and rounds: half a minute.")] = False,
    scenario: Annotated[list[str] | None, typer.Option(help="Only this scenario; may be repeated.")] = None,
    against: Annotated[
        list[str] | None, typer.Option(metavar="NAME=URL", help="Also measure what listens at this base URL.")
    ] = None,
    model: Annotated[str, typer.Option(help="The model to ask the others for.")] = "bench",
    token: Annotated[str | None, typer.Option(help="The bearer token the others want.")] = None,
    upstream_port: Annotated[int, typer.Option(help="Where the scripted upstream listens.", min=0, max=65535)] = 0,
    rounds: Annotated[int | None, typer.Option(help="How often everything takes its turn.", min=1)] = None,
    starts: Annotated[int | None, typer.Option(help="How many starts of the chain are timed.", min=0)] = None,
    seconds: Annotated[float, typer.Option(help="Begin no further round after so long.", min=1)] = 300.0,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the tables as Markdown.")] = False,
) -> None:
    """Measure the chain beside bare relays, the upstream itself, and other programs, and judge it by its budgets.

    Everything runs on loopback against a scripted upstream; nothing of yours is read or changed. docs/performance.md explains
    each number.

    Example: codex-shim bench --upstream-port 9100 --against other=http://127.0.0.1:8000/v1
    """
    from ..bench.driver import DriverError
    from ..bench.run import Plan, Run
    from ..bench.scenarios import linearity
    from ..bench.subjects import NotStartedError

    plan = Plan(
        scenarios=_scenarios(scenario or [], quick=quick),
        pairs=() if scenario else linearity(quick=quick),
        rounds=rounds or (3 if quick else 7),
        starts=starts if starts is not None else (3 if quick else 5),
        seconds=seconds,
        rivals=_rivals(against or []),
        model=model,
        token=token,
        upstream_port=upstream_port,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupt)
    try:
        report = Run(plan, lambda line: typer.echo(typer.style(line, dim=True), err=True)).run()
    except (DriverError, NotStartedError) as error:
        fail(str(error))
    except KeyboardInterrupt:
        fail("the benchmark was stopped; nothing of it is running any more", 130)
    _show(report, json=json, markdown=markdown)
    if report.wrong:
        fail("not every answer was right:\n" + "\n".join(report.wrong[:10]), FAILED)


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _scenarios(names: list[str], *, quick: bool) -> Any:
    from ..bench.scenarios import NAMES, chosen

    try:
        return chosen(names, quick=quick)
    except KeyError as error:
        fail(f"there is no scenario named `{error.args[0]}`; there are {', '.join(NAMES)}", 2)


def _rivals(given: list[str]) -> Any:
    from ..bench.run import Rival

    rivals = []
    for each in given:
        name, equals, url = each.partition("=")
        if not (name and equals and url):
            fail(f"--against wants NAME=URL, such as other=http://127.0.0.1:8000/v1, not `{each}`", 2)
        rivals.append(Rival(name, url))
    return rivals


def _show(report: Any, *, json: bool, markdown: bool) -> None:
    import msgspec

    from ..bench.report import summary, tables, verdict_table

    if json:
        print_json(msgspec.to_builtins(report))
        return
    typer.echo(summary(report))
    for table in (*tables(report), verdict_table(report)):
        title, *lines = table.lines()
        typer.echo("\n" + (f"### {title}\n" if markdown else typer.style(title, bold=sys.stdout.isatty())))
        for line in table.markdown() if markdown else lines:
            typer.echo(line)
