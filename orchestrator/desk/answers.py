"""What the desk may ask of the running chain: what its page shows, and to choose another model (control_server.py carries it)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from codex_shim.stages.contract.errors import INVALID_REQUEST, MODEL_NOT_FOUND

from ..control import Message
from ..control_server import Handler
from ..home import Home
from ..logins.ask import States
from ..publisher import Publisher
from ..running.supervisor import Supervisor
from ..sources import Sources

# All that the desk's token is good for.
COMMANDS = ("desk", "switch", "metrics", "usage")


class DeskAnswers:
    """`sources` and `publisher` are those of the running plan, `logins` says what is known of both subscriptions at the moment.

    Nothing of this costs anything before the first question: what it needs is imported and read then.
    """

    def __init__(
        self,
        home: Home,
        environ: Mapping[str, str],
        url: str,
        supervisor: Supervisor,
        publisher: Publisher,
        sources: Callable[[], Sources],
        logins: Callable[[], States],
    ) -> None:
        self._home = home
        self._environ = environ
        self._url = url
        self._supervisor = supervisor
        self._publisher = publisher
        self._sources = sources
        self._logins = logins
        self._facts: dict[str, Any] = {}
        self._facts_of: Sources | None = None

    def handlers(self) -> dict[str, Handler]:
        """By the name of the command."""
        return {"desk": self._desk, "switch": self._switch}

    async def _desk(self, request: Message) -> AsyncIterator[Message]:
        """`{"models": cards, "url", "stages", "logins", "codex": {"model", "own"}}`."""
        from ..codex import using
        from . import cards

        offering, states = self._publisher.offering, self._logins()
        facts = await self._known()
        model, own = await asyncio.to_thread(using.active, self._home, self._environ, self._url)
        statuses = {status.name: status for status in self._supervisor.statuses()}
        yield {
            "ok": True,
            "url": self._url,
            "models": cards.cards(offering.listed(offering.advertised(states)), facts, model, statuses, states),
            "stages": self._stages(),
            "logins": {name: {"usable": state.usable, "reason": state.reason} for name, state in states.items()},
            "codex": {"model": model, "own": own},
        }

    async def _switch(self, request: Message) -> AsyncIterator[Message]:
        """What `codex-shim model use` does, with what this chain offers."""
        from ..codex.choice import ChoiceError
        from ..codex.using import UseError

        try:
            yield await self._publisher.undisturbed(lambda: self._use(str(request.get("slug"))))
        except ChoiceError as error:
            yield {"ok": False, "error": str(error), "code": MODEL_NOT_FOUND, "status": 404}
        except UseError as error:
            yield {"ok": False, "error": str(error), "code": INVALID_REQUEST, "status": 409}
        except OSError as error:
            yield {"ok": False, "error": f"{error.filename}: {(error.strerror or str(error)).lower()}", "status": 500}

    def _use(self, wanted: str) -> Message:
        from ..codex import using
        from ..offer import Offer

        offering, states = self._publisher.offering, self._logins()
        more = self._home.subscription_catalog.read_bytes()
        offer = Offer(offering=offering, more=more, advertised=offering.advertised(states), states=states)
        sources = self._sources()
        slug = offer.find(wanted, sources.rows, sources.row_problems)
        used = using.use(self._home, self._environ, offer.catalog, self._url, slug)
        return {"ok": True, "model": slug, "next": used.command(self._home), "trouble": used.trouble}

    def _stages(self) -> list[Message]:
        """In the order a request meets them; `place` is `chain`, `egress` or `side`."""
        plan = self._supervisor.plan
        places = {spec.name: place for place in ("chain", "egress") for spec in getattr(plan, place)}
        shown = ("name", "kind", "state", "state_since", "restarts", "last_exit")
        return [
            {**{name: getattr(status, name) for name in shown}, "place": places.get(status.name, "side")}
            for status in self._supervisor.statuses()
        ]

    async def _known(self) -> dict[str, Any]:
        """Gathered once: routes stay what they are until the files are read again."""
        from .. import plan
        from . import cards

        sources, offering = self._sources(), self._publisher.offering
        if self._facts_of is not sources:
            more = await asyncio.to_thread(self._home.subscription_catalog.read_bytes)
            self._facts = cards.gather(
                sources.rows,
                sources.workers,
                offering.offered,
                offering.entries,
                more,
                offering.virtual,
                plan.router_name(sources.pipeline),
            )
            self._facts_of = sources
        return self._facts
