"""The models of OpenAI's service as the local Codex knows them. Pure.

Codex keeps the list it was sent last in `models_cache.json`, and carries another one, `debug models --bundled`. Where codex-shim
answered the question, Codex has kept *our* list, with our models in it; such a cache is told by its etag, and says nothing here.
"""

from __future__ import annotations

import re

import msgspec
from codex_shim.stages.contract.body import UNREADABLE
from codex_shim.stages.router.config import ETAG_PREFIX

# Of a list. One with long instructions for each model takes half a megabyte.
MOST_BYTES = 64 * 1024 * 1024

FALLBACK = ("gpt-5.5", "gpt-5.4", "gpt-5.4-mini", "gpt-5.3-codex", "gpt-5.3-codex-spark", "gpt-5.2", "codex-auto-review")
_FALLBACK_HIDDEN = frozenset({"codex-auto-review"})

# What other programs have put into such a cache under a name that looks alike: open weights, and an earlier shim's router.
_FOREIGN = re.compile(r"gpt-oss.*|codex-auto")
_OPENAI = re.compile(r"(gpt-|codex-|o\d)[a-z0-9.-]*")

_ABSENT = msgspec.Raw(b"")


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


class _Messages(msgspec.Struct):
    instructions_template: msgspec.Raw = _ABSENT


class _Fields(msgspec.Struct):
    """Of an entry: what is asked here, and what Codex requires of one (0.169.0), whatever its value. An entry that lacks any of the
    latter makes the whole catalog unusable. The long ones are not decoded."""

    slug: str
    display_name: str | None = None
    visibility: str | None = None
    priority: float | None = None
    supported_reasoning_levels: msgspec.Raw = _ABSENT
    shell_type: msgspec.Raw = _ABSENT
    supported_in_api: msgspec.Raw = _ABSENT
    support_verbosity: msgspec.Raw = _ABSENT
    truncation_policy: msgspec.Raw = _ABSENT
    experimental_supported_tools: msgspec.Raw = _ABSENT
    base_instructions: msgspec.Raw = _ABSENT
    model_messages: _Messages | None = None

    @property
    def complete(self) -> bool:
        required = set(_Fields.__struct_fields__) - {"base_instructions", "model_messages"}
        prompts = (self.base_instructions, self.model_messages.instructions_template if self.model_messages else _ABSENT)
        return all(getattr(self, name) not in (None, _ABSENT) for name in required) and any(map(_says_something, prompts))


class _Entry(msgspec.Struct, frozen=True):
    """`raw` is all of it."""

    fields: _Fields
    raw: msgspec.Raw


def read(cache: bytes, bundled: bytes) -> list[KnownModel]:
    """In Codex's own order. `cache` is `models_cache.json`, `bundled` what `debug models --bundled` prints; empty for none."""
    carried = {entry.fields.slug: entry for entry in _entries(bundled)}
    for entries in (_entries(cache), list(carried.values())):
        if models := [_known(entry, carried.get(entry.fields.slug)) for entry in entries]:
            return models
    return [KnownModel(slug=slug, name=_name(slug), listed=slug not in _FALLBACK_HIDDEN) for slug in FALLBACK]


def is_openai(slug: str) -> bool:
    """Whether this can be a model of OpenAI's service, by its name."""
    return _OPENAI.fullmatch(slug) is not None and _FOREIGN.fullmatch(slug) is None


def _entries(content: bytes) -> list[_Entry]:
    """By priority, each slug once; none of a list that we have sent."""
    try:
        found = msgspec.json.decode(content, type=_Cache) if content else _Cache()
    except UNREADABLE:
        return []
    if ETAG_PREFIX in (found.etag or ""):
        return []
    by_slug: dict[str, _Entry] = {}
    for raw in found.models:
        if (entry := _entry(raw)) and is_openai(entry.fields.slug):
            by_slug.setdefault(entry.fields.slug, entry)
    return sorted(by_slug.values(), key=lambda entry: entry.fields.priority or 0)


def _entry(raw: msgspec.Raw) -> _Entry | None:
    """None for one of another shape, which is no reason to do without the others."""
    try:
        return _Entry(msgspec.json.decode(raw, type=_Fields), raw)
    except UNREADABLE:
        return None


def _known(entry: _Entry, carried: _Entry | None) -> KnownModel:
    """An entry that an older Codex has kept may lack what this one requires; then its own counts."""
    fields = entry.fields
    usable = next((each.raw for each in (entry, carried) if each and each.fields.complete), None)
    name = fields.display_name or _name(fields.slug)
    return KnownModel(slug=fields.slug, name=name, listed=fields.visibility not in ("hide", "none"), entry=usable)


def _says_something(text: msgspec.Raw) -> bool:
    return bytes(text) not in (b"", b'""', b"null")


def _name(slug: str) -> str:
    """`gpt-5.4-mini` → `GPT-5.4-Mini`."""
    return "-".join("GPT" if word == "gpt" else word.capitalize() for word in slug.split("-"))
