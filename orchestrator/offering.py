"""What Codex is shown: the user's own models, and those of the subscriptions whose login is usable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from codex_shim.stages.contract import foreign_file
from codex_shim.stages.contract.advertised import Advertised

from . import subscriptions, virtuals
from .codex import catalog, known_models, user_home
from .codex.cli import Prompt
from .logins.ask import States
from .sources import Sources
from .subscriptions import CHATGPT, CURSOR, Offered
from .virtuals import VirtualModel

Entries = list[dict[str, Any]]


class Offering(msgspec.Struct, frozen=True, kw_only=True):
    """`slugs` and `entries` are the user's own models; with none of them, `slugs` is empty and `entries` holds the demo's. Those
    of `virtual` slugs come behind them."""

    slugs: list[str]
    entries: Entries
    offered: list[Offered]
    virtual: list[VirtualModel] = []

    def advertised(self, states: States) -> Advertised:
        usable = {name: state.usable for name, state in states.items()}
        offer = Advertised(chatgpt_passthrough=usable.get(CHATGPT, False), cursor_passthrough=usable.get(CURSOR, False))
        return msgspec.structs.replace(offer, models=len(self.listed(offer)))

    def listed(self, offer: Advertised) -> list[str]:
        """The slugs on offer, in the order of the picker."""
        virtual = [model.slug for model in self.virtual if model.is_listed(offer)]
        return subscriptions.listed(self.offered, [*self.slugs, *virtual], offer)

    def catalog(self, offer: Advertised, more: bytes) -> Entries:
        """The entries of all that is on offer. `more` is the JSON of the subscriptions', which is read where one of them is."""
        subscribed = offer.chatgpt_passthrough or offer.cursor_passthrough
        theirs = msgspec.json.decode(more, type=dict[str, Entries])["models"] if subscribed else []
        by_slug = {entry["slug"]: entry for entry in (*self.entries, *theirs)}
        return [by_slug[slug] for slug in self.listed(offer) if slug in by_slug]

    @property
    def choosable(self) -> list[str]:
        """What may stay chosen in Codex's configuration though its login is not usable just now."""
        return [*(model.slug for model in self.offered), *(model.slug for model in self.virtual)]


def prepare(sources: Sources, prompt: Prompt, environ: Mapping[str, str]) -> tuple[Offering, bytes]:
    """The offering, and the entries of the subscriptions' models, which are long and needed only while a login is usable: as JSON,
    `{"models": [entry, …]}`."""
    known = known_models.read(_cache(environ), prompt.bundled) if sources.subscriptions.chatgpt else []
    router = virtuals.options(sources.pipeline)
    background = router.background if router else ()
    offered = subscriptions.offered(sources.subscriptions, known, sources.slugs, background)
    virtual = virtuals.read(router, sources.slugs, offered)
    own = catalog.entries(sources.rows, prompt.text)
    theirs = catalog.subscription_entries(offered, known, prompt.text, len(sources.rows) + len(virtual))
    merged = virtuals.entries(virtual, _members(virtual, own, theirs), prompt.text, len(sources.rows)) if virtual else []
    offering = Offering(slugs=sources.slugs, entries=[*own, *merged], offered=offered, virtual=virtual)
    return offering, b'{"models":[' + b",".join(theirs) + b"]}"


def _members(virtual: Sequence[VirtualModel], own: Entries, theirs: Sequence[bytes]) -> list[virtuals.Entry]:
    """Of the subscriptions' models, whose entries are long, only as far as a virtual slug leads to one."""
    found = msgspec.convert(own, list[virtuals.Entry])
    if any(model.subscriptions for model in virtual):
        found += [msgspec.json.decode(entry, type=virtuals.Entry) for entry in theirs]
    return found


def _cache(environ: Mapping[str, str]) -> bytes:
    """The list that the user's Codex was sent last."""
    try:
        return foreign_file.read(user_home.find(environ) / "models_cache.json", known_models.MOST_BYTES)
    except OSError:
        return b""
