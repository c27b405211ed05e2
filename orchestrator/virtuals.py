"""Virtual slugs: what must be right about them, and what Codex is shown of them. Pure.

Codex is told of what every member can do: the smallest window, the images that all take, the efforts that all tell apart. So a turn
that fits the virtual slug fits whichever member it goes to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from codex_shim.stages.contract.advertised import Advertised
from codex_shim.stages.router.config import Options, Virtual

from .codex import catalog, efforts
from .codex.efforts import Levels
from .settings.pipeline import Pipeline
from .settings.positions import Path as At
from .settings.problems import did_you_mean
from .settings.slugs import slugify
from .subscriptions import Offered

Problem = tuple[At, str]


class VirtualModel(msgspec.Struct, frozen=True, kw_only=True):
    """`members` are slugs of models; `own` tells that one of them is of models.json, `subscriptions` which logins serve others."""

    slug: str
    name: str
    members: list[str]
    own: bool
    subscriptions: list[Any] = []

    def is_listed(self, offer: Advertised) -> bool:
        return self.own or any(offer.offers(each) for each in self.subscriptions)


class Entry(msgspec.Struct):
    """As much of a member's catalog entry as counts."""

    slug: str
    context_window: int | None = None
    input_modalities: list[str] = []
    supported_reasoning_levels: list[dict[str, Any]] = []
    default_reasoning_level: str | None = None


def options(pipeline: Pipeline) -> Options | None:
    """The router's."""
    return next((stage.options for stage in pipeline.stages if isinstance(stage.options, Options)), None)


def read(router: Options | None, own: Sequence[str], offered: Sequence[Offered]) -> list[VirtualModel]:
    """In the order of the file. `own` are the slugs of models.json."""
    tables = router.virtual if router else {}
    served = {model.slug: model for model in offered}
    found = []
    for slug, table in tables.items():
        members = [each for each in _leaves(tables, slug) if each in own or each in served]
        logins = dict.fromkeys(served[each].subscription for each in members if each in served and each not in own)
        found.append(
            VirtualModel(
                slug=slug,
                name=table.display_name or slug,
                members=members,
                own=any(each in own for each in members) or None in logins,
                subscriptions=[each for each in logins if each is not None],
            )
        )
    return found


def entries(models: Sequence[VirtualModel], members: Sequence[Entry], prompt: str, first_priority: int) -> list[dict[str, Any]]:
    """One for each of `models`; `members` are the entries of all models that are known."""
    known = {entry.slug: entry for entry in members}
    return [
        _entry(model, [known[slug] for slug in model.members if slug in known], prompt, first_priority + place)
        for place, model in enumerate(models)
    ]


def problems(router: Options, known: Sequence[str], is_known: Callable[[str], bool]) -> Iterator[Problem]:
    """What is wrong with names in the router's table, each with its place in it. `known` are the slugs to suggest, `is_known` tells
    of more."""
    names = [*known, *router.virtual]

    def unknown(at: At, slug: str) -> Iterator[Problem]:
        if slug not in router.virtual and not is_known(slug):
            yield at, f"there is no model named `{slug}`{did_you_mean(slug, names)}"

    if router.default:
        yield from unknown(("default",), router.default)
    for alias, slug in router.aliases.items():
        yield from unknown(("aliases", alias), slug)
    for slug, table in router.virtual.items():
        yield from _named(slug, known)
        yield from _weighted(slug, table)
        for place, member in enumerate(table.members):
            yield from unknown(("virtual", slug, "members", place), member)
        if slug in _inside(router.virtual, slug):
            yield ("virtual", slug, "members"), f"the virtual slug `{slug}` leads back to itself"
    for slug, others in router.fallbacks.items():
        if slug not in router.virtual and not is_known(slug):
            yield ("fallbacks", slug), f"there is no model named `{slug}`{did_you_mean(slug, names)}"
        for place, other in enumerate(others):
            yield from unknown(("fallbacks", slug, place), other)
            if other == slug or slug in _leaves(router.virtual, other):
                yield ("fallbacks", slug, place), f"`{slug}` would stand in for itself"


def _named(slug: str, known: Sequence[str]) -> Iterator[Problem]:
    if slug in known:
        yield ("virtual", slug), f"`{slug}` is the slug of a model already; give the virtual one another name"
    elif slugify(slug) != slug:
        hint = f"; write it as `{slugify(slug)}`" if slugify(slug) else ""
        yield ("virtual", slug), f"`{slug}` cannot be a slug: use lower-case letters, digits and `-`{hint}"


def _weighted(slug: str, table: Virtual) -> Iterator[Problem]:
    if not table.members:
        yield ("virtual", slug, "members"), f"the virtual slug `{slug}` has no members"
    if table.weights and table.choose != "weighted":
        yield ("virtual", slug, "weights"), f'`weights` of `{slug}` have a meaning with `choose = "weighted"` only'
    for member in table.weights:
        if member not in table.members:
            yield ("virtual", slug, "weights", member), f"`{member}` is no member of `{slug}`{did_you_mean(member, table.members)}"


def _inside(tables: Mapping[str, Virtual], slug: str) -> set[str]:
    """All names that are reached from a virtual slug, however deep."""
    found: set[str] = set()
    waiting = [slug]
    while waiting:
        table = tables.get(waiting.pop())
        fresh = [each for each in table.members if each not in found] if table else []
        found |= set(fresh)
        waiting += fresh
    return found


def _leaves(tables: Mapping[str, Virtual], slug: str) -> list[str]:
    """The slugs of models among them, in the order of the file; the slug itself where it is none of a virtual model."""
    if slug not in tables:
        return [slug]
    if slug in _inside(tables, slug):
        return []
    return list(dict.fromkeys(leaf for member in tables[slug].members for leaf in _leaves(tables, member)))


def _entry(model: VirtualModel, members: Sequence[Entry], prompt: str, priority: int) -> dict[str, Any]:
    windows = [entry.context_window for entry in members if entry.context_window is not None]
    return catalog.entry(
        model.slug,
        model.name,
        f"One of {', '.join(model.members)}",
        min(windows, default=catalog.DEFAULT_CONTEXT),
        all("image" in entry.input_modalities for entry in members) and bool(members),
        priority,
        prompt,
        _levels(members),
    )


def _levels(members: Sequence[Entry]) -> Levels:
    offered = [{level["effort"] for level in entry.supported_reasoning_levels} for entry in members]
    common = tuple(word for word in efforts.WORDS if offered and all(word in each for each in offered))
    wanted = (*(entry.default_reasoning_level for entry in members), *common)
    return Levels(common, next((word for word in wanted if word in common), None))
