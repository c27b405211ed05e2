"""Router: reads the slug, sends the exchange to the egress that serves it, and knows the catalog."""

from __future__ import annotations

from ..contract.body import Document
from ..contract.errors import refuse
from ..kit.exchange import Exchange
from ..kit.stage import Stage
from .config import Config
from .route import listing, resolve

# OpenAI's list wants a date for each model. Nobody reads it; one that never changes keeps answers comparable.
_CREATED = 1735689600


class Router(Stage[Config]):
    config_type = Config

    async def responses(self, exchange: Exchange) -> None:
        document = Document.parse(await exchange.body())
        asked = document.get("model", str)
        if not asked:
            raise refuse("`model` is missing from the request body", param="model")
        slug, route = resolve(self.context.config, asked)
        exchange.notes |= {"model": slug, "egress": route.egress}
        if route.model != asked:
            document.set("model", route.model)
        await self.context.next.to(route.url, route.egress).relay(exchange, document.encode())

    compact = responses

    async def models(self, exchange: Exchange) -> None:
        await exchange.reply(listing(self.context.config, _CREATED))
