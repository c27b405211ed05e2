"""Which slug leads to which worker, and what the router must know of its model. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from codex_shim.stages.contract.price import Price
from codex_shim.stages.router.config import Route

from ..egress import DEMO
from ..settings.model_row import ModelRow
from ..subscriptions import CONTEXT, CURSOR
from .inputs import Inputs

# By which prices are compared: of a million tokens those that an agent reads, of these the cached ones, and those it writes.
_MIXTURE = (950_000, 800_000, 50_000)


def routes(inputs: Inputs, urls: Mapping[str, str]) -> dict[str, Route]:
    """In the order of the catalog: the user's own models, ChatGPT's, Cursor's, and the demo's where there is none of the first."""
    found = {
        row.slug: own_route(row, worker.name, urls[worker.name], inputs.prices.get(row.slug))
        for worker in inputs.workers
        for row in worker.rows
    }
    for model in inputs.offered:
        if model.subscription is None:
            found[model.slug] = msgspec.structs.replace(found[model.target], hidden=True)
        else:
            url = urls[model.subscription]
            found[model.slug] = Route(
                egress=model.subscription,
                url=url,
                model=model.target,
                subscription=model.subscription,
                hidden=model.hidden,
                context=CONTEXT,
                images=model.subscription != CURSOR,
            )
    if not inputs.workers:
        found[DEMO] = Route(egress=DEMO, url=urls[DEMO], model=DEMO, stand_in=True)
    return found


def own_route(row: ModelRow, egress: str, url: str, price: Price | None) -> Route:
    return Route(
        egress=egress,
        url=url,
        model=row.slug,
        context=row.max_context,
        images=row.images,
        tools=row.tools,
        price=price.cost(*_MIXTURE) if price else None,
    )
