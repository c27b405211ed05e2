"""The probes that are wished for, each between two stages. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from codex_shim.stages.contract.handshake import Handshake
from codex_shim.stages.probe.config import Config as ProbeConfig

from ..sight.hops import Hop, ProbeWish
from ..spec import StageSpec
from .inputs import STAGES, Address, Inputs, hops_of


class Probes:
    """Those that are wished for; `specs` grows with each way that is asked for."""

    def __init__(self, inputs: Inputs, addresses: Mapping[str, Address]) -> None:
        self._inputs = inputs
        self._addresses = addresses
        self._hops = {(hop.front, hop.behind): hop for hop in hops_of(inputs.pipeline, inputs.workers, inputs.subscriptions)}
        self.specs: list[StageSpec] = []

    def way(self, front: str, behind: StageSpec) -> str:
        """The base URL by which the one reaches the other."""
        hop = self._hops.get((front, behind.name))
        wish = self._inputs.probes.get(hop.name) if hop is not None and not hop.fixed else None
        if hop is None or wish is None:
            return behind.url
        spec = self._spec(hop, wish, behind)
        self.specs.append(spec)
        return spec.url

    def _spec(self, hop: Hop, wish: ProbeWish, behind: StageSpec) -> StageSpec:
        """It sleeps where the stage behind it does."""
        host, port = self._addresses[hop.probe]
        inputs, drain_seconds = self._inputs, self._inputs.pipeline.settings.drain_seconds
        shake = Handshake(
            stage=hop.probe,
            host=host,
            port=port,
            next=behind.url,
            next_name=f"the stage {behind.name}",
            config=inputs.surroundings.config_path(hop.probe),
            hop_token=inputs.hop_token,
            drain_seconds=drain_seconds,
        )
        config = ProbeConfig(hop=hop.name, check=wish.check, watch_token=wish.watch_token.reveal())
        return StageSpec(
            name=hop.probe,
            kind="module",
            host=host,
            port=port,
            argv=(f"{STAGES}.probe",),
            env={**inputs.surroundings.base, **shake.environ()},
            config=msgspec.json.encode(config),
            secret=True,
            lazy=behind.lazy,
            drain_seconds=drain_seconds,
        )
