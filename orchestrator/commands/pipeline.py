"""`codex-shim pipeline …`: the chain as a whole."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import typer
from typer.core import TyperCommand

from ..control import NotRunningError
from ..logins.state import TITLES
from ..running.status import SLEEPS, UP
from . import own
from .common import FAILED, ask_running, config_errors, connection, fail, fail_with, print_json, print_table, state

app = typer.Typer(no_args_is_help=True, help="The chain as a whole: start, stop, look at it.")

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Port = Annotated[int | None, typer.Option(help="Listen here instead of where pipeline.toml says.", min=0, max=65535)]

LEVELS = ("off", "log", "enforce")
Check = Annotated[
    Literal["off", "log", "enforce"] | None,
    typer.Option(
        help="Hold what crosses each hop against the contract: `log` what breaks it, or `enforce` it. Instead of pipeline.toml's.",
        show_default=False,
    ),
]

_COLOURS = {
    "ready": "green",
    "failed": "red",
    "hung": "red",
    "waiting": "yellow",
    "starting": "yellow",
    "leased": "cyan",
    "asleep": "blue",
}


class OptionalValues(TyperCommand):
    """`--check` alone is `--check=log`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        following = [*args[1:], ""] if args else []
        bare = [word == "--check" and after not in LEVELS for word, after in zip(args, following, strict=True)]
        return super().parse_args(ctx, ["--check=log" if alone else word for word, alone in zip(args, bare, strict=True)])


@app.command(cls=OptionalValues)
def up(
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Return once the chain is ready; it goes on.")] = False,
    port: Port = None,
    check: Check = None,
    watch: Annotated[bool, typer.Option("--watch", help="Reload whenever one of the files is changed.")] = False,
) -> None:
    """Start the chain.

    Example: codex-shim pipeline up --detach
    """
    raise typer.Exit(bring_up(detach=detach, port=port, check=check, watch=watch))


def bring_up(*, detach: bool, port: int | None, check: Literal["off", "log", "enforce"] | None = None, watch: bool = False) -> int:
    """Start the chain with words on standard error; ends the command where it does not come up. An enabled Codex follows it."""
    from .. import launch
    from ..sockets import StartError
    from .progress import Progress

    options = launch.options_from(state.home.root, state.settings, state.pipeline, port)
    options = msgspec.structs.replace(options, check=check, watch=watch)
    progress = Progress(foreground=not detach)

    def show(message: dict[str, Any]) -> None:
        progress.show(message)
        if message["event"] == "ready" and (said := own.refresh(message["url"])):
            typer.echo(said, err=True)

    with config_errors():
        try:
            code = (launch.detached if detach else launch.foreground)(options, show)
        except StartError as error:
            fail(str(error))
    if progress.failure:
        fail_with(progress.failure.get("problems") or [progress.failure["text"]], progress.failure["code"])
    if not detach:
        own.say_left_behind()
    return code


@app.command()
def down() -> None:
    """Stop the chain; streams that are under way may finish first.

    Example: codex-shim pipeline down
    """
    bring_down()
    own.say_left_behind()


def bring_down() -> None:
    """Returns when the chain has ended."""
    ask_running("down")
    pid, patient_until = _lock_holder(), time.monotonic() + 1
    while pid and _lock_holder() == pid:
        time.sleep(0.05)
        if time.monotonic() > patient_until:
            typer.echo("Streams are still under way; they may finish within the drain time of pipeline.toml.", err=True)
            patient_until = float("inf")
    typer.echo("The chain has stopped.")


