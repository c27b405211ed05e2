"""What is on offer at one moment, and which model of it somebody means by a word."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from codex_shim.stages.contract.advertised import Advertised

from .codex.choice import Candidate, ChoiceError, find
from .logins.state import TITLES, LoginState
from .offering import Offering
from .settings.models import ModelRow
from .settings.slugs import slugify

# How a problem of models.json names its row.
_LABEL = re.compile(r": model `([^`]+)`: ")

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
    `prompt_source` says in words where the entries' base prompt comes from, for those who tell."""

    offering: Offering
    more: bytes
    advertised: Advertised
    states: Mapping[Any, LoginState]
    prompt_source: str = ""

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

    def virtual(self) -> list[dict[str, Any]]:
        """A row for each virtual slug on offer, as `list` shows it."""
        return [
            {
                "slug": model.slug,
                "name": model.name,
                "model": ", ".join(model.members),
                "provider": "virtual",
                "egress": "router",
                "key": "its members'",
                "source": "pipeline.toml",
            }
            for model in self.offering.virtual
            if model.is_listed(self.advertised)
        ]

    def not_on_offer(self) -> list[dict[str, str]]:
        """Each subscription that cannot be used, with the reason and its remedy."""
        return [
            {"subscription": name, "title": TITLES[name], "reason": login.reason}
            for name, login in self.states.items()
            if not login.usable
        ]

    def find(self, wanted: str, rows: Sequence[ModelRow], left_out: Sequence[str] = ()) -> str:
        """The slug that is meant; `rows` are those of models.json, `left_out` its problems. Raises `ChoiceError`."""
        own = [Candidate(slug=row.slug, model=row.model, name=row.display_name) for row in rows]
        subscribed = [Candidate(slug=row["slug"], model=row["model"], name=row["name"]) for row in self.subscribed()]
        virtual = [Candidate(slug=row["slug"], model=row["slug"], name=row["name"]) for row in self.virtual()]
        known = own + virtual + subscribed or [Candidate(**{key: DEMO_ROW[key] for key in ("slug", "model", "name")})]
        try:
            return find(wanted, known).slug
        except ChoiceError as error:
            raise ChoiceError(self._not_usable(wanted) or _left_out(wanted, left_out) or str(error)) from error

    def _not_usable(self, wanted: str) -> str | None:
        """For a model of a subscription that cannot be used at this moment: why, and what to do."""
        model = next((each for each in self.offering.offered if wanted in (each.slug, each.target) and each.subscription), None)
        if model is None or model.subscription not in self.states or self.states[model.subscription].usable:
            return None
        return f"`{wanted}` is not on offer: {self.states[model.subscription].reason}"


def _left_out(wanted: str, problems: Sequence[str]) -> str | None:
    """For a row of models.json that cannot work: where it stands, why not, and what to do."""
    named = [(problem, _LABEL.search(problem)) for problem in problems]
    found = [problem for problem, label in named if label and slugify(label[1]) == slugify(wanted)]
    return f"`{wanted}` is not on offer: {'; '.join(found)}" if found else None
