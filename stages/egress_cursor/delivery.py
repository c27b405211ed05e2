"""The answer to one exchange: a stream, a JSON object, or a compaction, which keeps what it is told to itself."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

from ..contract.errors import HopError
from ..contract.events import TERMINAL, Event
from ..contract.sse import encode_events
from ..kit.exchange import Exchange
from . import failures


class StalledError(HopError):
    """The client does not read. It cannot be told so, either."""


class Answer(Protocol):
    """Takes the events of one response, in batches."""

    @property
    def begun(self) -> bool:
        """Something is out, so that a failure has to be told in events."""
        ...

    async def send(self, events: list[Event]) -> None:
        """A terminal event is the last of its batch, and ends the answer."""
        ...


class Streamed:
    """Every batch of events is one write. A client that does not read for `stall_seconds` is given up."""

    def __init__(self, exchange: Exchange, stall_seconds: float) -> None:
        self._exchange = exchange
        self._stall_seconds = stall_seconds

    @property
    def begun(self) -> bool:
        return self._exchange.started

    async def send(self, events: list[Event]) -> None:
        if not events:
            return
        try:
            async with asyncio.timeout(self._stall_seconds):
                if not self._exchange.started:
                    await self._exchange.start()
                await self._exchange.write(encode_events(events))
        except TimeoutError:
            raise StalledError(failures.timeout("stall", self._stall_seconds)) from None
        if ended(events) is not None:
            await self._exchange.end()


class Whole:
    """One JSON object, when all is known."""

    begun = False

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    async def send(self, events: list[Event]) -> None:
        if (response := ended(events)) is not None:
            await self._exchange.reply(response)


class Kept:
    """Nothing goes out. `response` is the one of the terminal event."""

    begun = False

    def __init__(self) -> None:
        self.response: dict[str, Any] = {}

    async def send(self, events: list[Event]) -> None:
        self.response = ended(events) or self.response


class Overheard:
    """What the model says for ourselves, on the way to another answer, which begins as soon as the model does."""

    def __init__(self, answer: Answer, start: list[Event]) -> None:
        self._answer = answer
        self._start = start
        self.response: dict[str, Any] = {}

    @property
    def begun(self) -> bool:
        return self._answer.begun

    async def send(self, events: list[Event]) -> None:
        self.response = ended(events) or self.response
        if events:
            start, self._start = self._start, []
            await self._answer.send(start)


def ended(events: list[Event]) -> dict[str, Any] | None:
    """The response of the terminal event, which is the last one where it is there."""
    return events[-1]["response"] if events and events[-1]["type"] in TERMINAL else None
