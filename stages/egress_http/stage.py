"""Egress to one provider over HTTP: translates a Responses request into the provider's dialect and its stream back.

This process is the only one that holds the provider's key, and it runs no code of the user's.
"""

from __future__ import annotations

import time
from typing import Any

import msgspec

from ..contract.errors import MODEL_NOT_FOUND, refuse
from ..contract.events import ResponseBuilder
from ..contract.sse import encode_events
from ..kit.exchange import Exchange
from ..kit.stage import Context, Stage
from .config import Config, Model
from .dialects import DIALECTS
from .dialects.base import Target
from .upstream import Upstream


class EgressHttp(Stage[Config]):
    config_type = Config

    def __init__(self, context: Context[Config]) -> None:
        super().__init__(context)
        self._dialect = DIALECTS[context.config.dialect]
        self._upstream = Upstream(context.config, self._dialect)

    async def close(self) -> None:
        await self._upstream.close()

    async def responses(self, exchange: Exchange) -> None:
        raw = await exchange.body()
        body: dict[str, Any] = msgspec.json.decode(raw)
        slug = str(body.get("model") or "")
        builder = ResponseBuilder(slug, int(time.time()))
        prepared = self._dialect.prepare(body, self._target(slug), builder, raw=raw)
        exchange.notes |= {"model": slug, "left_out": prepared.notes or None}
        stream = bool(body.get("stream"))
        latest: dict[str, Any] = {}
        async for events in self._upstream.events(prepared, builder):
            latest = events[-1]
            if stream:
                if not exchange.started:
                    await exchange.start()
                await exchange.write(encode_events(events))
        await self._end(exchange, latest, stream)

    async def compact(self, exchange: Exchange) -> None:
        raise refuse("this egress does not compact conversations", status=501)

    async def models(self, exchange: Exchange) -> None:
        data = [{"id": slug, "object": "model", "owned_by": self._upstream.who} for slug in self.context.config.models]
        await exchange.reply({"object": "list", "data": data, "models": []})

    def _row(self, slug: str) -> Model:
        row = self.context.config.models.get(slug)
        if row is None:
            raise refuse(f"{self._upstream.who} serves no model named `{slug}`", status=404, code=MODEL_NOT_FOUND, param="model")
        return row

    def _target(self, slug: str) -> Target:
        row = self._row(slug)
        return Target(
            model=row.model, provider=self.context.config.provider, max_output_tokens=row.max_output_tokens, images=row.images
        )

    async def _end(self, exchange: Exchange, terminal: dict[str, Any], stream: bool) -> None:
        response = terminal["response"]
        exchange.notes |= {"ended": terminal["type"], "usage": response.get("usage"), "error": response.get("error")}
        if stream:
            await exchange.end()
        else:
            await exchange.reply(response)
