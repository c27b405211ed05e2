"""The report, for people and for programs. Pure: colours come in as a function."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any

import msgspec

from .check import Check, Status

Paint = Callable[[str, str], str]  # text, and one of `COLOURS` or "bold" → text for the terminal

COLOURS: dict[Status, str] = {"OK": "green", "WARN": "yellow", "FAIL": "red", "INFO": "blue"}
_INDENT = "        "


def healthy(checks: Sequence[Check]) -> bool:
    """A WARN is worth a look, only a FAIL is a failure."""
    return not any(check.status == "FAIL" for check in checks)


def as_json(checks: Sequence[Check]) -> dict[str, Any]:
    """`checks` as they are, `summary` with a count for each status in lowercase, `ok`."""
    return {"ok": healthy(checks), "summary": _counts(checks), "checks": msgspec.to_builtins(checks)}


def lines(checks: Sequence[Check], paint: Paint) -> Iterator[str]:
    """One block per section, the summary last."""
    for section, found in groupby(checks, key=lambda check: check.section):
        yield paint(section, "bold")
        for check in found:
            yield from _lines_of(check, paint)
    counts = ", ".join(f"{number} {name}" for name, number in _counts(checks).items())
    word: Status = "OK" if healthy(checks) else "FAIL"
    yield paint("Summary", "bold")
    yield f"  {_mark(word, paint)}  {counts}"


def _lines_of(check: Check, paint: Paint) -> Iterator[str]:
    yield f"  {_mark(check.status, paint)}  {check.message}"
    for detail in check.details:
        yield _INDENT + detail
    if check.remedy:
        yield f"{_INDENT}→ {check.remedy}"


def _mark(status: Status, paint: Paint) -> str:
    return paint(f"{status:<4}", COLOURS[status])


def _counts(checks: Sequence[Check]) -> dict[str, int]:
    found = Counter(check.status for check in checks)
    return {status.lower(): found[status] for status in COLOURS}
