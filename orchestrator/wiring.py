"""What stays the same from one plan of a run to the next: its secrets, and the addresses of the stages that stay."""

from __future__ import annotations

import base64
import secrets
import socket
from collections.abc import Mapping

from codex_shim.stages.contract.secret import Secret

from . import plan, rewiring
from .environment import Surroundings
from .home import Home
from .offering import Offering
from .plan import Address, Need
from .sight.hops import ProbeWish, wishes
from .sockets import StartError, bind_all
from .sources import Options, Sources
from .spec import ChainPlan
from .system import can_hand_on_sockets

Sockets = dict[str, socket.socket]


def checks(sources: Sources, watched: Mapping[str, ProbeWish] | None = None) -> dict[str, ProbeWish]:
    """The probes that the files and the command line ask for, together with those that are `watched`."""
    return wishes(sources.check, watched or {}, plan.hops_of(sources.pipeline, sources.workers, sources.subscriptions))


class Wiring:
    """Draws plans. `addresses` are those of the plan that was settled last."""

    def __init__(self, options: Options, home: Home, surroundings: Surroundings) -> None:
        self.addresses: dict[str, Address] = {}
        self._options = options
        self._home = home
        self._surroundings = surroundings
        self._needs: dict[str, Need] = {}
        self._hop_token = Secret(secrets.token_urlsafe(32))
        self._seal_key = Secret(base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())

    def bind(self, sources: Sources, sockets: Sockets) -> None:
        """The addresses of the first plan; `sockets` gets what was bound. Raises `StartError`."""
        needs = self._wanted(sources, checks(sources))
        self.addresses = bind_all(needs, sockets)
        self._needs = {need.name: need for need in needs}

    def url(self, sources: Sources) -> str:
        """Where Codex connects."""
        host, port = self.addresses[sources.pipeline.stages[0].name]
        return f"http://{host}:{port}/v1"

    def first(self, sources: Sources, offering: Offering) -> ChainPlan:
        """For the addresses of `bind`."""
        return plan.build(self._inputs(sources, offering, checks(sources)), self.addresses)

    def next(
        self, old: ChainPlan, sources: Sources, offering: Offering, probes: Mapping[str, ProbeWish], sockets: Sockets
    ) -> ChainPlan:
        """The plan that comes after `old`. What stays keeps its address, as far as it can; `sockets` gets what was bound for the
        others. Raises `StartError` where the chain would have to be restarted for it."""
        needs = {need.name: need for need in self._wanted(sources, probes)}
        self._refuse_another_door(old, sources, needs)
        inputs = self._inputs(sources, offering, probes)
        kept = {name for name, need in needs.items() if need == self._needs.get(name) and name in self.addresses}
        addresses = {name: self.addresses[name] for name in kept}
        while True:
            addresses |= bind_all([need for name, need in needs.items() if name not in addresses], sockets)
            new = plan.build(inputs, addresses)
            unfit = rewiring.unfit(old, new, can_hand_on_sockets())
            movable = {name for name in unfit if needs[name].port == 0 and name != old.chain[0].name}
            self._refuse_fixed(needs, {name: why for name, why in unfit.items() if name not in movable})
            if not movable:
                return new
            for name in movable:
                del addresses[name]

    def settle(self, sources: Sources, probes: Mapping[str, ProbeWish], chosen: ChainPlan) -> None:
        """The plan serves now."""
        self._needs = {need.name: need for need in self._wanted(sources, probes)}
        self.addresses = {spec.name: (spec.host, spec.port) for spec in chosen.start_order if spec.name in self._needs}

    def _wanted(self, sources: Sources, probes: Mapping[str, ProbeWish]) -> list[Need]:
        return plan.needs(sources.pipeline, sources.workers, self._options.port, sources.subscriptions, probes)

    def _inputs(self, sources: Sources, offering: Offering, probes: Mapping[str, ProbeWish]) -> plan.Inputs:
        return plan.Inputs(
            pipeline=sources.pipeline,
            workers=sources.workers,
            catalog=offering.entries,
            advertised=str(self._home.advertised),
            local_token=Secret(self._home.local_token()),
            hop_token=self._hop_token,
            surroundings=self._surroundings,
            subscriptions=sources.subscriptions,
            offered=offering.offered,
            subscription_catalog=str(self._home.subscription_catalog),
            desk_control=str(self._home.desk_control),
            otel_control=str(self._home.otel_control),
            seal_key=self._seal_key,
            probes=probes,
            contents=sources.contents,
            prices=sources.prices,
            spent=str(self._home.spent),
        )

    def _refuse_another_door(self, old: ChainPlan, sources: Sources, needs: Mapping[str, Need]) -> None:
        """Codex is told where the door is, and by whom; a request that waits there must not be lost."""
        door, first = old.chain[0].name, sources.pipeline.stages[0].name
        if door != first:
            raise StartError(f"the chain's first stage was `{door}` and is `{first}` now; `codex-shim restart` does that")
        if needs.get(door) != self._needs.get(door):
            raise StartError(f"`listen` of [pipeline] leads elsewhere than {old.chain[0].url}; `codex-shim restart` does that")

    def _refuse_fixed(self, needs: Mapping[str, Need], unfit: Mapping[str, str]) -> None:
        """A fixed address cannot be served by two processes that lead to different stages."""
        for name, why in unfit.items():
            if why == rewiring.MOVED:
                where = f"{needs[name].host}:{needs[name].port}"
                raise StartError(f"`{name}` moves and listens at {where} in any case; `codex-shim restart` does that")
