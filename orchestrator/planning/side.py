"""The processes beside the chain: the desk, and the export of traces. Pure."""

from __future__ import annotations

import hmac
from collections.abc import Mapping

import msgspec
from codex_shim.stages.desk.config import Config as DeskConfig
from codex_shim.stages.otel.config import Config as OtelConfig

from .. import otel
from ..egress import DESK, OTEL
from ..spec import StageSpec
from .inputs import Address, Inputs
from .worker import worker_spec


def desk_spec(inputs: Inputs, addresses: Mapping[str, Address]) -> StageSpec:
    """It sleeps until somebody opens the page. It is no worker of the router's, and gets no key."""
    config = msgspec.json.encode(DeskConfig(control=inputs.desk_control, page_token=page_token(inputs)))
    return msgspec.structs.replace(worker_spec(inputs, DESK, "desk", addresses, config), lazy=True)


def otel_spec(inputs: Inputs, addresses: Mapping[str, Address]) -> StageSpec:
    """It has no key of a provider's, and of requests it hears what the log tells."""
    wanted, surroundings = inputs.pipeline.settings.otel, inputs.surroundings
    config = msgspec.json.encode(OtelConfig(control=inputs.otel_control, endpoint=otel.endpoint(wanted)))
    spec = worker_spec(inputs, OTEL, "otel", addresses, config)
    return msgspec.structs.replace(spec, env={**spec.env, **otel.environment(wanted, surroundings.full, surroundings.proxies)})


def page_token(inputs: Inputs) -> str:
    """What only our own page of this run knows. Whoever reads it there learns nothing of the token between the hops."""
    return hmac.new(inputs.hop_token.reveal().encode(), b"picker page", "sha256").hexdigest()
