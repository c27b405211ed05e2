"""A process that is none of the chain's stages: a worker behind the router, or one beside it. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from codex_shim.stages.contract.handshake import Handshake

from ..spec import StageSpec
from .inputs import STAGES, Address, Inputs


def worker_spec(inputs: Inputs, name: str, module: str, addresses: Mapping[str, Address], config: bytes) -> StageSpec:
    host, port = addresses[name]
    shake = Handshake(
        stage=name,
        host=host,
        port=port,
        config=inputs.surroundings.config_path(name),
        hop_token=inputs.hop_token,
        drain_seconds=inputs.pipeline.settings.drain_seconds,
    )
    surroundings = inputs.surroundings
    more = {"egress_cursor": surroundings.cursor, "desk": {}, "otel": {}}.get(module, surroundings.proxies)
    return StageSpec(
        name=name,
        kind="module",
        host=host,
        port=port,
        argv=(f"{STAGES}.{module}",),
        env={**surroundings.base, **more, **shake.environ()},
        config=config,
        secret=True,
        drain_seconds=inputs.pipeline.settings.drain_seconds,
    )
