"""From files to processes. Pure: everything that had to be asked of the system comes in as an argument.

`needs` says which addresses the plan wants; the caller binds them; `build` says what is started on each.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec
from codex_shim.stages.contract.handshake import parse_listen

from .egress import DEMO, DESK, OTEL, Worker
from .planning import judging
from .planning.egress import egress_specs
from .planning.inputs import STAGES, Address, Inputs, has_desk, has_router, hops_of, router_name, worker_names
from .planning.probes import Probes
from .planning.side import desk_spec, otel_spec
from .planning.stage import SCRIPT_HOST, stage_spec
from .settings.pipeline import Pipeline
from .settings.problems import ConfigError
from .spec import ChainPlan, StageSpec
from .subscriptions import NONE, Subscriptions

__all__ = ["SCRIPT_HOST", "STAGES", "Address", "Inputs", "Need", "build", "check", "has_desk", "has_router", "hops_of", "needs"]
__all__ += ["router_name", "slugs"]


class Need(msgspec.Struct, frozen=True):
    """An address to find for a stage. `bind` is false for a program that binds its port itself; port 0 means any."""

    name: str
    host: str
    port: int
    bind: bool = True


def needs(
    pipeline: Pipeline,
    workers: Sequence[Worker],
    port: int | None = None,
    subscriptions: Subscriptions = NONE,
    probes: Collection[str] = (),
) -> list[Need]:
    """`port` overrides the one of [pipeline]; `probes` are the hops that have one."""
    host, listen_port = parse_listen(pipeline.settings.listen)
    wanted = []
    for place, stage in enumerate(pipeline.stages):
        if stage.url is None:
            at = (host, listen_port if port is None else port) if place == 0 else parse_listen(stage.listen or "127.0.0.1:0")
            wanted.append(Need(stage.name, *at, bind=stage.command is None))
    if has_router(pipeline):
        wanted += [Need(name, "127.0.0.1", 0) for name in (*worker_names(workers), *subscriptions.names)]
    if has_desk(pipeline):
        wanted.append(Need(DESK, "127.0.0.1", 0))
    if pipeline.settings.otel:
        wanted.append(Need(OTEL, "127.0.0.1", 0))
    return wanted + [Need(hop.probe, "127.0.0.1", 0) for hop in hops_of(pipeline, workers, subscriptions) if hop.name in probes]


def check(pipeline: Pipeline, workers: Sequence[Worker], environ: Mapping[str, str], subscriptions: Subscriptions = NONE) -> None:
    """What can be judged only with the models and the environment at hand. Raises `ConfigError`."""
    problems = [
        *judging.env_problems(pipeline, environ),
        *judging.router_problems(pipeline, slugs(workers), subscriptions),
        *judging.egress_problems(pipeline, workers),
    ]
    if problems:
        raise ConfigError(problems)


def slugs(workers: Sequence[Worker]) -> list[str]:
    """All slugs of models.json; the demo's where there is none."""
    return [row.slug for worker in workers for row in worker.rows] or [DEMO]


def build(inputs: Inputs, addresses: Mapping[str, Address]) -> ChainPlan:
    """`addresses` holds one for each need."""
    workers = inputs.workers if has_router(inputs.pipeline) else []
    workers_behind = egress_specs(inputs, workers, addresses) if has_router(inputs.pipeline) else []
    probes = Probes(inputs, addresses)
    ways_out = {spec.name: probes.way(router_name(inputs.pipeline), spec) for spec in workers_behind}
    chain: list[StageSpec] = []
    following: StageSpec | None = None
    for stage in reversed(inputs.pipeline.stages):
        following = stage_spec(inputs, stage, addresses, following, following and probes.way(stage.name, following), ways_out)
        chain.insert(0, following)
    side = [desk_spec(inputs, addresses)] if has_desk(inputs.pipeline) else []
    side += [otel_spec(inputs, addresses)] if inputs.pipeline.settings.otel else []
    return ChainPlan(chain=chain, egress=workers_behind, side=side, probes=probes.specs)
