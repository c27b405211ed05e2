"""Export: follows the traces of the running chain and hands them to a collector, some at a time.

A collector that is away costs the chain nothing: what it does not take is dropped, counted, and told in the log once a minute at
most.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Any

import msgspec

from ..kit.stage import Context, Stage
from . import feed, spans
from .config import Config

if TYPE_CHECKING:
    from .exporter import Exporter

# Traces that wait for the collector. One is about ten spans.
MOST_WAITING = 1000
MOST_AT_ONCE = 50
GATHER_SECONDS = 0.5
# The orchestrator tells of a request a moment after its last line.
LAST_SECONDS = 0.5
TELL_SECONDS = 60.0


class Otel(Stage[Config]):
    config_type = Config

    def __init__(self, context: Context[Config]) -> None:
        super().__init__(context)
        self._waiting: asyncio.Queue[dict[str, Any]] = asyncio.Queue(MOST_WAITING)
        self._tasks: list[asyncio.Task[None]] = []
        self._exporter: Exporter | None = None
        self._lost = 0
        self._told = -TELL_SECONDS

    async def open(self) -> None:
        self._tasks = [asyncio.create_task(self._follow()), asyncio.create_task(self._send())]

    async def close(self) -> None:
        await asyncio.sleep(LAST_SECONDS)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        while batch := self._batch():
            await self._export(batch)
        if self._exporter is not None:
            await asyncio.to_thread(self._exporter.close)

    async def health(self) -> dict[str, Any]:
        return {"lost": self._lost}

    async def _follow(self) -> None:
        async for trace in feed.traces(self.context.config.control):
            if self._waiting.full():
                self._lose(1)
            else:
                self._waiting.put_nowait(trace)

    async def _send(self) -> None:
        while True:
            first = await self._waiting.get()
            await asyncio.sleep(GATHER_SECONDS)
            batch = [first, *self._batch()]
            with contextlib.suppress(Exception):  # what one batch is ill with, the next one need not have
                await asyncio.shield(self._export(batch))

    def _batch(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while not self._waiting.empty() and len(found) < MOST_AT_ONCE - 1:
            found.append(self._waiting.get_nowait())
        return found

    async def _export(self, batch: list[dict[str, Any]]) -> None:
        told = [span for each in batch for span in spans.of_trace(msgspec.convert(each, spans.Trace))]
        if not await asyncio.to_thread(self._export_now, told):
            self._lose(len(batch))

    def _export_now(self, told: list[spans.Span]) -> bool:
        """In a thread. The packages are loaded here, so that the start of the chain does not wait for them."""
        if self._exporter is None:
            from .exporter import Exporter

            self._exporter = Exporter(self.context.config.endpoint)
        return self._exporter.export(told)

    def _lose(self, count: int) -> None:
        self._lost += count
        if time.monotonic() - self._told >= TELL_SECONDS:
            self._told = time.monotonic()
            self.context.log.event("traces_lost", count=self._lost, why="the collector did not take them")
