"""Router: reads the slug, sends the exchange to the egress that serves it, and knows the catalog."""

from __future__ import annotations

import msgspec

from ..contract import project
from ..contract.advertised import Advertised
from ..contract.body import Document
from ..contract.errors import refuse
from ..contract.headers import USER_LOGIN
from ..kit import advertised
from ..kit.exchange import Exchange
from ..kit.stage import Context, Stage
from . import catalog
from .allowance import Allowance
from .config import Config
from .failover import Failover
from .members import Known, has_choice, ranked
from .need import check_tools
from .route import depends_on_offer, etag, listing, resolve

# OpenAI's list wants a date for each model. Nobody reads it; one that never changes keeps answers comparable.
_CREATED = 1735689600
NOTHING = Advertised()


class Router(Stage[Config]):
    config_type = Config

    def __init__(self, context: Context[Config]) -> None:
        super().__init__(context)
        self._allowance = Allowance(context.config)
        self._failover = Failover(context.config, context.next, self._allowance)

    async def close(self) -> None:
        await self._failover.close()

    async def responses(self, exchange: Exchange) -> None:
        exchange.notes["project"] = folder = project.of(await exchange.body())
        with self._allowance.counting(exchange, folder):
            await self._serve(exchange, folder)

    compact = responses

    async def _serve(self, exchange: Exchange, folder: str) -> None:
        document = Document.parse(await exchange.body())
        asked = document.get("model", str)
        if not asked:
            raise refuse("`model` is missing from the request body", param="model")
        config = self.context.config
        offer = await self._offer(exchange) if depends_on_offer(config, asked) else None
        exchange.notes["asked"] = asked
        slug = resolve(config, asked, offer or NOTHING)
        if slug == asked:
            del exchange.notes["asked"]
        if has_choice(config, slug):
            await self._failover.serve(exchange, document, slug, folder, offer or await self._offer_of(slug, exchange))
            return
        route = config.routes[slug]
        exchange.notes |= {"model": slug, "egress": route.egress}
        check_tools(slug, route, document)
        await self._allowance.open_to([slug], folder)
        self._allowance.begin(exchange, slug, folder)
        if route.model != asked:
            document.set("model", route.model)
        if route.subscription != "chatgpt":
            _forget_login(exchange)
        await self.context.next.to(route.url, route.egress).relay(exchange, document.encode())

    async def models(self, exchange: Exchange) -> None:
        config = self.context.config
        offer = await self._offer(exchange)
        subscribed = offer.chatgpt_passthrough or offer.cursor_passthrough
        more = await catalog.read(config.subscription_catalog) if subscribed else []
        body = msgspec.json.encode(listing(config, offer, more, _CREATED))
        await exchange.reply(body, headers={"etag": etag(body)})

    async def _offer_of(self, slug: str, exchange: Exchange) -> Advertised:
        """Only where one of those who may serve it needs a login."""
        config = self.context.config
        subscribed = any(config.routes[leaf].subscription for leaf in ranked(config, slug, Known()))
        return await self._offer(exchange) if subscribed else NOTHING

    async def _offer(self, exchange: Exchange) -> Advertised:
        """A caller who brings his own ChatGPT login can use it, whatever lies on this machine."""
        offer = await advertised.read(self.context.config.advertised)
        return msgspec.structs.replace(offer, chatgpt_passthrough=True) if USER_LOGIN in exchange.headers else offer


def _forget_login(exchange: Exchange) -> None:
    """Sealed as it is, it is nobody's business but the ChatGPT egress's."""
    if USER_LOGIN in exchange.headers:
        exchange.headers = {name: value for name, value in exchange.headers.items() if name.lower() != USER_LOGIN}
