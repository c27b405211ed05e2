"""The entry that Codex reads for each slug. Pure.

Observed on Codex 0.169.0: one malformed entry makes the whole file unusable, the picker sorts by ascending `priority`, and what the
entry says of tools decides which tools Codex offers. `multi_agent_version` is v1 because v2 puts a sub-agent's task into an
encrypted item that no other model can read.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from ..egress import DEMO
from ..settings.models import ModelRow
from ..subscriptions import CHATGPT, CONTEXT, CURSOR_COMPACTS_AT, Offered
from . import efforts
from .efforts import Levels
from .known_models import KnownModel

# Where neither the row nor the preset knows. Codex compacts at 90 % of it, so too small costs a summary, too large a failed turn.
DEFAULT_CONTEXT = 128_000
_FAMILIES = (("claude", 200_000), ("gpt-5", 400_000), ("gemini", 1_000_000))

# Codex Desktop asks for so many and no more. What is beyond stays usable by its slug.
LISTED = 100


def entries(rows: Sequence[ModelRow], prompt: str) -> list[dict[str, Any]]:
    """One entry per model in the user's order; the demo's where there is none."""
    if not rows:
        says = "Follows a script: runs commands and creates files."
        return [entry(DEMO, "Demo (offline)", says, DEFAULT_CONTEXT, False, 0, prompt, efforts.NONE)]
    return [
        entry(
            row.slug,
            row.display_name,
            f"{row.model} at {row.provider}",
            row.max_context or _family_context(row.model),
            row.images,
            place,
            prompt,
            efforts.levels(row),
        )
        for place, row in enumerate(rows)
    ]


def subscription_entries(models: Sequence[Offered], known: Sequence[KnownModel], prompt: str, first_priority: int) -> list[bytes]:
    """One entry per model that can be listed, behind the user's own; each as JSON, since they are long and rarely needed."""
    shown = [model for model in models if model.subscription and not model.hidden]
    by_slug = {model.slug: model for model in known}
    slugs = {model.slug for model in shown}
    return [_subscription_entry(model, by_slug, slugs, first_priority + place, prompt) for place, model in enumerate(shown)]


def _subscription_entry(
    model: Offered, known: Mapping[str, KnownModel], listed: Collection[str], priority: int, prompt: str
) -> bytes:
    if model.subscription == CHATGPT:
        raw = known[model.target].entry
        if raw is not None:
            return _codex_entry(raw, listed, priority)
        return msgspec.json.encode(
            entry(model.slug, model.name, "ChatGPT subscription", CONTEXT, True, priority, prompt, efforts.USUAL_LEVELS)
        )
    made = entry(model.slug, model.name, "Cursor subscription", CONTEXT, False, priority, prompt, efforts.NONE)
    return msgspec.json.encode({**made, "auto_compact_token_limit": CURSOR_COMPACTS_AT})


def _codex_entry(raw: msgspec.Raw, listed: Collection[str], priority: int) -> bytes:
    """Codex's own entry, whole. Only what would hide the model, or lead around us or to one that is not here, is changed: Codex
    shows some models to nobody who is not logged in with ChatGPT itself."""
    fields: dict[str, Any] = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    upgrade = msgspec.json.decode(fields.get("upgrade", b"null"))
    fields |= {"priority": priority, "visibility": _visibility(priority), "supported_in_api": True}
    if "prefer_websockets" in fields:
        fields["prefer_websockets"] = False
    if isinstance(upgrade, dict) and upgrade.get("model") not in listed:
        fields["upgrade"] = None
    return msgspec.json.encode(fields)


def entry(
    slug: str, name: str, description: str, context: int, images: bool, priority: int, prompt: str, levels: Levels
) -> dict[str, Any]:
    """All the fields that Codex requires, and those that make it work with a model that is not OpenAI's."""
    return {
        "slug": slug,
        "display_name": name,
        "description": description,
        "default_reasoning_level": levels.default,
        "supported_reasoning_levels": levels.described,
        "shell_type": "unified_exec",
        "visibility": _visibility(priority),
        "supported_in_api": True,
        "priority": priority,
        "base_instructions": prompt,
        "default_reasoning_summary": "auto",
        "support_verbosity": False,
        "apply_patch_tool_type": "freeform",
        "web_search_tool_type": "text",
        "supports_search_tool": False,
        "truncation_policy": {"mode": "tokens", "limit": 10_000},
        "experimental_supported_tools": [],
        "input_modalities": ["text", "image"] if images else ["text"],
        "context_window": context,
        "max_context_window": context,
        "effective_context_window_percent": 95,
        "use_responses_lite": False,
        "multi_agent_version": "v1",
    }


def _visibility(place: int) -> str:
    return "list" if place < LISTED else "hide"


def _family_context(model: str) -> int:
    return next((size for name, size in _FAMILIES if name in model.lower()), DEFAULT_CONTEXT)
