"""Which egress a slug goes to. Pure."""

from __future__ import annotations

import difflib
from typing import Any

from ..contract.errors import MODEL_NOT_FOUND, refuse
from .config import Config, Route


def resolve(config: Config, slug: str) -> tuple[str, Route]:
    """The canonical slug and its route. Raises `HopError` (404, `model_not_found`) for a slug nobody serves."""
    for candidate in (slug, config.aliases.get(slug), _default(config) if slug in config.background else None):
        if candidate is not None and candidate in config.routes:
            return candidate, config.routes[candidate]
    raise refuse(_unknown(config, slug), status=404, code=MODEL_NOT_FOUND, param="model")


def listing(config: Config, created: int) -> dict[str, Any]:
    """The catalog in both shapes at once: Codex reads `models`, OpenAI's clients read `data`."""
    data = [{"id": slug, "object": "model", "created": created, "owned_by": route.egress} for slug, route in config.routes.items()]
    return {"object": "list", "data": data, "models": config.catalog}


def _default(config: Config) -> str | None:
    return config.default or next(iter(config.routes), None)


def _unknown(config: Config, slug: str) -> str:
    served = [*config.routes, *(alias for alias, target in config.aliases.items() if target in config.routes)]
    near = difflib.get_close_matches(slug, served, n=1)
    hint = f"did you mean `{near[0]}`?" if near else "`codex-shim list` shows the models there are."
    return f"no model named `{slug}` is configured; {hint}"
