"""`codex-shim pipeline reload`: what the files say now, without a lost stream."""

from __future__ import annotations

from typing import Any

import typer

from ..control import Message, NotRunningError
from . import own
from .common import FAILED, connection, fail, fail_with, print_json
from .pipeline import Json


def reload(json: Json = False) -> None:
    """Read the files of the running chain again and change over to what they say. Stages that stay the same are left alone, and
    what streams finishes on the old processes. Where a file cannot be used (exit code 78), or a stage does not come up, nothing
    changes.

    Example: codex-shim pipeline reload
    """
    message: Message = {}
    try:
        for message in connection().ask("reload"):
            if not json:
                _show(message)
    except NotRunningError:
        fail("no chain is running; start it with `codex-shim start`")
    if "ok" not in message:
        fail("the chain was stopped before this was done")
    if json:
        print_json(message)
        raise typer.Exit(0 if message["ok"] else message.get("code", FAILED))
    if not message["ok"]:
        fail_with(message.get("problems") or [message["error"]], message.get("code", FAILED))
    _say_done(message)


def _show(message: Message) -> None:
    if "change" in message:
        typer.echo(message["change"]["words"])
    elif "problem" in message:
        typer.echo(typer.style("left out: ", fg="yellow") + message["problem"], err=True)


def _say_done(message: dict[str, Any]) -> None:
    if not message["changes"]:
        typer.echo("The chain is what the files say already.")
        return
    typer.echo("The chain serves what the files say now. Codex lists other models when it is started again.")
    if said := own.refresh(message["url"]):
        typer.echo(said, err=True)
