"""What may be asked of a running chain's usage: what the picker page shows of it.

{"command": "usage"}  → {"ok": true, "today": PART, "week": PART}; a PART is {"total": COUNTS, "models": [{"slug", …COUNTS}]}

COUNTS are those of tally.py, and `cost` in words.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from datetime import date, timedelta
from typing import Any

import msgspec

from ..control import Message
from ..control_server import Handler
from . import summary
from .keeper import Keeper, day_of
from .store import StoreError
from .tally import Counts, Row

WEEK_DAYS = 7


class UsageAnswers:
    """`keeper` is None where pipeline.toml says that nothing is kept."""

    def __init__(self, keeper: Keeper | None, clock: Callable[[], float]) -> None:
        self._keeper = keeper
        self._clock = clock

    def handlers(self) -> dict[str, Handler]:
        """By the name of the command."""
        return {"usage": self._usage}

    async def _usage(self, request: Message) -> AsyncIterator[Message]:
        today = day_of(self._clock())
        first = date.fromisoformat(today) - timedelta(days=WEEK_DAYS - 1)
        if self._keeper is None:
            yield {"ok": False, "error": "usage is not kept: pipeline.toml says `usage_days = 0`", "status": 404}
            return
        try:
            rows = await self._keeper.since(first.isoformat())
        except StoreError as error:
            yield {"ok": False, "error": str(error), "status": 503}
            return
        yield {"ok": True, "today": _part(row for row in rows if row.day == today), "week": _part(rows)}


def _part(rows: Iterable[Row]) -> dict[str, Any]:
    rows = list(rows)
    models = [{"slug": slug, **_counts(counts)} for slug, counts in summary.grouped(rows, "slug")]
    return {"total": _counts(summary.total(rows)), "models": models}


def _counts(counts: Counts) -> dict[str, Any]:
    return {**msgspec.to_builtins(counts), "cost": summary.cost(counts)}
