"""The scripted next hop: it keeps what it is sent and answers as the running check wants it to."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

import msgspec

from ...contract.events import Event
from ...contract.handshake import Handshake
from ...contract.sse import encode_event, encode_events
from ..exchange import Exchange
from ..logs import Log
from ..server import BACKLOG, StageServer
from ..stage import Context, Stage
from . import samples
from .subject import HOST

Part = Callable[[Exchange, "Received"], Awaitable[None]]


class Received(msgspec.Struct, frozen=True):
    """One request as it arrived. Header names are in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return msgspec.json.decode(self.body)


class ScriptedHop(Stage[dict[str, Any]]):
    """`part` answers each request; a check sets its own. Whoever calls is let in: the token is for a check to judge."""

    def __init__(self, context: Context[dict[str, Any]]) -> None:
        super().__init__(context)
        self.received: list[Received] = []
        self.part: Part = say_hello

    def admit(self, exchange: Exchange) -> None:
        exchange.request_id = exchange.headers.get("x-request-id", "")

    async def responses(self, exchange: Exchange) -> None:
        headers = {name.lower(): value for name, value in exchange.headers.items()}
        received = Received(exchange.path, headers, await exchange.body())
        self.received.append(received)
        await self.part(exchange, received)

    compact = responses

    async def models(self, exchange: Exchange) -> None:
        row = {"id": "conformance", "object": "model", "created": 1_735_689_600, "owned_by": "conformance"}
        await exchange.reply({"object": "list", "data": [row], "models": []})


@asynccontextmanager
async def listening(port: int) -> AsyncIterator[ScriptedHop]:
    """Serve on a port of our choice; nothing is logged."""
    with socket.create_server((HOST, port), backlog=BACKLOG) as on:
        handshake = Handshake(stage="next", host=HOST, port=port, drain_seconds=0.1)
        hop = ScriptedHop(Context(handshake, {}, Log("next", _nowhere())))
        server = StageServer(hop)
        await server.start(on)
        try:
            yield hop
        finally:
            await server.stop()


@cache
def _nowhere() -> int:
    """Never closed: a line that comes late must not be written into what has got the number since."""
    return os.open(os.devnull, os.O_WRONLY)


async def say_hello(exchange: Exchange, received: Received) -> None:
    await stream(exchange, samples.answer("conformance", ["Hel", "lo."]))


def one_by_one(events: list[Event], gate: Callable[[int], Awaitable[None]]) -> Part:
    """A stream that waits before each event until the check lets it go on."""

    async def part(exchange: Exchange, received: Received) -> None:
        await exchange.start()
        for place, event in enumerate(events):
            await gate(place)
            await exchange.write(encode_event(event))
        await exchange.end()

    return part


def silence(cancelled: asyncio.Future[float], first: Event | None, under_way: asyncio.Event) -> Part:
    """Say one event, or nothing at all, and then wait until the caller goes away; `cancelled` is told when that was."""

    async def part(exchange: Exchange, received: Received) -> None:
        under_way.set()
        if first is not None:
            await exchange.start()
            await exchange.write(encode_event(first))
        try:
            await asyncio.Event().wait()
        finally:
            if not cancelled.done():
                cancelled.set_result(asyncio.get_running_loop().time())

    return part


async def stream(exchange: Exchange, events: list[Event]) -> None:
    await exchange.start()
    await exchange.write(encode_events(events))
    await exchange.end()
