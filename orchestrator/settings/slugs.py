"""The names that Codex shows and sends for the rows of models.json.

Rule of this file: a slug depends on the rows as written, not on which of them can work today, so that a missing key never renames
another model.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import NamedTuple


class Named(NamedTuple):
    """What a row says about its name; `suffix` is its `index` key, or its place in the file."""

    slug: str
    model: str
    display_name: str
    suffix: int


def slugify(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def assign(rows: list[Named]) -> list[str]:
    """One slug per row, each different; empty where a row has no letter or digit to make one of.

    A slug that was asked for is given before one that is derived; whoever comes second gets its index as a suffix.
    """
    models = Counter(row.model for row in rows)
    found = [""] * len(rows)
    taken: set[str] = set()
    for asked in (True, False):
        for place, row in enumerate(rows):
            if bool(row.slug) is asked:
                derived = row.display_name if models[row.model] > 1 and row.display_name else row.model
                found[place] = _free(slugify(row.slug or derived), row.suffix, taken)
                taken.add(found[place])
    return found


def _free(slug: str, suffix: int, taken: set[str]) -> str:
    candidate = slug
    while slug and candidate in taken:
        candidate = f"{slug}-{suffix}"
        suffix += 1
    return candidate
