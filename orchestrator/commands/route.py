"""`codex-shim route`: where a request would go, and why."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any

import typer

from .common import FAILED, config_errors, fail, print_json, state

app = typer.Typer(no_args_is_help=True, help="Where requests go.")

# What belongs to the connection that was recorded, or is not known any more.
_LEFT_OUT = (
    "authorization",
    "host",
    "content-length",
    "content-type",
    "x-request-id",
    "accept-encoding",
    "connection",
    "traceparent",
)
_NUMBERED = re.compile(r"(.+):([0-9]+)")


@app.callback()
def group() -> None:
    """Where requests go."""


@app.command()
def explain(
    model: Annotated[str | None, typer.Option(help="The slug that is asked for.")] = None,
    file: Annotated[Path | None, typer.Option(help="A request as JSON; without it one that says `hi`.")] = None,
    recorded: Annotated[str | None, typer.Option(metavar="FILE[:N]", help="The Nth exchange that `record` wrote.")] = None,
    header: Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="A header of it; may be repeated.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Tell which rules would change a request and how, who would serve it and why; nothing is sent to anybody.

    The stages of pipeline.toml are run for it, between a caller and workers that are none. Exit code 1 when it would be refused.

    Example: codex-shim route explain --model gpt-5.5
    """
    if file is not None and recorded is not None:
        fail("--file and --recorded both name a request; give one of them", 2)
    body, headers = _recorded(recorded) if recorded else (_read(file) if file else {}, {})
    headers |= _headers(header or [])
    told = _explained(body, headers, model)
    if json:
        import msgspec

        print_json(msgspec.to_builtins(told))
    else:
        from ..explaining import report

        for line in report.lines(told):
            typer.echo(typer.style(line, fg="red") if line.startswith(("error: ", "refused ")) else line)
    if told.fault is not None or told.refused is not None:
        raise typer.Exit(FAILED)


def _explained(body: dict[str, Any], headers: dict[str, str], model: str | None) -> Any:
    from .. import plan
    from ..explaining.explain import explain
    from ..file_tests.run import StandIns, stand_in_command
    from ..home import private_folder
    from ..launch import options_from
    from ..sources import read_files
    from .offers import offered

    with config_errors():
        options = options_from(state.home.root, state.settings, state.pipeline, None)
        sources = read_files(options, os.environ, stand_in_command, StandIns(os.environ))
    private_folder(state.home.root)
    hello = [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}]
    body = {"model": plan.slugs(sources.workers)[0], "stream": True, "input": hello, **body}
    body |= {"model": model} if model else {}
    models = offered(sources) if sources.subscriptions.names else []
    return explain(sources, body, headers, os.environ, state.home.root, models)


def _read(path: Path) -> dict[str, Any]:
    try:
        return _object(path.read_text("utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{path} cannot be read: {getattr(error, 'strerror', None) or 'it is not UTF-8 text'}")


def _recorded(written: str) -> tuple[dict[str, Any], dict[str, str]]:
    from ..sight.recorder import load

    match = _NUMBERED.fullmatch(written) if not Path(written).exists() else None
    path, number = (Path(match[1]), int(match[2])) if match else (Path(written), 1)
    with config_errors():
        recording = load(path)
    exchanges = recording.at(recording.hops[0]) if recording.hops else []
    if not 1 <= number <= len(exchanges):
        fail(f"{path} holds {len(exchanges)} exchanges, and no {number}th")
    crossing = exchanges[number - 1]
    headers = {name: value for name, value in crossing.headers.items() if name.lower() not in _LEFT_OUT}
    return _object(crossing.body or "", f"exchange {number} of {path}"), headers


def _object(text: str, what: str) -> dict[str, Any]:
    import json

    try:
        body = json.loads(text)
    except ValueError:
        fail(f"{what} is no JSON")
    if not isinstance(body, dict):
        fail(f"{what} is no request: it must be a JSON object")
    return body


def _headers(written: list[str]) -> dict[str, str]:
    found = {name: value for name, _, value in (each.partition("=") for each in written)}
    if wrong := next((name for name in found if not re.fullmatch(r"[A-Za-z0-9_-]+", name)), None):
        fail(f"`{wrong}` cannot be the name of a header; write --header name=value", 2)
    return found
