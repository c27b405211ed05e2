"""What the router can be told. `Options` may stand in pipeline.toml; routes and catalog come from the orchestrator."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal

import msgspec

from ..contract.advertised import Advertised, Subscription
from ..contract.price import Price

# Slugs that Codex asks for on its own account, whatever the user picked (0.169.0: approvals and memories).
BACKGROUND_SLUGS = ("codex-auto-review", "gpt-6.1-terra")

# How the `etag` of our model list begins: Codex keeps it beside the list, so that one of ours is never taken for OpenAI's.
ETAG_PREFIX = "codex-shim-"


Choose = Literal["order", "weighted", "cheapest", "least-latency"]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=3600)]


class Virtual(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A slug that several others serve: `members` are slugs of models or of other virtual ones. `weights` are for
    `choose = "weighted"`; who has none there weighs 1."""

    members: list[str]
    choose: Choose = "order"
    weights: dict[str, Annotated[float, msgspec.Meta(gt=0)]] = {}
    display_name: str = ""


class BreakerOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A member that fails `failures` times within `window_seconds` is left alone for `pause_seconds`."""

    failures: Annotated[int, msgspec.Meta(ge=1)] = 3
    window_seconds: Seconds = 60.0
    pause_seconds: Seconds = 20.0


class Limit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What may be used of all models together whose slug fits one of `models`, by conversations whose folder fits one of `project`,
    or by all where there is none."""

    models: list[str] = msgspec.field(default_factory=lambda: ["*"])
    project: list[str] = []
    requests_per_minute: Annotated[int, msgspec.Meta(ge=1)] | None = None
    tokens_per_minute: Annotated[int, msgspec.Meta(ge=1)] | None = None
    dollars_per_day: Annotated[float, msgspec.Meta(gt=0)] | None = None

    def fits(self, slug: str, folder: str) -> bool:
        """Whether it is for this model and this project."""
        return _one_of(slug, self.models) and (not self.project or _one_of(folder, self.project))


class Options(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`default` is the slug that serves `background` ones; the first model where it is not set.

    A key of `aliases` may have `*` in it. `virtual` is by slug; `fallbacks` says who serves a slug when its own upstream does not.
    `wait_seconds` is how long a request may wait in all for an upstream that has said when to come back, where nobody else is
    left; `answer_seconds` how long one may take to begin its answer before the next is asked, 0 for as long as its egress lets it.
    """

    default: str | None = None
    background: list[str] = msgspec.field(default_factory=lambda: list(BACKGROUND_SLUGS))
    aliases: dict[str, str] = {}
    virtual: dict[str, Virtual] = {}
    fallbacks: dict[str, list[str]] = {}
    wait_seconds: Seconds = 0.0
    answer_seconds: Seconds = 0.0
    breaker: BreakerOptions = BreakerOptions()
    limits: list[Limit] = []


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """Where a slug goes: the egress's name and base URL, and the slug it is asked for there.

    `subscription` names the login without which the slug is not on offer. A `hidden` one is served and never listed, a
    `stand_in` only while nothing else is.

    What the model can take: `context` in tokens, None where nobody knows, `images`, `tools`. `price` is in dollars for a million
    tokens in the mixture in which agents use them, None where nobody has told.
    """

    egress: str
    url: str
    model: str
    subscription: Subscription | None = None
    hidden: bool = False
    stand_in: bool = False
    context: int | None = None
    images: bool = True
    tools: bool = True
    price: float | None = None

    def is_offered(self, offer: Advertised) -> bool:
        """Whether the login that it needs is usable."""
        return self.subscription is None or offer.offers(self.subscription)


class Config(Options, kw_only=True):
    """`routes` by slug, in the order of the catalog; `catalog` holds the entry Codex reads for each of the user's own models.

    `advertised` is the file that says which logins are usable (contract/advertised.py). The entries of their models are long, so
    they stay in a file of their own, `subscription_catalog`, which is read when somebody asks: `{"models": [entry, …]}`.
    `prices` are by slug, `spent` is the file that says what was spent today (contract/spent.py); both for limits in dollars.
    """

    routes: dict[str, Route] = {}
    catalog: list[dict[str, Any]] = []
    advertised: str = ""
    subscription_catalog: str = ""
    prices: dict[str, Price] = {}
    spent: str = ""


def _one_of(name: str, patterns: list[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
