"""What is on offer, for the commands that list, write or choose models: from the running chain, else by asking once."""

from __future__ import annotations

import os
from typing import Any

import msgspec
import typer

from ..control import NotRunningError
from ..logins.state import TITLES, LoginState
from .common import connection, fail, state

# What `list` shows where there is nothing else.
DEMO_ROW = {
    "slug": "demo",
    "name": "Demo (offline)",
    "model": "demo",
    "provider": "codex-shim",
    "egress": "demo",
    "key": "none",
    "source": "demo",
}


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """`offering` and `more` are of offering.py, `advertised` what can be used now, `states` each login by its subscription's name,
    `prompt` the base prompt and where it comes from."""

    offering: Any
    more: bytes
    advertised: Any
    states: dict[Any, LoginState]
    prompt: Any

    @property
    def catalog(self) -> list[dict[str, Any]]:
        """The entries that Codex is to be shown."""
        return self.offering.catalog(self.advertised, self.more)

    def subscribed(self) -> list[dict[str, Any]]:
        """A row for each model of a subscription that is on offer, as `list` shows it."""
        slugs = self.offering.listed(self.advertised)
        return [
            {
                "slug": model.slug,
                "name": model.name,
                "model": model.target,
                "provider": model.subscription,
                "egress": model.subscription,
                "key": "login",
                "source": model.subscription,
            }
            for model in self.offering.offered
            if model.slug in slugs
        ]

    def not_on_offer(self) -> list[dict[str, str]]:
        """Each subscription that cannot be used, with the reason and its remedy."""
        return [
            {"subscription": name, "title": TITLES[name], "reason": login.reason}
            for name, login in self.states.items()
            if not login.usable
        ]


def look(files: Any) -> Offer:
    """`files` are what was read (sources.py)."""
    from ..codex import cli as codex_cli
    from ..offering import prepare

    prompt = codex_cli.base_prompt(codex_cli.find(os.environ), state.home.prompt_cache, os.environ)
    offering, more = prepare(files, prompt, os.environ)
    states = _running_logins() or _asked(files)
    return Offer(offering=offering, more=more, advertised=offering.advertised(states), states=states, prompt=prompt)


def offered(files: Any) -> list[Any]:
    """The subscriptions' models that the chain serves, whether their login is usable or not."""
    from ..codex import cli as codex_cli
    from ..offering import prepare

    return prepare(files, codex_cli.base_prompt(codex_cli.find(os.environ), state.home.prompt_cache, os.environ), os.environ)[
        0
    ].offered


def find(wanted: str, files: Any, offer: Offer) -> str:
    """The slug that is meant; ends the command with the reason where there is none."""
    from ..codex.choice import Candidate, ChoiceError, find

    own = [Candidate(slug=row.slug, model=row.model, name=row.display_name) for row in files.rows]
    subscribed = [Candidate(slug=row["slug"], model=row["model"], name=row["name"]) for row in offer.subscribed()]
    known = own + subscribed
    if not known:
        known = [Candidate(**{key: DEMO_ROW[key] for key in ("slug", "model", "name")})]
    try:
        return find(wanted, known).slug
    except ChoiceError as error:
        fail(_not_usable(wanted, offer) or str(error))


def _not_usable(wanted: str, offer: Offer) -> str | None:
    """For a model of a subscription that cannot be used at this moment: why, and what to do."""
    model = next((each for each in offer.offering.offered if wanted in (each.slug, each.target) and each.subscription), None)
    if model is None or model.subscription not in offer.states or offer.states[model.subscription].usable:
        return None
    return f"`{wanted}` is not on offer: {offer.states[model.subscription].reason}"


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
