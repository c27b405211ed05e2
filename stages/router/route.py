"""Which egress a slug goes to, and which slugs are on offer. Pure."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any

from ..contract.advertised import Advertised
from ..contract.errors import MODEL_NOT_FOUND, refuse
from .config import ETAG_PREFIX, Config
from .members import leaves


def resolve(config: Config, slug: str, offer: Advertised) -> str:
    """The canonical slug: that of a route, or a virtual one. Raises `HopError` (404, `model_not_found`) for a slug nobody serves.

    A slug that somebody chose goes where it belongs, on offer or not: the egress knows best what is wrong with its login. One that
    Codex asks for by itself goes to its own egress only while that is on offer.
    """
    for candidate in _names(config, slug):
        if _served(config, candidate) and (slug not in config.background or is_offered(config, candidate, offer)):
            return candidate
    default = _default(config, offer) if slug in config.background else None
    if default is not None:
        return default
    raise refuse(_unknown(config, slug), status=404, code=MODEL_NOT_FOUND, param="model")


def depends_on_offer(config: Config, slug: str) -> bool:
    """Whether `resolve` has to know what is on offer; for most slugs it is all the same."""
    if slug not in config.background:
        return False
    chosen = next((each for each in (slug, config.default or "") if _served(config, each)), None)
    routes = [config.routes[leaf] for leaf in leaves(config, chosen)] if chosen else [*config.routes.values()][:1]
    return any(route.subscription is not None or route.stand_in for route in routes)


def is_offered(config: Config, slug: str, offer: Advertised) -> bool:
    """Of a virtual slug one member is enough."""
    return any(config.routes[leaf].is_offered(offer) for leaf in leaves(config, slug))


def listed(config: Config, offer: Advertised) -> list[str]:
    """The slugs on offer, in the order of the catalog: the user's own models, virtual ones, those of subscriptions."""
    routes = {slug: route for slug, route in config.routes.items() if route.is_offered(offer) and not route.hidden}
    real = [slug for slug, route in routes.items() if not route.stand_in]
    own = [slug for slug in real if routes[slug].subscription is None]
    virtual = [slug for slug in config.virtual if is_offered(config, slug, offer)]
    return [*own, *virtual, *(slug for slug in real if slug not in own)] or list(routes)


def listing(config: Config, offer: Advertised, more: Sequence[dict[str, Any]], created: int) -> dict[str, Any]:
    """The catalog in both shapes at once: Codex reads `models`, OpenAI's clients read `data`. `more` are the entries of
    subscriptions' models."""
    entries = {entry["slug"]: entry for entry in (*config.catalog, *more)}
    slugs = listed(config, offer)
    data = [{"id": slug, "object": "model", "created": created, "owned_by": _owner(config, slug)} for slug in slugs]
    return {"object": "list", "data": data, "models": [entries[slug] for slug in slugs if slug in entries]}


def etag(body: bytes) -> str:
    return f'W/"{ETAG_PREFIX}{hashlib.sha256(body).hexdigest()[:24]}"'


def _names(config: Config, slug: str) -> Iterator[str]:
    """What a slug may stand for: itself, its alias, or that of the first pattern it fits."""
    yield slug
    if slug in config.aliases:
        yield config.aliases[slug]
    elif pattern := next((each for each in config.aliases if "*" in each and fnmatchcase(slug, _literal(each))), None):
        yield config.aliases[pattern]


def _literal(pattern: str) -> str:
    """Nothing but `*` has a meaning of its own."""
    return pattern.replace("[", "[[]").replace("?", "[?]")


def _served(config: Config, slug: str) -> bool:
    return slug in config.routes or bool(slug in config.virtual and leaves(config, slug))


def _owner(config: Config, slug: str) -> str:
    route = config.routes.get(slug)
    return route.egress if route else "router"


def _default(config: Config, offer: Advertised) -> str | None:
    """The configured slug, as long as there is such a model and its login is usable; else the first on offer."""
    if config.default and is_offered(config, config.default, offer):
        return config.default
    return next(iter(listed(config, offer)), None)


def _unknown(config: Config, slug: str) -> str:
    aliases = [alias for alias, target in config.aliases.items() if _served(config, target) and "*" not in alias]
    served = [*config.routes, *config.virtual, *aliases]
    near = difflib.get_close_matches(slug, served, n=1)
    hint = f"did you mean `{near[0]}`?" if near else "`codex-shim list` shows the models there are."
    return f"no model named `{slug}` is configured; {hint}"
