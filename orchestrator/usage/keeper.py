"""Counts what a running chain uses, and keeps it. Nobody waits for it; a file that cannot be used is told once and hurts nobody."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from codex_shim.stages.contract import spent
from codex_shim.stages.contract.price import Price

from ..home import write_private
from ..running.logbook import LogBook
from ..traces import line
from .store import Store, StoreError
from .tally import Counts, Key, Row, Tally

# Lines are counted together so many seconds after the first, or as soon as they are so many.
SECONDS = 2.0
# Stages write what they have gathered in 20 ms; a router that was killed writes nothing.
WAIT_SECONDS = 10.0
MOST_LINES = 2000
# Of counts that could not be written yet. It takes days of a broken file to get there.
MOST_UNWRITTEN = 5000


def day_of(moment: float) -> str:
    """By the clock of this machine."""
    return datetime.fromtimestamp(moment).date().isoformat()


class Keeper:
    """`prices` are asked for each time, for they change with the files; `published` is the file of contract/spent.py; `tell` gets a
    sentence where the store cannot be used. Close it when no stage logs any more."""

    def __init__(
        self,
        store: Store,
        logs: LogBook,
        prices: Callable[[], Mapping[str, Price]],
        published: Path,
        tell: Callable[[str], None],
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._prices = prices
        self._published = published
        self._tell = tell
        self._clock = clock
        self._tally = Tally(day_of)
        self._unwritten: dict[Key, Counts] = {}
        self._lines: list[str] = []
        self._some = asyncio.Event()
        self._many = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()
        self._busy = threading.Lock()
        self._told = False
        self._end = logs.listen(self._hear)

    async def run(self) -> None:
        """Until it is cancelled."""
        await self.settle()
        while True:
            await self._some.wait()
            self._some.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(SECONDS):
                    await self._many.wait()
            self._many.clear()
            await self.settle()

    async def settle(self, *, last: bool = False) -> None:
        """Count what was logged until now, and write it; `last` also what still waits for its router's line."""
        async with self._one_at_a_time:
            lines, self._lines = self._lines, []
            await asyncio.to_thread(self._work, lines, last)
            if self._tally.waits or self._unwritten:
                self._some.set()

    async def since(self, day: str) -> list[Row]:
        """What was counted from that day on. Raises `StoreError`."""
        await self.settle()
        if not self._store.exists:
            return []
        async with self._one_at_a_time:
            return await asyncio.to_thread(self._store.since, day)

    async def close(self) -> None:
        self._end()
        await self.settle(last=True)
        self._store.close()

    def _hear(self, stage: str, text: str) -> None:
        if line.may_tell(text):
            self._lines.append(text)
            self._some.set()
            if len(self._lines) >= MOST_LINES:
                self._many.set()

    def _work(self, lines: list[str], last: bool) -> None:
        """In a thread. One that nobody waits for any more may still be at it."""
        with self._busy:
            self._count(lines, last)

    def _count(self, lines: list[str], last: bool) -> None:
        for text in lines:
            if (told := line.read(text)) is not None:
                self._tally.feed(told)
        until = float("inf") if last else self._clock() - WAIT_SECONDS
        for key, counts in self._tally.take(self._prices(), until).items():
            if key in self._unwritten or len(self._unwritten) < MOST_UNWRITTEN:
                self._unwritten.setdefault(key, Counts()).add(counts)
        try:
            self._write(day_of(self._clock()))
            self._told = False
        except (StoreError, OSError) as error:
            if not self._told:
                self._tell(f"usage is not kept: {error}")
            self._told = True

    def _write(self, today: str) -> None:
        if not self._unwritten and not self._store.exists:
            return
        self._store.add(self._unwritten, today)
        self._unwritten = {}
        rows = [row for row in self._store.since(today) if row.day == today]
        items = [spent.Item(row.slug, row.project, row.counts.dollars) for row in rows]
        write_private(self._published, spent.encode(today, items))
