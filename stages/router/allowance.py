"""The limits at work on requests: who may be asked, and what an answer has used."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from ..contract import spent
from ..contract.errors import HopError
from ..contract.spent import Spent
from ..kit.exchange import Exchange
from .config import Config
from .limits import Begun, Counters
from .tail import Tail

# As the policy's rules estimate it.
_BYTES_PER_TOKEN = 4


def _today() -> str:
    return datetime.now().date().isoformat()


class Allowance:
    """`clock` and `today` are replaced by tests."""

    def __init__(self, config: Config, clock: Callable[[], float] = time.monotonic, today: Callable[[], str] = _today) -> None:
        self._counters = Counters(config.limits, config.prices)
        self._spent = config.spent
        self._clock = clock
        self._today = today
        self._begun: dict[int, tuple[str, Begun]] = {}

    async def open_to(self, slugs: Sequence[str], project: str) -> list[str]:
        """Those that may be asked now. Raises `HopError` where none may: 429, or 402 where a budget is spent."""
        if not self._counters:
            return list(slugs)
        told = await self._told() if self._counters.wants_spent(slugs, project) else Spent()
        now, day = self._clock(), self._today()
        failures = {slug: self._counters.failure(slug, project, now, day, told) for slug in slugs}
        allowed = [slug for slug, failure in failures.items() if failure is None]
        refused = [failure for failure in failures.values() if failure is not None]
        if refused and not allowed:
            raise HopError(min(refused, key=lambda failure: failure.retry_after or float("inf")))
        return allowed

    def begin(self, exchange: Exchange, slug: str, project: str) -> None:
        """It is asked now."""
        if self._counters:
            tokens = exchange.bytes_in // _BYTES_PER_TOKEN
            self._begun[id(exchange)] = slug, self._counters.begin(slug, project, tokens, self._clock())

    @contextmanager
    def counting(self, exchange: Exchange, project: str) -> Iterator[None]:
        """Counts what the answer that goes out in the block has used, for the one who was asked last."""
        if not self._counters:
            yield
            return
        tail = Tail()
        exchange.heard = tail.feed
        try:
            yield
        finally:
            asked = self._begun.pop(id(exchange), None)
            used = tail.used() if asked is not None else None
            if asked is not None and used is not None:
                self._counters.end(asked[0], project, asked[1], used, self._today())

    async def _told(self) -> Spent:
        return spent.decode(await asyncio.to_thread(_content, self._spent)) if self._spent else Spent()


def _content(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""
