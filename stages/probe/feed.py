"""Who watches, and what they are told. A watcher never slows the stream that it watches: what it does not take in time is left out
and counted.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

Record = dict[str, Any]

# How far a watcher may fall behind. A record of a request with its body counts as many bytes as that has.
MOST_RECORDS = 4096
MOST_BYTES = 64 * 1024 * 1024


class Watcher:
    """One reader of the feed; `bodies` and `events` say what it wants beside the heads of requests and answers."""

    def __init__(self, *, bodies: bool = False, events: bool = False) -> None:
        self.bodies = bodies
        self.events = events
        self._waiting: deque[tuple[Record, int]] = deque()
        self._bytes = 0
        self._dropped = 0
        self._wake = asyncio.Event()
        self._closed = False

    def offer(self, record: Record, size: int) -> None:
        """`size` is about how many bytes the record keeps in memory."""
        if len(self._waiting) >= MOST_RECORDS or (self._bytes + size > MOST_BYTES and self._waiting):
            self._dropped += 1
            return
        self._waiting.append((record, size))
        self._bytes += size
        self._wake.set()

    async def take(self) -> list[Record]:
        """What has come since the last time, as soon as there is something; empty at the end."""
        while not self._waiting and not self._closed:
            self._wake.clear()
            await self._wake.wait()
        records = [record for record, _ in self._waiting]
        self._waiting.clear()
        self._bytes = 0
        if self._dropped:
            records.append({"type": "dropped", "records": self._dropped})
            self._dropped = 0
        return records

    def close(self) -> None:
        """`take` gives out what is left, and then nothing."""
        self._closed = True
        self._wake.set()


class Feed:
    """All watchers of one probe."""

    def __init__(self) -> None:
        self._watchers: set[Watcher] = set()

    def __bool__(self) -> bool:
        """Whether anybody watches."""
        return bool(self._watchers)

    @property
    def wants_events(self) -> bool:
        return any(watcher.events for watcher in self._watchers)

    @property
    def wants_bodies(self) -> bool:
        return any(watcher.bodies for watcher in self._watchers)

    def join(self, watcher: Watcher) -> None:
        self._watchers.add(watcher)

    def leave(self, watcher: Watcher) -> None:
        self._watchers.discard(watcher)

    def close(self) -> None:
        for watcher in self._watchers:
            watcher.close()

    def tell(self, record: Record, *, body: str | None = None, event: bool = False) -> None:
        """`body` goes only to who asked for bodies, an `event` record only to who asked for events."""
        size = 512 + len(record.get("data", ""))
        for watcher in self._watchers:
            if event and not watcher.events:
                continue
            if body is not None and watcher.bodies:
                watcher.offer({**record, "body": body}, size + len(body))
            else:
                watcher.offer(record, size)
