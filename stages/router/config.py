"""What the router can be told. `Options` may stand in pipeline.toml; routes and catalog come from the orchestrator."""

from __future__ import annotations

from typing import Any

import msgspec

from ..contract.advertised import Advertised, Subscription

# Slugs that Codex asks for on its own account, whatever the user picked (0.169.0: approvals and memories).
BACKGROUND_SLUGS = ("codex-auto-review", "gpt-6.1-terra")

# How the `etag` of our model list begins: Codex keeps it beside the list, so that one of ours is never taken for OpenAI's.
ETAG_PREFIX = "codex-shim-"


class Options(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`default` is the slug that serves `background` ones; the first model where it is not set."""

    default: str | None = None
    background: list[str] = msgspec.field(default_factory=lambda: list(BACKGROUND_SLUGS))
    aliases: dict[str, str] = {}


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """Where a slug goes: the egress's name and base URL, and the slug it is asked for there.

    `subscription` names the login without which the slug is not on offer. A `hidden` one is served and never listed, a
    `stand_in` only while nothing else is.
    """

    egress: str
    url: str
    model: str
    subscription: Subscription | None = None
    hidden: bool = False
    stand_in: bool = False

    def is_offered(self, offer: Advertised) -> bool:
        """Whether the login that it needs is usable."""
        return self.subscription is None or offer.offers(self.subscription)


class Config(Options, kw_only=True):
    """`routes` by slug, in the order of the catalog; `catalog` holds the entry Codex reads for each of the user's own models.

    `advertised` is the file that says which logins are usable (contract/advertised.py). The entries of their models are long, so
    they stay in a file of their own, `subscription_catalog`, which is read when somebody asks: `{"models": [entry, …]}`.
    """

    routes: dict[str, Route] = {}
    catalog: list[dict[str, Any]] = []
    advertised: str = ""
    subscription_catalog: str = ""
