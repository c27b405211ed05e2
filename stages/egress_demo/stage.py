"""The demo egress: an upstream of our own, offline, for the first turn of a newcomer and for every test that needs no provider."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator
from typing import Any

import msgspec

from ..contract import summary
from ..contract.body import decode_object
from ..contract.events import Event, ResponseBuilder, Usage, random_id
from ..contract.sse import encode_events
from ..kit.exchange import Exchange
from ..kit.stage import Stage
from .config import Config
from .script import Call, Step, plan, recap

SLUG = "demo"
_WORD = re.compile(r"\s*\S+\s*")


class EgressDemo(Stage[Config]):
    config_type = Config

    async def responses(self, exchange: Exchange) -> None:
        body = decode_object(await exchange.body())
        exchange.notes |= {"model": body.get("model"), "upstream": SLUG}
        builder = ResponseBuilder(str(body.get("model") or SLUG), int(time.time()))
        usage = Usage(input=len(msgspec.json.encode(body)) // 4, output=40)
        exchange.notes["usage"] = usage.wire()
        turns = iter([_compacted(builder, body, usage)]) if summary.is_asked(body) else _events(builder, plan(body), usage)
        if body.get("stream"):
            await self._stream(exchange, turns)
        else:
            await exchange.reply([event for events in turns for event in events][-1]["response"])

    async def compact(self, exchange: Exchange) -> None:
        body = decode_object(await exchange.body())
        builder = ResponseBuilder(str(body.get("model") or SLUG), int(time.time()))
        response = _compacted(builder, body, Usage(input=len(msgspec.json.encode(body)) // 4, output=40))[-1]["response"]
        kept = {name: response[name] for name in ("id", "created_at", "output", "usage")}
        await exchange.reply({**kept, "object": "response.compaction"})

    async def models(self, exchange: Exchange) -> None:
        await exchange.reply({"object": "list", "data": [{"id": SLUG, "object": "model", "owned_by": "codex-shim"}], "models": []})

    async def _stream(self, exchange: Exchange, turns: Iterator[list[Event]]) -> None:
        await exchange.start()
        for events in turns:
            if exchange.bytes_out:
                await asyncio.sleep(self.context.config.word_seconds)
            await exchange.write(encode_events(events))
        await exchange.end()


def _compacted(builder: ResponseBuilder, body: dict[str, Any], usage: Usage) -> list[Event]:
    item = summary.item(recap(body), random_id("cmp"))
    return [*builder.start(), *builder.item(item), *builder.complete(usage)]


def _events(builder: ResponseBuilder, steps: list[Step], usage: Usage) -> Iterator[list[Event]]:
    """What is sent at once, in order: one list per word."""
    yield builder.start()
    for step in steps:
        if isinstance(step, Call):
            yield [*builder.call(step.kind, step.call_id, step.name), *builder.call_delta(step.arguments)]
            yield builder.end_call(step.arguments)
        else:
            for word in _WORD.findall(step.text):
                yield builder.text(word)
    yield builder.complete(usage)
