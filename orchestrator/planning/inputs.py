"""What a plan is made from. Data only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from codex_shim.stages.contract.price import Price
from codex_shim.stages.contract.secret import Secret

from ..egress import DEMO, Worker
from ..environment import Surroundings
from ..settings.pipeline import Pipeline
from ..sight.hops import Hop, ProbeWish, hops
from ..subscriptions import NONE, Offered, Subscriptions

Address = tuple[str, int]

STAGES = "codex_shim.stages"


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """What the files said, and this run's secrets. `advertised` is the path of contract/advertised.py's file, `offered` are the
    subscriptions' models, whose entries stand in the file `subscription_catalog`. `seal_key` is told to the door and to the ChatGPT
    worker, and to nobody between them. `desk_control` is the file that tells the desk where to ask the orchestrator. `probes`
    says between which stages a probe stands, by the name of the hop; `contents` and `prices` are those of `Sources`. `spent` is the
    path of contract/spent.py's file.
    """

    pipeline: Pipeline
    workers: list[Worker]
    catalog: list[dict[str, Any]]
    advertised: str
    local_token: Secret
    hop_token: Secret
    surroundings: Surroundings
    subscriptions: Subscriptions = NONE
    offered: list[Offered] = []
    subscription_catalog: str = ""
    seal_key: Secret = Secret("")
    desk_control: str = ""
    otel_control: str = ""
    probes: Mapping[str, ProbeWish] = {}
    contents: Mapping[str, str] = {}
    prices: Mapping[str, Price] = {}
    spent: str = ""


def worker_names(workers: Sequence[Worker]) -> list[str]:
    """Those of models.json; the demo where there is none."""
    return [worker.name for worker in workers] or [DEMO]


def has_router(pipeline: Pipeline) -> bool:
    return any(stage.use == "router" for stage in pipeline.stages)


def hops_of(pipeline: Pipeline, workers: Sequence[Worker], subscriptions: Subscriptions = NONE) -> list[Hop]:
    """All hops behind the door, in the order in which a request meets them."""
    behind = (*worker_names(workers), *subscriptions.names) if has_router(pipeline) else ()
    return hops([(stage.name, stage.url is not None) for stage in pipeline.stages], behind)


def router_name(pipeline: Pipeline) -> str:
    """Empty for a chain without one."""
    return next((stage.name for stage in pipeline.stages if stage.use == "router"), "")


def has_desk(pipeline: Pipeline) -> bool:
    """Our own ingress leads to it; another door would not."""
    return pipeline.stages[0].use == "ingress"
