"""What may be asked about requests while the chain runs: `traces` and `metrics`. Reads along with the log book.

{"command": "traces", "id": "last" | PREFIX}          → {"ok": true, "trace": {…}}
{"command": "traces", "latest": 20}                   → {"ok": true, "traces": [{…}, …]}, newest last
{"command": "traces", "latest": 20, "follow": true}   → {"trace": {…}} for each of those, and for each that ends from then on
{"command": "metrics"}                                → {"ok": true, "text": "…"}
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any

import msgspec

from ..control import Message
from ..control_server import Handler
from ..running.logbook import LogBook
from ..running.status import UP, StageStatus
from ..spec import ChainPlan
from . import line, trace
from .book import Record, TraceBook
from .meter import Meter
from .prometheus import render
from .trace import Trace

# Lines wait until somebody asks, or until they are so many: read one by one, each would find the caches cold.
MOST_WAITING = 256
# Stages write what they have gathered in 20 ms at once, so that the line of an inner hop may come behind the door's.
SETTLE_SECONDS = 0.15


class TraceAnswers:
    """`plan` and `statuses` are asked whenever they are needed: both change while a chain runs."""

    def __init__(self, logs: LogBook, plan: Callable[[], ChainPlan], statuses: Callable[[], Sequence[StageStatus]]) -> None:
        self._plan = plan
        self._statuses = statuses
        door = plan().chain[0].name
        self._book = TraceBook(door)
        self._meter = Meter(door)
        self._door = door
        self._waiting: list[tuple[str, str]] = []
        self._followers = 0
        self._ended = asyncio.Event()
        logs.listen(self._hear)

    def handlers(self) -> dict[str, Handler]:
        """By the name of the command."""
        return {"traces": self._traces, "metrics": self._metrics}

    def _hear(self, stage: str, text: str) -> None:
        if not line.may_tell(text):
            return
        self._waiting.append((stage, text))
        if self._followers and stage == self._door:
            self._ended.set()
        if len(self._waiting) >= MOST_WAITING:
            self._read()

    def _read(self) -> None:
        """What waits."""
        for stage, text in self._waiting:
            told = self._book.feed(stage, text)
            if told is not None:
                self._meter.feed(stage, told)
        self._waiting.clear()

    # -- answers ------------------------------------------------------------------------------------------------------

    async def _traces(self, request: Message) -> AsyncIterator[Message]:
        await asyncio.sleep(SETTLE_SECONDS)
        self._read()
        if request.get("follow"):
            async for message in self._follow(int(request.get("latest", 0))):
                yield message
        elif (wanted := request.get("id")) is not None:
            yield self._one(str(wanted))
        else:
            yield {"ok": True, "traces": [_plain(each) for each in self._latest(int(request.get("latest", 20)))]}

    async def _metrics(self, request: Message) -> AsyncIterator[Message]:
        self._read()
        statuses = self._statuses()
        up = {status.name: status.state in UP for status in statuses}
        yield {"ok": True, "text": render(self._meter, up, {status.name: status.restarts for status in statuses})}

    async def _follow(self, latest: int) -> AsyncIterator[Message]:
        told = self._book.turns
        for each in self._latest(latest):
            yield {"trace": _plain(each)}
        self._followers += 1
        try:
            while True:
                self._read()
                if (until := self._book.turns) == told:
                    self._ended.clear()
                    await self._ended.wait()
                    continue
                await asyncio.sleep(SETTLE_SECONDS)
                self._read()
                for each in self._built([record for record in self._book.complete() if told < record.turn <= until]):
                    yield {"trace": _plain(each)}
                told = until
        finally:
            self._followers -= 1

    def _one(self, wanted: str) -> Message:
        if wanted == "last":
            found = next(iter(self._built(list(self._book.complete())[-1:])), None)
            none = "no request has ended since the chain was started"
            return {"ok": True, "trace": _plain(found)} if found else {"ok": False, "error": none}
        found = self._book.find(wanted) if wanted else []
        ids = list(dict.fromkeys(record.request_id for record in found))
        if not ids:
            return {
                "ok": False,
                "error": f"no request `{wanted}` is among the last ones; `codex-shim pipeline trace --list` shows them",
            }
        if len(ids) > 1 and wanted not in ids:
            named = ", ".join(ids[:5])
            return {"ok": False, "error": f"`{wanted}` is the beginning of {len(ids)} requests; write more of it: {named}"}
        chosen = next(record for record in found if record.request_id == (wanted if wanted in ids else ids[0]))
        return {"ok": True, "trace": _plain(next(self._built([chosen])))}

    # -- traces -------------------------------------------------------------------------------------------------------

    def _latest(self, count: int) -> list[Trace]:
        return list(self._built(list(self._book.complete())[-count:] if count > 0 else []))

    def _built(self, records: Sequence[Record]) -> Iterator[Trace]:
        plan = self._plan()
        chain, egress = [spec.name for spec in plan.chain], {spec.name for spec in plan.egress}
        for record in records:
            built = trace.build(record.request_id, record.lines, chain, egress, turn=record.turn)
            if built is not None:
                yield built


def _plain(each: Trace) -> dict[str, Any]:
    return msgspec.to_builtins(each)
