"""What a new catalog changes for somebody who knows the old one. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

Entry = dict[str, Any]


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """Slugs in the order of their catalogs; `changed` has the names of the fields beside each. The place in the list is no change
    of a model; `reordered` tells that those in both lists stand in another order."""

    added: list[str]
    removed: list[str]
    changed: dict[str, list[str]]
    reordered: bool


def compare(before: Sequence[Entry], after: Sequence[Entry]) -> Changes:
    """Of entries that share a slug the last one counts."""
    old, new = ({entry["slug"]: entry for entry in entries} for entries in (before, after))
    both = [slug for slug in new if slug in old]
    fields = {slug: _differing(old[slug], new[slug]) for slug in both}
    return Changes(
        added=[slug for slug in new if slug not in old],
        removed=[slug for slug in old if slug not in new],
        changed={slug: names for slug, names in fields.items() if names},
        reordered=both != [slug for slug in old if slug in new],
    )


def lines(changes: Changes) -> list[str]:
    """`+ kimi`, `- demo`, `~ qwen: context_window`."""
    return [
        *(f"+ {slug}" for slug in changes.added),
        *(f"- {slug}" for slug in changes.removed),
        *(f"~ {slug}: {', '.join(names)}" for slug, names in changes.changed.items()),
        *(["the order has changed"] if changes.reordered else []),
    ]


def _differing(before: Entry, after: Entry) -> list[str]:
    names = [name for name in (*after, *(name for name in before if name not in after)) if name != "priority"]
    return [name for name in names if before.get(name) != after.get(name)]