@app.command()
def status(json: Json = False) -> None:
    """Show each stage: its state, process, address and what happened to it. Exit code 1 when not every stage is ready.

    Example: codex-shim pipeline status --json
    """
    answer = running_status()
    codex = own.facts(answer.get("url", ""))
    if json:
        print_json({**answer, "codex": codex})
    elif answer["running"]:
        typer.echo(f"The chain is running at {answer['url']} (pid {answer['pid']}).")
        print_table(("STAGE", "STATE", "PID", "ADDRESS", "STARTS", "LAST EXIT"), [_row(stage) for stage in answer["stages"]])
        _show_retired(answer.get("retired", {}))
        _show_last_words(answer["stages"])
        _show_violations(answer["stages"])
        for name, login in answer.get("logins", {}).items():
            typer.echo(f"{TITLES[name]} is {'' if login['usable'] else 'not '}on offer: {login['reason']}")
    else:
        typer.echo(f"No chain is running for {state.home.root}. Start it with `codex-shim start`.")
    if not json:
        typer.echo(own.words(codex, answer["running"]))
    raise typer.Exit(0 if answer["running"] and all(stage["state"] in UP for stage in answer["stages"]) else FAILED)


@app.command()
def ready(wait: Annotated[float, typer.Option(help="Seconds to wait for it.", min=0)] = 0.0) -> None:
    """Tell by the exit code whether the chain is ready: 0 yes, 1 no.

    Example: codex-shim pipeline ready --wait 10 && codex
    """
    give_up_at = time.monotonic() + wait
    while True:
        answer = running_status()
        if answer["running"] and all(stage["state"] in UP for stage in answer["stages"]):
            typer.echo(f"ready at {answer['url']}")
            return
        if time.monotonic() >= give_up_at:
            late = [stage["name"] for stage in answer["stages"] if stage["state"] not in UP]
            fail("not ready: " + (", ".join(late) if late else "no chain is running"))
        time.sleep(0.05)


@app.command()
def restart(stage: Annotated[str | None, typer.Argument(help="One stage; all of them if not named.")] = None) -> None:
    """Replace the process of a stage, or of all, without losing a stream: the new one is ready before the old one drains.

    Example: codex-shim pipeline restart policy
    """
    message: dict[str, Any] = {}
    try:
        for message in connection().ask("restart", stage=stage):
            if message.get("asleep"):
                typer.echo(f"{message['stage']} is asleep: it {SLEEPS}")
            elif "stage" in message:
                typer.echo(f"{message['stage']} was replaced")
            elif not message["ok"]:
                fail(str(message["error"]))
        if "ok" not in message:
            fail("the chain was stopped before this was done")
    except NotRunningError:
        fail("no chain is running; start it with `codex-shim start`")


@app.command()
def logs(
    stage: Annotated[str | None, typer.Argument(help="One stage; all of them if not named.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as lines come.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", help="How many of the latest to show.", min=0)] = 200,
    json: Annotated[bool, typer.Option("--json", help="Print the lines as the stages wrote them.")] = False,
) -> None:
    """Show what the stages log: one line per request and hop. Prompts and keys are never in it.

    Example: codex-shim pipeline logs -f router
    """
    from .loglines import Painter

    painter = Painter(raw=json)
    try:
        for message in connection().ask("logs", stage=stage, follow=follow, lines=lines):
            if "line" in message:
                typer.echo(painter.paint(message["stage"], message["line"]))
            elif not message["ok"]:
                fail(str(message["error"]))
    except NotRunningError:
        _stored_logs(painter, stage, lines)
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


@app.command()
def validate() -> None:
    """Read pipeline.toml and models.json and report every problem, as file:line:column. Nothing is started.

    Example: codex-shim --pipeline ./mine.toml pipeline validate
    """
    from ..sources import read_files

    with config_errors():
        files = read_files(_options(), os.environ)
    for problem in files.row_problems:
        typer.echo(typer.style("problem: ", fg="yellow") + problem, err=True)
    stages = " → ".join(stage.name for stage in files.pipeline.stages)
    typer.echo(f"{files.pipeline.path} is valid: {stages}")
    if files.row_problems:
        raise typer.Exit(FAILED)


