"""Probe: a relay of bytes between two stages, put there for whoever wants to see what crosses the hop.

Without a watcher and without a check it does what a bare relay does and nothing more.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Mapping

from ..contract.check.digest import Hasher
from ..contract.errors import AUTHENTICATION, HopError, refuse
from ..contract.headers import bearer, forward_response
from ..kit.exchange import Exchange
from ..kit.stage import Context, Route, Stage
from .checking import Checking, is_judged
from .config import Config
from .feed import Feed, Watcher
from .records import Telling, lines
from .report import Report

WATCH = "/watch"
# Beyond this, a search for keys is work for a thread: the loop has streams to serve.
_QUICK_BYTES = 256 * 1024


class Probe(Stage[Config]):
    config_type = Config

    def __init__(self, context: Context[Config]) -> None:
        super().__init__(context)
        self._feed = Feed()
        token = context.handshake.hop_token
        self._hasher = Hasher(token.reveal() if token else "")

    def admit(self, exchange: Exchange) -> None:
        if exchange.path != WATCH:
            super().admit(exchange)
            return
        expected, given = self.context.config.watch_token, bearer(exchange.headers) or ""
        if not expected or not hmac.compare_digest(given.encode(), expected.encode()):
            raise refuse("only who has this probe's own token may watch", status=401, code=AUTHENTICATION)

    def routes(self) -> Mapping[tuple[str, str], Route]:
        return {("GET", WATCH): self._watch}

    def draining(self) -> None:
        """Watchers would stay for ever."""
        self._feed.close()

    async def forward(self, exchange: Exchange) -> None:
        """Every exchange, whatever its path. Who begins to watch now hears of those that come from now on."""
        checks = self.context.config.check != "off" and is_judged(exchange)
        if checks or self._feed:
            await self._seen(exchange, checks)
        else:
            await super().forward(exchange)

    async def _seen(self, exchange: Exchange, checks: bool) -> None:
        body = await exchange.body()
        telling = Telling(self._feed, self.context.config.hop, exchange, body)
        checking = self._checking(exchange, telling) if checks else None
        outcome = "cancelled"
        try:
            await self._relay(exchange, body, telling, checking)
            outcome = "ok"
        except HopError as error:
            outcome = error.failure.code
            raise
        finally:
            outcome = "ok" if exchange.ended else outcome
            if checking is not None:
                await checking.ended(outcome)
            telling.ended(outcome)

    async def _relay(self, exchange: Exchange, body: bytes, telling: Telling, checking: Checking | None) -> None:
        if checking is not None:
            await checking.request(body)
        async with self.context.next.open(exchange, body or None) as reply:
            telling.answered(reply.status, reply.headers)
            whole = await checking.answered(reply) if checking is not None else None
            await exchange.start(reply.status, forward_response(reply.headers.items()))
            if whole is not None:
                telling.chunk(whole)
                await exchange.write(whole)
            else:
                async for chunk in checking.chunks(reply) if checking is not None else reply.chunks():
                    telling.chunk(chunk)
                    await exchange.write(chunk)
            await exchange.end()

    def _checking(self, exchange: Exchange, telling: Telling) -> Checking:
        config = self.context.config
        report = Report(config.hop, exchange, self.context.log, self._hasher)
        return Checking(config, exchange, report, self._hasher, lambda violation: telling.violation(*violation))

    async def _watch(self, exchange: Exchange) -> None:
        """`GET /watch?bodies=1&events=1`: records as lines of JSON, until the watcher goes or this probe is stopped."""
        exchange.quiet = True
        watcher = Watcher(bodies=exchange.query.get("bodies") == "1", events=exchange.query.get("events") == "1")
        self._feed.join(watcher)
        try:
            await exchange.start(200, {"content-type": "application/x-ndjson", "cache-control": "no-store"})
            while records := await watcher.take():
                large = sum(len(record.get("body", "")) + len(record.get("data", "")) for record in records) > _QUICK_BYTES
                await exchange.write(await asyncio.to_thread(lines, records) if large else lines(records))
            await exchange.end()
        finally:
            self._feed.leave(watcher)
