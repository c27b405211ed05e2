"""An explanation as lines for a terminal. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ..sight.changes import Change
from .explain import Explanation

MOST_CHANGES = 30
_LONGEST = 60
_MEASURES = {
    "requests_per_minute": "{:,} requests per minute",
    "tokens_per_minute": "{:,} tokens per minute",
    "dollars_per_day": "${:,.2f} a day",
}


def lines(told: Explanation) -> Iterator[str]:
    """From the door to the worker."""
    yield f"asked for `{told.model}`" + (f" in {told.project}" if told.project else "")
    if told.fault is not None:
        yield f"error: {told.fault}"
        return
    for step in told.steps:
        yield from _step(step.stage, step.rules)
    for url in told.not_asked:
        yield f"  (a rule asks {url}, which was left out: nothing is sent)"
    yield from (f"  {reason}" for reason in told.why)
    yield from (f"  limit: {_limit(limit)}" for limit in told.limits)
    if told.refused is not None:
        yield f"refused with HTTP {told.refused.status}: {told.refused.message}"
    elif told.route is not None:
        yield f"served by {told.route.egress}, which asks for `{told.route.model}`"
    if told.changes:
        yield "one change on the way:" if len(told.changes) == 1 else f"{len(told.changes)} changes on the way:"
        yield from (f"  {_change(change)}" for change in told.changes[:MOST_CHANGES])


def _step(stage: str, rules: list[str] | None) -> Iterator[str]:
    if rules is None:
        yield f"  {stage}"
    elif not rules:
        yield f"  {stage}: no rule applies"
    else:
        yield from (f"  {stage}: {rule}" for rule in rules)


def _limit(limit: dict[str, Any]) -> str:
    measures = ", ".join(words.format(limit[name]) for name, words in _MEASURES.items() if name in limit)
    return f"{measures} for {', '.join(limit['models'])}"


def _change(change: Change) -> str:
    place = change.path or "the whole"
    if change.kind == "added":
        return f"+ {place}: {_short(change.after)}"
    if change.kind == "removed":
        return f"- {place}: {_short(change.before)}"
    return f"~ {place}: {_short(change.before)} → {_short(change.after)}"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
