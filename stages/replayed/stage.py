"""The recorded upstream: a server that speaks Responses and says what was said before."""

from __future__ import annotations

import asyncio
import time

from ..contract.body import Document
from ..contract.errors import refuse
from ..contract.headers import REQUEST_ID, forward_response
from ..contract.secret import REDACTED
from ..kit.exchange import Exchange
from ..kit.stage import Context, Stage
from .config import Config, Recorded
from .script import Script


class Replayed(Stage[Config]):
    config_type = Config

    def __init__(self, context: Context[Config]) -> None:
        super().__init__(context)
        self._script = Script([(each.path, each.body) for each in context.config.exchanges])

    async def responses(self, exchange: Exchange) -> None:
        body = await exchange.body()
        exchange.notes["model"] = Document.parse(body).get("model", str)
        choice = self._script.choose(exchange.path, body)
        if choice is None:
            raise refuse(_exhausted(len(self.context.config.exchanges)))
        exchange.notes |= {"recorded": choice.place + 1, "matched": "conversation" if choice.known else "order"}
        await self._say(exchange, self.context.config.exchanges[choice.place])

    compact = responses

    async def models(self, exchange: Exchange) -> None:
        data = [{"id": slug, "object": "model", "owned_by": "codex-shim"} for slug in self.context.config.models]
        await exchange.reply({"object": "list", "data": data, "models": []})

    async def _say(self, exchange: Exchange, recorded: Recorded) -> None:
        began = time.monotonic()
        await exchange.start(recorded.status, _headers(recorded))
        for offset, text in recorded.pieces:
            if self.context.config.pace:
                await asyncio.sleep(max(0.0, began + offset / 1000 - time.monotonic()))
            await exchange.write(text.encode())
        if recorded.whole:
            await exchange.end()
        else:
            exchange.abort()


def _headers(recorded: Recorded) -> dict[str, str]:
    kept = forward_response(recorded.headers.items())
    return {name: value for name, value in kept.items() if name not in (REQUEST_ID, "content-encoding") and REDACTED not in value}


def _exhausted(count: int) -> str:
    return (
        f"this conversation is not in the recording, and all of its answers ({count}) were played already; start "
        "`codex-shim replay --serve` anew, or record a session that goes on"
    )
