"""Checks and what comes of them: data, and the one exception by which a check fails."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Literal, NamedTuple

import msgspec

Need = Literal["next", "process", "token"]


class BrokenError(Exception):
    """The contract is broken. The message says what was expected and what was seen."""


class Check(NamedTuple):
    """`run` is given the bench and raises `BrokenError`. `needs` is what must be at hand for it to mean anything."""

    name: str
    proves: str
    run: Callable[[Any], Awaitable[None]]
    needs: frozenset[Need] = frozenset({"next"})


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """`sentence` is empty for what passed, the reason for what was skipped, expected and seen for what failed."""

    check: str
    proves: str
    verdict: Literal["pass", "fail", "skip"]
    sentence: str = ""


def expect(truth: object, sentence: str) -> None:
    if not truth:
        raise BrokenError(sentence)


def expect_none(fault: str | None) -> None:
    """Judges return what is wrong, or None."""
    if fault is not None:
        raise BrokenError(fault)
