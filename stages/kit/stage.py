"""What a stage is to the kit: an object with one method per thing the contract asks of a hop.

The base class is a complete stage: a relay. A stage overrides what it wants to do otherwise, usually `responses`.

Lifecycle: `__init__` (no I/O) → `open()` → requests → `close()`. `close` is called once, also where `open` failed, and after the
last request has ended or the drain time is over.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Generic, TypeVar

from ..contract.errors import AUTHENTICATION, Failure, refuse
from ..contract.handshake import Handshake
from ..contract.headers import bearer
from .client import HopClient
from .exchange import Exchange
from .logs import Log
from .relay import NextHop

C = TypeVar("C")
# Answers one exchange.
Route = Callable[[Exchange], Awaitable[None]]


class Context(Generic[C]):
    """What a stage is given: its configuration, its log, and the way to the next hop."""

    def __init__(self, handshake: Handshake, config: C, log: Log) -> None:
        self.handshake = handshake
        self.config = config
        self.log = log
        self.client = HopClient()
        self.next = NextHop(self.client, handshake.next or "", handshake.hop_token, handshake.next_name)


class Stage(Generic[C]):
    """A relay; override to do more. `config_type` is the msgspec struct that the stage's table is decoded into."""

    config_type: Any = dict

    def __init__(self, context: Context[C]) -> None:
        self.context = context

    async def open(self) -> None:
        """Before the first request."""

    async def close(self) -> None:
        """After the last one."""

    def admit(self, exchange: Exchange) -> None:
        """Raise `HopError` where this caller has no business here: by default, without this run's hop token."""
        expected = self.context.handshake.hop_token
        given = bearer(exchange.headers) or ""
        if expected and exchange.path != "/health" and not hmac.compare_digest(given.encode(), expected.reveal().encode()):
            raise refuse(
                f"{self.context.handshake.stage} was called without this run's hop token; if an outside proxy stands in front "
                "of it, let the Authorization header pass",
                status=401,
                code=AUTHENTICATION,
            )

    def draining(self) -> None:
        """Nothing new is let in from here on. End what would never end by itself; everything else is waited for."""

    def routes(self) -> Mapping[tuple[str, str], Route]:
        """What this stage answers beside the contract's paths: by method and path."""
        return {}

    async def responses(self, exchange: Exchange) -> None:
        """`POST /v1/responses`."""
        await self.forward(exchange)

    async def compact(self, exchange: Exchange) -> None:
        """`POST /v1/responses/compact`."""
        await self.forward(exchange)

    async def models(self, exchange: Exchange) -> None:
        """`GET /v1/models`."""
        await self.forward(exchange)

    async def fail(self, exchange: Exchange, failure: Failure) -> None:
        """Answer with a failure. Nothing of an answer is out yet."""
        headers = {"retry-after": f"{failure.retry_after:.0f}"} if failure.retry_after is not None else None
        await exchange.reply(failure.body(exchange.request_id), failure.status, headers)

    async def health(self) -> dict[str, Any]:
        """What `GET /health` adds to `ok` and `stage`."""
        return {}

    async def forward(self, exchange: Exchange) -> None:
        """Send the exchange on unchanged."""
        if self.context.handshake.next is None:
            raise refuse(f"{self.context.handshake.stage} is the last stage and has nowhere to send this", status=404)
        await self.context.next.relay(exchange, await exchange.body() or None)
