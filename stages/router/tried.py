"""What is told when nobody has answered: who was tried, why it did not work, and the last one's own words. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from ..contract.errors import Failure
from .reasons import Reason


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """`reason` is None for a failure that every member would have met. `paused` tells that it was not asked this time, because of
    how it failed before."""

    member: str
    reason: Reason | None
    failure: Failure
    paused: bool = False

    @property
    def note(self) -> str:
        """For the log."""
        return f"{self.member}: {self.reason.name if self.reason else 'refused'}{' (paused)' if self.paused else ''}"


def failure_of(slug: str, tried: Sequence[Tried]) -> Failure:
    """One failure for all of them. Its status is what the client can do most with: a limit that ends soonest, else what passes,
    else what the last one said; but what everybody would refuse is that."""
    last = next((each for each in reversed(tried) if not each.paused), tried[-1])
    if len(tried) == 1 and not last.paused:
        return last.failure
    best = _best(tried, last)
    wait = best.failure.retry_after
    return msgspec.structs.replace(
        best.failure, message=_sentence(slug, tried, last), retry_after=None if wait is None else float(math.ceil(wait))
    )


def _best(tried: Sequence[Tried], last: Tried) -> Tried:
    if last.reason is None:
        return last
    limited = [each for each in tried if each.failure.status == 429 and each.failure.retry_after is not None]
    if limited:
        return min(limited, key=lambda each: each.failure.retry_after or 0)
    if last.reason.lasting:
        return next((each for each in tried if each.reason is not None and not each.reason.lasting), last)
    return last


def _sentence(slug: str, tried: Sequence[Tried], last: Tried) -> str:
    others = [_clause(each) for each in tried if each is not last]
    said = f"`{last.member}` says: {last.failure.message}"
    return f"nobody could answer for `{slug}`: {'; '.join([*others, said])}"


def _clause(tried: Tried) -> str:
    words = tried.reason.words if tried.reason else "refuses the request"
    pause = ", is not asked for the moment," if tried.paused else ""
    return f"`{tried.member}`{pause} {words} (HTTP {tried.failure.status})"
