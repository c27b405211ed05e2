"""The models of OpenAI's service as the local Codex knows them. Pure.

Codex keeps the list it was sent last in `models_cache.json`, and carries another one, `debug models --bundled`. Where codex-shim
answered the question, Codex has kept *our* list, with our models in it; such a cache is told by its etag, and says nothing here.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec
from codex_shim.stages.router.config import ETAG_PREFIX

FALLBACK = ("gpt-5.5", "gpt-5.4", "gpt-5.4-mini", "gpt-5.3-codex", "gpt-5.3-codex-spark", "gpt-5.2", "codex-auto-review")
_FALLBACK_HIDDEN = frozenset({"codex-auto-review"})

# What other programs have put into such a cache under a name that looks alike: open weights, and an earlier shim's router.
_FOREIGN = re.compile(r"gpt-oss.*|codex-auto")
_OPENAI = re.compile(r"(gpt-|codex-|o\d)[a-z0-9.-]*")

# What Codex requires of an entry (0.169.0); one that lacks any of it makes the whole catalog unusable.
_REQUIRED = (
    "slug",
    "display_name",
    "supported_reasoning_levels",
    "shell_type",
    "visibility",
    "supported_in_api",
    "priority",
    "support_verbosity",
    "truncation_policy",
    "experimental_supported_tools",
)


class KnownModel(msgspec.Struct, frozen=True, kw_only=True):
    """`listed` is whether a picker shows it; `entry` is what Codex itself knows of it, as JSON, since it is long and rarely needed;
    None where that is not enough to be used."""

    slug: str
    name: str
    listed: bool = True
    entry: msgspec.Raw | None = None

    def __repr__(self) -> str:
        return f"KnownModel({self.slug})"


class _Cache(msgspec.Struct):
    etag: str | None = None
    models: list[msgspec.Raw] = []


class _Entry(msgspec.Struct, frozen=True):
    """What is asked of an entry here; `raw` is all of it."""

    slug: str
    name: str
    priority: float
    listed: bool
    complete: bool
    raw: msgspec.Raw


def read(cache: bytes, bundled: bytes) -> list[KnownModel]:
    """In Codex's own order. `cache` is `models_cache.json`, `bundled` what `debug models --bundled` prints; empty for none."""
    carried = {entry.slug: entry for entry in _entries(bundled)}
    for entries in (_entries(cache), list(carried.values())):
        if models := [_known(entry, carried.get(entry.slug)) for entry in entries]:
            return models
    return [KnownModel(slug=slug, name=_name(slug), listed=slug not in _FALLBACK_HIDDEN) for slug in FALLBACK]


def is_openai(slug: str) -> bool:
    """Whether this can be a model of OpenAI's service, by its name."""
    return _OPENAI.fullmatch(slug) is not None and _FOREIGN.fullmatch(slug) is None


def _entries(content: bytes) -> list[_Entry]:
    """By priority; none of a list that we have sent."""
    try:
        found = msgspec.json.decode(content, type=_Cache) if content else _Cache()
        entries = [_entry(raw) for raw in found.models]
    except (msgspec.DecodeError, msgspec.ValidationError):
        return []
    if ETAG_PREFIX in (found.etag or ""):
        return []
    return sorted((entry for entry in entries if is_openai(entry.slug)), key=lambda entry: entry.priority)


def _entry(raw: msgspec.Raw) -> _Entry:
    fields = msgspec.json.decode(raw, type=dict[str, Any])
    messages = fields.get("model_messages")
    template = messages.get("instructions_template") if isinstance(messages, dict) else None
    priority = fields.get("priority")
    return _Entry(
        slug=str(fields.get("slug")),
        name=str(fields.get("display_name") or ""),
        priority=priority if isinstance(priority, int | float) else 0,
        listed=fields.get("visibility") not in ("hide", "none"),
        complete=all(name in fields for name in _REQUIRED) and bool(fields.get("base_instructions") or template),
        raw=raw,
    )


def _known(entry: _Entry, carried: _Entry | None) -> KnownModel:
    """An entry that an older Codex has kept may lack what this one requires; then its own counts."""
    usable = next((each.raw for each in (entry, carried) if each and each.complete), None)
    return KnownModel(slug=entry.slug, name=entry.name or _name(entry.slug), listed=entry.listed, entry=usable)


def _name(slug: str) -> str:
    """`gpt-5.4-mini` → `GPT-5.4-Mini`."""
    return "-".join("GPT" if word == "gpt" else word.capitalize() for word in slug.split("-"))
