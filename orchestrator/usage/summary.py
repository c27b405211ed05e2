"""Counts put together as somebody wants to see them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import msgspec

from .tally import Counts, Row

By = Literal["slug", "project", "day"]
HEADINGS = ("", "REQUESTS", "FAILED", "INPUT", "CACHED", "OUTPUT", "COST")


def grouped(rows: Iterable[Row], by: By) -> list[tuple[str, Counts]]:
    """Days in their order, everything else by what it has cost, or by its tokens where nobody knows that."""
    found: dict[str, Counts] = {}
    for row in rows:
        found.setdefault(getattr(row, by), Counts()).add(row.counts)
    if by == "day":
        return sorted(found.items())
    return sorted(found.items(), key=lambda each: (-each[1].dollars, -each[1].input - each[1].output, each[0]))


def total(rows: Iterable[Row]) -> Counts:
    counts = Counts()
    for row in rows:
        counts.add(row.counts)
    return counts


def table(groups: Sequence[tuple[str, Counts]], by: By, whole: Counts) -> list[list[str]]:
    """As `HEADINGS` name it; the last row is for all together where there are several."""
    named = [(_name(name, by), counts) for name, counts in groups]
    named += [("all", whole)] if len(groups) > 1 else []
    return [_cells(name, counts) for name, counts in named]


def for_programs(groups: Sequence[tuple[str, Counts]], by: By) -> list[dict[str, Any]]:
    return [{by: name, **msgspec.to_builtins(counts)} for name, counts in groups]


def cost(counts: Counts) -> str:
    """`–` where nobody knows it, `> $1.20` where that is so of a part."""
    if counts.unpriced and not counts.dollars:
        return "–"
    known = f"${counts.dollars:.2f}" if counts.dollars >= 0.1 or not counts.dollars else f"${counts.dollars:.4f}"
    return f"> {known}" if counts.unpriced else known


def _cells(name: str, counts: Counts) -> list[str]:
    tokens = [f"{getattr(counts, field):,}" for field in ("input", "cached", "output")]
    return [name, f"{counts.requests:,}", f"{counts.failed:,}" if counts.failed else "", *tokens, cost(counts)]


def _name(name: str, by: By) -> str:
    return name or "(not known)" if by == "project" else name
