"""Policy: the user's own rules, between normalised requests and the choice of an upstream. Without rules it is a bare relay."""

from __future__ import annotations

import asyncio
from datetime import datetime

from ..contract.body import Document
from ..contract.errors import SERVER_ERROR, Failure, HopError
from ..kit.client import HopClient
from ..kit.exchange import Exchange
from ..kit.stage import Context, Stage
from . import asking, engine
from .config import Ask, Config
from .effect import AnswerChange, Together
from .request import Request

_REPLY_LIMIT = 64 * 1024 * 1024


class Policy(Stage[Config]):
    config_type = Config

    def __init__(self, context: Context[Config]) -> None:
        super().__init__(context)
        self._services = HopClient(patience=0.0)

    async def close(self) -> None:
        await self._services.close()

    async def responses(self, exchange: Exchange) -> None:
        body = await exchange.body()
        if not self.context.config.rules:
            await self.context.next.relay(exchange, body)
            return
        headers = {name.lower(): value for name, value in exchange.headers.items()}
        request = Request(Document.parse(body), headers, datetime.now())
        changes = await self._apply(exchange, request)
        body = request.document.encode()
        if changes:
            together = Together(changes)
            try:
                await self.context.next.relay(exchange, body, change=together, change_whole=together.whole)
            finally:
                exchange.notes["rules"] = [*(exchange.notes["rules"] or []), *together.notes] or None
        else:
            await self.context.next.relay(exchange, body)

    compact = responses  # what the summary is made from is the same conversation

    async def _apply(self, exchange: Exchange, request: Request) -> list[AnswerChange]:
        changes: list[AnswerChange] = []
        exchange.notes["rules"] = notes = []
        for effect in engine.run(self.context.config.rules, request):
            if isinstance(effect, Ask):
                notes.append(await self._ask(effect, request))
                continue
            notes.append(effect.note)
            if effect.answer is not None:
                changes.append(effect.answer)
        exchange.notes["rules"] = [note for note in notes if note] or None
        return changes

    async def _ask(self, rule: Ask, request: Request) -> str | None:
        try:
            async with asyncio.timeout(rule.seconds):
                reply = asking.read(*await self._post(rule.url, asking.question(request)))
        except (TimeoutError, HopError, asking.ReplyError) as error:
            why = "did not answer in time" if isinstance(error, TimeoutError) else str(error)
            if rule.on_error == "allow":
                return f"ask: allowed, because {rule.url} {why}"
            sentence = f'the policy asks {rule.url}, which {why}; start it, or set on_error = "allow" in its rule'
            raise HopError(Failure(code=SERVER_ERROR, message=sentence, status=503)) from error
        return asking.obey(reply, request)

    async def _post(self, url: str, body: bytes) -> tuple[int, bytes]:
        async with self._services.open("POST", url, {"content-type": "application/json"}, body, who="the service") as reply:
            return reply.status, await reply.read(_REPLY_LIMIT)
