"""What the two subscriptions add to a chain: a worker each, and the slugs it serves. Pure.

A model that the user has set up wins over a subscription's of the same name, however the name is spelt: who wrote `gpt-5.5` into
models.json means that one, and no prompt of his may go elsewhere. And a slug that Codex asks for by itself is never a reason to go
to the subscription where there are models of the user's own.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec
from codex_shim.stages.contract.advertised import Advertised, Subscription

from .codex.known_models import KnownModel
from .egress import DEMO
from .settings.slugs import slugify

CHATGPT: Subscription = "chatgpt"
CURSOR: Subscription = "cursor"
NAMES: tuple[Subscription, ...] = (CHATGPT, CURSOR)

CHATGPT_URL = "https://chatgpt.com/backend-api/codex"
CONTEXT = 272_000
CURSOR_COMPACTS_AT = 217_600


class CursorModel(msgspec.Struct, frozen=True):
    """`cli_name` is what `cursor-agent --model` takes, and an alias of the slug."""

    slug: str
    cli_name: str
    name: str


CURSOR_MODELS = (
    CursorModel("composer-2-5", "composer-2.5", "Composer 2.5"),
    CursorModel("composer-2-5-fast", "composer-2.5-fast", "Composer 2.5 Fast"),
)


class ChatGpt(msgspec.Struct, frozen=True, kw_only=True):
    """`auth_file` is Codex's own, `base_url` the service's, or what a test says."""

    auth_file: str
    base_url: str = CHATGPT_URL


class Cursor(msgspec.Struct, frozen=True, kw_only=True):
    """`folder` holds the slots of the pool; `workspace` is the environment's wish, which pipeline.toml can overrule. `cut_off` is
    true where a run was killed together with its chain: its files may hold a prompt, and the worker clears them when it starts."""

    binary: str
    folder: str
    workspace: str = ""
    cut_off: bool = False


class Subscriptions(msgspec.Struct, frozen=True, kw_only=True):
    """Which of them have a worker: None for one that is switched off, or whose program is not installed."""

    chatgpt: ChatGpt | None = None
    cursor: Cursor | None = None

    @property
    def names(self) -> list[Subscription]:
        workers: dict[Subscription, object] = {CHATGPT: self.chatgpt, CURSOR: self.cursor}
        return [name for name, worker in workers.items() if worker is not None]


NONE = Subscriptions()


class Offered(msgspec.Struct, frozen=True, kw_only=True):
    """A slug and who serves it: the worker of `subscription`, which knows it as `target`; or, where that is None, the row of
    models.json with the slug `target`. A `hidden` one is served and never listed."""

    slug: str
    target: str
    name: str
    subscription: Subscription | None
    hidden: bool = False


def offered(
    subscriptions: Subscriptions, known: Sequence[KnownModel], own: Collection[str], background: Collection[str]
) -> list[Offered]:
    """ChatGPT's before Cursor's. `known` are the ChatGPT models, `own` the slugs of models.json, `background` the router's."""
    found: list[Offered] = []
    if subscriptions.chatgpt:
        for model in known:
            if not (own and model.slug in background):
                found.append(_plain(model.slug, model.slug, model.name, CHATGPT, own, hidden=not model.listed))
            alias = f"openai-{slugify(model.slug)}"
            if alias not in own:
                found.append(Offered(slug=alias, target=model.slug, name=model.name, subscription=CHATGPT, hidden=True))
    if subscriptions.cursor:
        for each in CURSOR_MODELS:
            found.append(_plain(each.slug, each.slug, each.name, CURSOR, own))
            found.append(_plain(each.cli_name, each.slug, each.name, CURSOR, own, hidden=True))
    return [each for each in found if each.slug not in own]


def listed(models: Sequence[Offered], own: Sequence[str], offer: Advertised) -> list[str]:
    """The slugs on offer in the order of the picker; the demo's where there is no other."""
    return [*own, *(each.slug for each in models if is_listed(each, offer))] or [DEMO]


def is_listed(model: Offered, offer: Advertised) -> bool:
    return model.subscription is not None and not model.hidden and offer.offers(model.subscription)


def chatgpt_slugs(models: Sequence[Offered]) -> list[str]:
    """What the ChatGPT worker serves, by its own names."""
    return list(dict.fromkeys(each.target for each in models if each.subscription == CHATGPT))


def _plain(slug: str, target: str, name: str, subscription: Subscription, own: Collection[str], *, hidden: bool = False) -> Offered:
    if slugify(slug) in own:
        return Offered(slug=slug, target=slugify(slug), name=name, subscription=None, hidden=True)
    return Offered(slug=slug, target=target, name=name, subscription=subscription, hidden=hidden)
