"""Policy: the user's own rules, between normalised requests and the choice of an upstream. Without rules it is a bare relay."""

from __future__ import annotations

from ..contract.body import Document
from ..kit.exchange import Exchange
from ..kit.stage import Stage
from .config import Config
from .rules import apply


class Policy(Stage[Config]):
    config_type = Config

    async def responses(self, exchange: Exchange) -> None:
        body = await exchange.body()
        if rules := self.context.config.rules:
            document = Document.parse(body)
            exchange.notes["rules"] = apply(rules, document)
            body = document.encode()
        await self.context.next.relay(exchange, body)

    compact = responses  # what the summary is made from is the same conversation
