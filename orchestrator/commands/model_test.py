"""`codex-shim model test`: a tiny real conversation with one model through the running chain."""

from __future__ import annotations

import os
import time
from typing import Annotated, Any

import typer

from . import pipeline
from .common import FAILED, config_errors, connection, fail, print_json, print_table, state

# The stages' lines come a moment after the answer.
_LINES_SECONDS = 5.0
_LINES_PAUSE = 0.05


def test(
    wanted: Annotated[str, typer.Argument(metavar="NAME", help="A slug, an upstream model id, or a part of one model's name.")],
    seconds: Annotated[float, typer.Option(help="How long to wait for each of the two answers.", min=1)] = 60.0,
    json: pipeline.Json = False,
) -> None:
    """Ask a model two tiny real questions through the running chain, which cost a few tokens: does it call a tool, does its text
    stream, is usage told, how long does it take. Where it fails, the hop that failed is named. Exit code 1 when it does.

    Example: codex-shim model test deepseek-chat
    """
    from ..trial.report import report

    running = pipeline.running_status()
    if not running["running"]:
        fail(f"no chain is running for {state.home.root}; `codex-shim start`, then try again")
    slug = _slug(wanted, running["url"])
    told = report(slug, _converse(slug, running["url"], seconds, quiet=json), running["chain"], _lines)
    if json:
        print_json(told)
    else:
        _show(told)
    if not told["ok"]:
        raise typer.Exit(FAILED)


def _slug(wanted: str, url: str) -> str:
    """A slug that the running chain offers; ends the command where there is none."""
    from ..loopback import slugs
    from ..sources import read_files
    from .offers import find, look

    offered = slugs(url) or []
    if wanted in offered:
        return wanted
    with config_errors():
        files = read_files(pipeline._options(), os.environ)
    slug = find(wanted, files, look(files))
    if slug not in offered:
        fail(f"the running chain does not know `{slug}` yet; `codex-shim pipeline reload`, then try again")
    return slug


def _converse(slug: str, url: str, seconds: float, *, quiet: bool) -> list[Any]:
    """One answer, or two: without a tool call there is no result to tell."""
    from ..trial import conversation
    from ..trial.ask import ask

    if not quiet:
        typer.echo(f"Asking {slug} two tiny real questions; they cost a few tokens.", err=True)
    token, body = state.home.local_token(), conversation.opening(slug, _effort(slug))
    answers = [ask(url, token, body, _request_id(), seconds)]
    whole = next((call for call in answers[0].calls if conversation.is_whole(call)), None)
    if answers[0].trouble is None and whole is not None:
        answers.append(ask(url, token, conversation.following(body, answers[0].items, whole), _request_id(), seconds))
    return answers


def _request_id() -> str:
    import secrets

    return f"test-{secrets.token_hex(8)}"


def _effort(slug: str) -> str | None:
    """The least that Codex could ask this model for."""
    from ..codex.files import entries

    entry = next((each for each in entries(state.home.catalog) if each["slug"] == slug), {})
    levels = entry.get("supported_reasoning_levels") or [{}]
    return levels[0].get("effort")


def _lines(request_id: str, chain: list[str]) -> dict[str, Any]:
    """What the stages have logged for a request, as far as it comes."""
    import json

    from ..trial.hop import all_there, records

    give_up_at = time.monotonic() + _LINES_SECONDS
    while True:
        lines = [message["line"] for message in connection().ask("logs", stage=None, lines=2000) if "line" in message]
        found = records((json.loads(line) for line in lines if request_id in line and line.startswith("{")), request_id)
        if all_there(found, chain) or time.monotonic() > give_up_at:
            return found
        time.sleep(_LINES_PAUSE)


# -- for a person -----------------------------------------------------------------------------------------------------


def _show(told: dict[str, Any]) -> None:
    columns = ("headers", "first_token", "whole", "input_tokens", "output_tokens")
    rows = [[each["request"], *(_cell(each[column]) for column in columns)] for each in told["requests"]]
    print_table(("REQUEST", "HEADERS", "FIRST TOKEN", "WHOLE", "TOKENS IN", "TOKENS OUT"), rows)
    for check in told["checks"]:
        mark, colour = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "failed": ("✗", "red")}[check["status"]]
        typer.echo(f"{typer.style(mark, fg=colour)} {check['message']}")
    if failure := told["failure"]:
        where = f"at {failure['hop']}" if failure["hop"] else "somewhere in the chain"
        typer.echo(f"{typer.style('failed', fg='red', bold=True)} {where}: {failure['message']}")
        typer.echo(f"  request {failure['request_id']}, {failure['code']}")
    if told["remedy"]:
        typer.echo(f"  next: {told['remedy']}")


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f} s" if isinstance(value, float) else str(value)
