"""Egress to one provider over HTTP: translates a Responses request into the provider's dialect and its stream back.

This process is the only one that holds the provider's key, and it runs no code of the user's.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from typing import Any, TypeVar

import msgspec

from ..contract import compaction, summary
from ..contract.body import decode_object
from ..contract.errors import MODEL_NOT_FOUND, HopError, refuse
from ..contract.events import Event, ResponseBuilder
from ..contract.sse import encode_event
from ..kit.exchange import Exchange
from ..kit.stage import Context, Stage
from .config import Config, Model
from .dialects import CHATGPT, DIALECTS
from .dialects.base import UNVERIFIED, Dialect, NativeCompaction, Outgoing, Output, Passed, Prepared, Target, last_event
from .learning import Learning
from .passing import from_codex
from .summarise import summarise
from .upstream import Upstream

Sent = TypeVar("Sent", bound=Outgoing)


class EgressHttp(Stage[Config]):
    config_type = Config

    def __init__(self, context: Context[Config]) -> None:
        super().__init__(context)
        self._dialect: Dialect = CHATGPT if context.config.login else DIALECTS[context.config.dialect]
        self._upstream = Upstream(context.config, self._dialect)
        self._learning = Learning()

    async def close(self) -> None:
        await self._upstream.close()

    async def responses(self, exchange: Exchange) -> None:
        raw = await exchange.body()
        body = decode_object(raw)
        builder = _builder_for(body)
        stream = bool(body.get("stream"))
        summing = summary.is_asked(body) and not isinstance(self._dialect, NativeCompaction)
        answer = self._summary(exchange, body, builder) if summing else self._ask(exchange, body, raw, builder)
        terminal: Event = {}
        async for outputs in answer:
            if stream:
                await _send(exchange, outputs)
            terminal = last_event(outputs) or terminal
        await self._end(exchange, terminal, stream)

    async def compact(self, exchange: Exchange) -> None:
        raw = await exchange.body()
        body = decode_object(raw)
        if isinstance(self._dialect, NativeCompaction):
            await self._compact_natively(exchange, body, raw, self._dialect)
            return
        terminal: Event = {}
        async for outputs in self._summary(exchange, body, _builder_for(body)):
            terminal = last_event(outputs) or terminal
        if (failure := compaction.read(terminal["response"]).failure) is not None:
            raise HopError(failure)
        await exchange.reply(compaction.answer(terminal["response"]))

    async def models(self, exchange: Exchange) -> None:
        data = [{"id": slug, "object": "model", "owned_by": self._upstream.who} for slug in self.context.config.models]
        await exchange.reply({"object": "list", "data": data, "models": []})

    def _summary(self, exchange: Exchange, body: dict[str, Any], builder: ResponseBuilder) -> AsyncIterator[Sequence[Output]]:
        question = compaction.request(body)
        raw = msgspec.json.encode(question)
        return summarise(lambda: self._ask(exchange, question, raw, _builder_for(body)), builder)

    async def _compact_natively(self, exchange: Exchange, body: dict[str, Any], raw: bytes, dialect: NativeCompaction) -> None:
        expanded, raw = _expanded(body, raw)
        slug = str(body.get("model") or "")
        outgoing = dialect.prepare_compaction(expanded, self._target(exchange, slug), raw=raw)
        exchange.notes["left_out"] = outgoing.notes or None
        try:
            answer = await self._upstream.whole(outgoing, exchange.headers, exchange.answer_headers, exchange.timing)
        except HopError as error:
            outgoing = _second(exchange, outgoing, error)
            answer = await self._upstream.whole(outgoing, exchange.headers, exchange.answer_headers, exchange.timing)
        await exchange.reply(answer)

    def _ask(
        self, exchange: Exchange, body: dict[str, Any], raw: bytes, builder: ResponseBuilder
    ) -> AsyncIterator[Sequence[Output]]:
        """One exchange with the upstream. Raises `HopError` where the request cannot be said in its language."""
        expanded, raw = _expanded(body, raw)
        slug = str(body.get("model") or "")
        prepared = self._learning.taught(slug, self._dialect.prepare(expanded, self._target(exchange, slug), builder, raw=raw))
        exchange.notes["left_out"] = prepared.notes or None
        if prepared.second is not None:
            return self._ask_twice(exchange, prepared, builder)

        def send(prepared: Prepared) -> AsyncIterator[Sequence[Output]]:
            return self._events(exchange, prepared, builder)

        def learned(notes: list[str]) -> None:
            exchange.notes["left_out"] = notes
            exchange.timing.again(notes[-1] if notes else "another form of it")

        return self._learning.ask(slug, prepared, send, learned)

    def _events(self, exchange: Exchange, prepared: Prepared, builder: ResponseBuilder) -> AsyncIterator[Sequence[Output]]:
        return self._upstream.events(prepared, builder, exchange.headers, exchange.answer_headers, exchange.timing)

    async def _ask_twice(self, exchange: Exchange, prepared: Prepared, builder: ResponseBuilder) -> AsyncIterator[Sequence[Output]]:
        """The answer, or else the one to what can be sent instead. A `HopError` comes before the first list, or not at all."""
        try:
            async for outputs in self._events(exchange, prepared, builder):
                yield outputs
        except HopError as error:
            prepared = _second(exchange, prepared, error)
        else:
            return
        async for outputs in self._events(exchange, prepared, builder):
            yield outputs

    def _row(self, slug: str) -> Model:
        row = self.context.config.models.get(slug)
        if row is None:
            raise refuse(f"{self._upstream.who} serves no model named `{slug}`", status=404, code=MODEL_NOT_FOUND, param="model")
        return row

    def _target(self, exchange: Exchange, slug: str) -> Target:
        row = self._row(slug)
        dialect = "responses" if self.context.config.login else self.context.config.dialect
        exchange.notes |= {"model": slug, "upstream": self._upstream.who, "upstream_model": row.model, "dialect": dialect}
        return Target(
            model=row.model,
            provider=self.context.config.provider,
            host=self._upstream.who,
            max_output_tokens=row.max_output_tokens,
            images=row.images,
            quirks=row.quirks,
            from_codex=from_codex(exchange.headers),
        )

    async def _end(self, exchange: Exchange, terminal: Event, stream: bool) -> None:
        response = terminal["response"]
        exchange.notes |= {"ended": terminal["type"], "usage": response.get("usage"), "error": response.get("error")}
        if stream:
            await exchange.end()
        else:
            await exchange.reply(response)


def _expanded(body: dict[str, Any], raw: bytes) -> tuple[dict[str, Any], bytes]:
    """With summaries of ours in words, and the bytes for it."""
    expanded = compaction.expand(body)
    return expanded, raw if expanded is body else msgspec.json.encode(expanded)


def _second(exchange: Exchange, outgoing: Sent, error: HopError) -> Sent:
    """The request without what the upstream could not verify. Raises `error` where that was not the reason, or nothing is left."""
    second = outgoing.second if error.failure.code == UNVERIFIED else None
    payload = second.payload() if second else None
    if second is None or payload is None:
        raise error
    exchange.notes["left_out"] = [*outgoing.notes, second.note]
    exchange.timing.again(second.note)
    return msgspec.structs.replace(outgoing, payload=payload)


def _builder_for(body: dict[str, Any]) -> ResponseBuilder:
    return ResponseBuilder(str(body.get("model") or ""), int(time.time()))


async def _send(exchange: Exchange, outputs: Sequence[Output]) -> None:
    """Events of one read go out in one write."""
    if not exchange.started:
        await exchange.start()
    if outputs:
        await exchange.write(b"".join([each.data if isinstance(each, Passed) else encode_event(each) for each in outputs]))
