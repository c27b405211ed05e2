"""Which egress a slug goes to, and which slugs are on offer. Pure."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Sequence
from typing import Any

from ..contract.advertised import Advertised
from ..contract.errors import MODEL_NOT_FOUND, refuse
from .config import ETAG_PREFIX, Config, Route


def resolve(config: Config, slug: str, offer: Advertised) -> tuple[str, Route]:
    """The canonical slug and its route. Raises `HopError` (404, `model_not_found`) for a slug nobody serves.

    A slug that somebody chose goes where it belongs, on offer or not: the egress knows best what is wrong with its login. One that
    Codex asks for by itself goes to its own egress only while that is on offer.
    """
    for candidate in (slug, config.aliases.get(slug)):
        route = config.routes.get(candidate) if candidate is not None else None
        if candidate is not None and route is not None and (slug not in config.background or route.is_offered(offer)):
            return candidate, route
    default = _default(config, offer) if slug in config.background else None
    if default is not None:
        return default, config.routes[default]
    raise refuse(_unknown(config, slug), status=404, code=MODEL_NOT_FOUND, param="model")


def depends_on_offer(config: Config, slug: str) -> bool:
    """Whether `resolve` has to know what is on offer; for most slugs it is all the same."""
    if slug not in config.background:
        return False
    route = config.routes.get(slug) or config.routes.get(config.default or "") or next(iter(config.routes.values()), None)
    return route is not None and (route.subscription is not None or route.stand_in)


def listed(config: Config, offer: Advertised) -> list[str]:
    """The slugs on offer, in the order of the catalog."""
    routes = {slug: route for slug, route in config.routes.items() if route.is_offered(offer) and not route.hidden}
    return [slug for slug, route in routes.items() if not route.stand_in] or list(routes)


def listing(config: Config, offer: Advertised, more: Sequence[dict[str, Any]], created: int) -> dict[str, Any]:
    """The catalog in both shapes at once: Codex reads `models`, OpenAI's clients read `data`. `more` are the entries of
    subscriptions' models."""
    entries = {entry["slug"]: entry for entry in (*config.catalog, *more)}
    slugs = listed(config, offer)
    data = [{"id": slug, "object": "model", "created": created, "owned_by": config.routes[slug].egress} for slug in slugs]
    return {"object": "list", "data": data, "models": [entries[slug] for slug in slugs if slug in entries]}


def etag(body: bytes) -> str:
    return f'W/"{ETAG_PREFIX}{hashlib.sha256(body).hexdigest()[:24]}"'


def _default(config: Config, offer: Advertised) -> str | None:
    """The configured slug, as long as there is such a model and its login is usable; else the first on offer."""
    chosen = config.routes.get(config.default) if config.default else None
    if config.default and chosen and chosen.is_offered(offer):
        return config.default
    return next(iter(listed(config, offer)), None)


def _unknown(config: Config, slug: str) -> str:
    served = [*config.routes, *(alias for alias, target in config.aliases.items() if target in config.routes)]
    near = difflib.get_close_matches(slug, served, n=1)
    hint = f"did you mean `{near[0]}`?" if near else "`codex-shim list` shows the models there are."
    return f"no model named `{slug}` is configured; {hint}"