@app.command()
def test(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]…", help="Only tests with this text in their name.")] = None,
    json: Json = False,
    junit: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a report as JUnit's XML too.")] = None,
    patience: Annotated[float, typer.Option(help="Seconds that an answer may take.", min=0.1)] = 20.0,
) -> None:
    """Run the test tables of pipeline.toml through the real stages. Nothing is sent to a provider, and no key is needed.

    Exit code 1 when one failed.

    Example: codex-shim pipeline test "house rules"
    """
    from . import pipeline_test

    raise typer.Exit(pipeline_test.run_tests(names or [], json=json, junit=junit, patience=patience))


@app.command()
def graph(
    mermaid: Annotated[bool, typer.Option("--mermaid", help="Print a Mermaid diagram instead of a drawing.")] = False,
) -> None:
    """Draw the chain as the files describe it.

    Example: codex-shim pipeline graph --mermaid
    """
    from ..graph import ascii_graph, mermaid_graph, nodes
    from ..sources import read_files
    from .offers import offered

    with config_errors():
        files = read_files(_options(), os.environ)
    drawing = (mermaid_graph if mermaid else ascii_graph)(nodes(files.pipeline, files.workers, offered(files)))
    typer.echo(drawing)


@app.command()
def init() -> None:
    """Put a pipeline.toml of your own into the home, to be edited. An existing one is left alone.

    Example: codex-shim pipeline init
    """
    from ..home import write_private
    from ..settings.pipeline import packaged_default

    path = state.pipeline or state.home.pipeline
    if path.exists():
        fail(f"{path} exists already; it was left as it is")
    write_private(path, packaged_default().read_bytes())
    typer.echo(f"Wrote {path}. `codex-shim pipeline validate` checks it after an edit.")


def running_status() -> dict[str, Any]:
    try:
        answer = connection().ask_once("status")
    except NotRunningError:
        return {"running": False, "stages": []}
    return {"running": True, **{name: value for name, value in answer.items() if name != "ok"}}


def _lock_holder() -> int | None:
    from ..system import Lock

    return Lock(state.home.lock).holder()


def _options() -> Any:
    from ..launch import options_from

    return options_from(state.home.root, state.settings, state.pipeline, None)


def _show_retired(retired: dict[str, list[int]]) -> None:
    """Processes that were replaced or taken out."""
    for name, pids in retired.items():
        typer.echo(f"An earlier process of {name} finishes what it streams (pid {', '.join(map(str, pids))}).")


def _show_last_words(stages: list[dict[str, Any]]) -> None:
    """Of the stages that do not serve: what they printed last."""
    for stage in stages:
        if stage["lines"] and stage["state"] in ("failed", "hung", "waiting", "starting"):
            typer.echo(f"The last lines of {stage['name']}:")
            for line in stage["lines"]:
                typer.echo(f"  │ {line}")


def _show_violations(stages: list[dict[str, Any]]) -> None:
    for stage in stages:
        if count := stage.get("violations"):
            times = "once" if count == 1 else f"{count} times"
            typer.echo(f"{stage['name']} broke the contract {times}; `codex-shim pipeline logs {stage['name']}` shows how.")


def _row(stage: dict[str, Any]) -> list[str]:
    asleep = stage["state"] == "asleep"
    return [
        stage["name"],
        typer.style(stage["state"], fg=_COLOURS.get(stage["state"])),
        str(stage["pid"] or "-"),
        stage["address"],
        "-" if asleep and stage["start_ms"] is None else str(stage["restarts"] + 1),
        stage["last_exit"] or (SLEEPS if asleep else "-"),
    ]


def _stored_logs(painter: Any, stage: str | None, lines: int) -> None:
    """What the last run left behind."""
    found = [path for path in sorted(state.home.logs.glob("*.log")) if stage in (None, path.stem)]
    if not found:
        fail("no chain is running, and there are no logs of an earlier one" + (f" named `{stage}`" if stage else ""))
    for path in found:
        for line in _tail(path, lines):
            typer.echo(painter.paint(path.stem, line))
    sys.stdout.flush()


def _tail(path: Path, lines: int) -> list[str]:
    return path.read_text("utf-8", "replace").splitlines()[-lines:] if lines else []
