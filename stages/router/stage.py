"""Router: reads the slug, sends the exchange to the egress that serves it, and knows the catalog."""

from __future__ import annotations

import msgspec

from ..contract.advertised import Advertised
from ..contract.body import Document
from ..contract.errors import refuse
from ..contract.headers import USER_LOGIN
from ..kit import advertised
from ..kit.exchange import Exchange
from ..kit.stage import Stage
from . import catalog
from .config import Config
from .route import depends_on_offer, etag, listing, resolve

# OpenAI's list wants a date for each model. Nobody reads it; one that never changes keeps answers comparable.
_CREATED = 1735689600


class Router(Stage[Config]):
    config_type = Config

    async def responses(self, exchange: Exchange) -> None:
        document = Document.parse(await exchange.body())
        asked = document.get("model", str)
        if not asked:
            raise refuse("`model` is missing from the request body", param="model")
        config = self.context.config
        offer = await self._offer(exchange) if depends_on_offer(config, asked) else Advertised()
        slug, route = resolve(config, asked, offer)
        exchange.notes |= {"model": slug, "egress": route.egress}
        if route.model != asked:
            document.set("model", route.model)
        if route.subscription != "chatgpt":
            _forget_login(exchange)
        await self.context.next.to(route.url, route.egress).relay(exchange, document.encode())

    compact = responses

    async def models(self, exchange: Exchange) -> None:
        config = self.context.config
        offer = await self._offer(exchange)
        subscribed = offer.chatgpt_passthrough or offer.cursor_passthrough
        more = await catalog.read(config.subscription_catalog) if subscribed else []
        body = msgspec.json.encode(listing(config, offer, more, _CREATED))
        await exchange.reply(body, headers={"etag": etag(body)})

    async def _offer(self, exchange: Exchange) -> Advertised:
        """A caller who brings his own ChatGPT login can use it, whatever lies on this machine."""
        offer = await advertised.read(self.context.config.advertised)
        return msgspec.structs.replace(offer, chatgpt_passthrough=True) if USER_LOGIN in exchange.headers else offer


def _forget_login(exchange: Exchange) -> None:
    """Sealed as it is, it is nobody's business but the ChatGPT egress's."""
    if USER_LOGIN in exchange.headers:
        exchange.headers = {name: value for name, value in exchange.headers.items() if name.lower() != USER_LOGIN}
