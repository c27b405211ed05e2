"""What the router can be told. `Options` may stand in pipeline.toml; routes and catalog come from the orchestrator."""

from __future__ import annotations

from typing import Any

import msgspec

# Slugs that Codex asks for on its own account, whatever the user picked (0.169.0: approvals and memories).
BACKGROUND_SLUGS = ("codex-auto-review", "gpt-6.1-terra")


class Options(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`default` is the slug that serves `background` ones; the first model where it is not set."""

    default: str | None = None
    background: list[str] = msgspec.field(default_factory=lambda: list(BACKGROUND_SLUGS))
    aliases: dict[str, str] = {}


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """Where a slug goes: the egress's name and base URL, and the model name it is asked for."""

    egress: str
    url: str
    model: str


class Config(Options, kw_only=True):
    """`routes` by slug, in the order of the catalog; `catalog` holds the entry Codex reads for each of them."""

    routes: dict[str, Route] = {}
    catalog: list[dict[str, Any]] = []
