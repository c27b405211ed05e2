"""Why the router chooses as it does, in sentences. Pure: the choice itself is the router's."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from fnmatch import fnmatchcase

from codex_shim.stages.router.config import Options


def reasons(router: Options, asked: str, models: Collection[str], served: str | None) -> list[str]:
    """`models` are the slugs of all models there are, `served` is the one that would be asked, None where nobody would."""
    found, slug = _meant(router, asked, models)
    if served is None:
        return found
    known = slug in models or slug in router.virtual
    if asked in router.background and (not known or served not in (slug, *_inside(router, slug))):
        what = f"the default `{router.default}`" if router.default else "the first model on offer"
        return [f"Codex asks for `{asked}` by itself; {what} serves it"]
    found += list(_virtual(router, slug))
    if served != slug and slug not in router.virtual:
        found.append(f"`{slug}` is another name of `{served}`")
    return found


def _meant(router: Options, asked: str, models: Collection[str]) -> tuple[list[str], str]:
    """As stages/router/route.py reads names: the slug itself, an alias, the first pattern that fits."""
    if asked in models:
        return [f"`{asked}` is the slug of a model"], asked
    if asked in router.virtual:
        return [], asked
    if (target := router.aliases.get(asked)) is not None:
        return [f"`{asked}` is an alias of `{target}`"], target
    for pattern, target in router.aliases.items():
        if "*" in pattern and fnmatchcase(asked, pattern.replace("[", "[[]").replace("?", "[?]")):
            return [f"`{asked}` fits the alias `{pattern}` of `{target}`"], target
    return [], asked


def _virtual(router: Options, slug: str) -> Iterator[str]:
    if (virtual := router.virtual.get(slug)) is not None:
        how = {"order": "in their order", "weighted": "by weight", "cheapest": "the cheapest first"}
        named = ", ".join(f"`{member}`" for member in virtual.members)
        yield f"`{slug}` is a virtual slug of {named}, {how.get(virtual.choose, 'the quickest first')}"
    if others := router.fallbacks.get(slug):
        yield f"where it does not answer, {', '.join(f'`{other}`' for other in others)} would be asked"


def _inside(router: Options, slug: str) -> list[str]:
    virtual = router.virtual.get(slug)
    return virtual.members if virtual else []
