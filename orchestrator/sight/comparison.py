"""Two answers to each of some requests, side by side: tokens, seconds, text and tool calls. Pure.

It measures what a rule of the chain saves: the same requests with it and without it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import msgspec

from ..trial.answer import Answer

_TEXT_KEYS = ("arguments", "input", "action", "queries")
# What makes a call the same one: whatever it is called by, and the parts of its name.
_NAMES = ("type", "namespace", "name")


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens are None where the answer told none; moments are seconds since the request, None for what never came."""

    ok: bool
    failure: str | None
    input: int | None
    cached: int | None
    output: int | None
    first: float | None
    whole: float | None
    text: str
    calls: list[str]


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """`number` counts from 1. `after` is None where there was nothing to compare with."""

    number: int
    model: str | None
    before: Measured
    after: Measured | None

    @property
    def same_text(self) -> bool:
        return self.after is not None and self.before.text == self.after.text

    @property
    def same_calls(self) -> bool:
        return self.after is not None and self.before.calls == self.after.calls

    @property
    def lost(self) -> bool:
        """Whether what had succeeded has failed now."""
        return self.before.ok and self.after is not None and not self.after.ok


class Sum(msgspec.Struct, frozen=True, kw_only=True):
    """Of the exchanges that have both sides: the numbers of one of them, where each was told by both."""

    input: int
    cached: int
    output: int
    first: float
    whole: float


def measured(answer: Answer) -> Measured:
    usage = answer.usage or {}
    return Measured(
        ok=answer.trouble is None and answer.ended,
        failure=f"{answer.trouble.code}: {answer.trouble.message}" if answer.trouble else None,
        input=usage.get("input_tokens"),
        cached=usage.get("cached_tokens"),
        output=usage.get("output_tokens"),
        first=_rounded(answer.first_token),
        whole=_rounded(answer.whole),
        text=answer.text,
        calls=[_call(item) for item in answer.items if str(item.get("type", "")).endswith("_call")],
    )


def rows(models: Sequence[str | None], before: Sequence[Answer], after: Sequence[Answer], numbers: Sequence[int] = ()) -> list[Row]:
    """One row for each of `before`, with the answer at the same place of `after` beside it."""
    return [
        Row(
            number=numbers[place] if numbers else place + 1,
            model=models[place],
            before=measured(answer),
            after=measured(after[place]) if place < len(after) else None,
        )
        for place, answer in enumerate(before)
    ]


def sums(found: Sequence[Row]) -> tuple[Sum, Sum]:
    """Before and after."""
    both = [(row.before, row.after) for row in found if row.after is not None]
    return _sum(both, 0), _sum(both, 1)


def report(found: Sequence[Row]) -> dict[str, Any]:
    """For programs: `exchanges`, and `sum` with both sides."""
    before, after = sums(found)
    exchanges = [{**msgspec.to_builtins(row), "same_text": row.same_text, "same_calls": row.same_calls} for row in found]
    return {"exchanges": exchanges, "sum": {"before": msgspec.to_builtins(before), "after": msgspec.to_builtins(after)}}


def _sum(pairs: Sequence[tuple[Measured, Measured]], side: int) -> Sum:
    """A number that only one of the two has told would make the sums incomparable."""

    def total(name: str) -> Any:
        told = [pair for pair in pairs if getattr(pair[0], name) is not None and getattr(pair[1], name) is not None]
        return sum(getattr(pair[side], name) for pair in told)

    names = ("input", "cached", "output", "first", "whole")
    return Sum(**{name: round(total(name), 3) for name in names})


def _call(item: dict[str, Any]) -> str:
    """A call as one line, without the ids that differ each time; arguments by their value, not by their spaces."""
    name = ".".join(str(item[key]) for key in _NAMES if item.get(key))
    return " ".join([name, *(_spelt(item[key]) for key in _TEXT_KEYS if key in item)])


def _spelt(value: Any) -> str:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return str(value)
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _rounded(moment: float | None) -> float | None:
    return None if moment is None else round(moment, 3)
