"""What is on offer, for the commands that list, write or choose models: from the running chain, else by asking once."""

from __future__ import annotations

import os
from typing import Any

import msgspec
import typer

from ..control import NotRunningError
from ..logins.state import LoginState
from .common import connection, fail, state


def look(files: Any) -> Any:
    """An `Offer` (offer.py); `files` are what was read (sources.py)."""
    from ..codex import cli as codex_cli
    from ..offer import Offer
    from ..offering import prepare

    prompt = codex_cli.base_prompt(codex_cli.find(os.environ), state.home.prompt_cache, os.environ)
    offering, more = prepare(files, prompt, os.environ)
    states = _running_logins() or _asked(files)
    return Offer(offering=offering, more=more, advertised=offering.advertised(states), states=states, prompt_source=prompt.source)


def offered(files: Any) -> list[Any]:
    """The subscriptions' models that the chain serves, whether their login is usable or not."""
    from ..codex import cli as codex_cli
    from ..offering import prepare

    return prepare(files, codex_cli.base_prompt(codex_cli.find(os.environ), state.home.prompt_cache, os.environ), os.environ)[
        0
    ].offered


def find(wanted: str, files: Any, offer: Any) -> str:
    """The slug that is meant; ends the command with the reason where there is none."""
    from ..codex.choice import ChoiceError

    try:
        return offer.find(wanted, files.rows, files.row_problems)
    except ChoiceError as error:
        fail(str(error))


def _running_logins() -> dict[Any, LoginState] | None:
    """What the running chain knows; it looks all the time."""
    try:
        logins = connection().ask_once("status").get("logins")
    except NotRunningError:
        return None
    return msgspec.convert(logins, dict[str, LoginState]) if logins else None


def _asked(files: Any) -> dict[Any, LoginState]:
    from ..logins.ask import ask

    return ask(files.subscriptions, os.environ, lambda sentence: typer.echo(typer.style(sentence, dim=True), err=True))
