"""Which processes a part of the chain needs when our own caller stands before it and our own next hops behind it.

The stages are planned as their chain would plan them. Behind a router stands one next hop for each egress worker, so that where it
sends to is seen and nothing reaches a provider; behind any other stage stands one.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from codex_shim.stages.contract.secret import Secret

from .. import plan
from ..egress import DEMO
from ..environment import survey
from ..foreground import argv_of
from ..plan import Address
from ..settings.pipeline import Pipeline, PipelineSettings
from ..settings.stage_table import StageTable
from ..sockets import free_port
from ..sources import Sources
from ..spec import StageSpec
from ..stage_files import StageFiles
from ..subscriptions import CURSOR_MODELS, Offered

_HOST = "127.0.0.1"
_NEXT = "next"


class Staged(msgspec.Struct, frozen=True, kw_only=True):
    """Stages in a row, not started yet; `hops` are name and port of what stands behind them, `token` is what their caller shows."""

    specs: list[StageSpec]
    hops: dict[str, int]
    token: Secret

    def scene(self, asks: Sequence[Mapping[str, Any]], cwd: Path) -> dict[str, Any]:
        """For the runner: a `Scene` of stages/kit/rehearsal/play.py."""
        return {
            "stages": [_subject(spec, cwd) for spec in self.specs],
            "hops": [{"name": name, "port": port} for name, port in self.hops.items()],
            "token": self.token.reveal(),
            "asks": list(asks),
        }


def stage(
    sources: Sources, through: Collection[str], environ: Mapping[str, str], folder: Path, offered: Sequence[Offered] = ()
) -> Staged:
    """`through` are names of stages. Their configuration is written into `folder`, which must be theirs alone; ports are found, and
    free until the stages are started."""
    chosen = [each for each in sources.pipeline.stages if each.name in through]
    hop_token, local_token = Secret(secrets.token_urlsafe(16)), Secret(secrets.token_urlsafe(16))
    small, hops = _small(sources.pipeline, chosen)
    needs = plan.needs(small, sources.workers, subscriptions=sources.subscriptions)
    addresses = {need.name: _free() for need in needs}
    inputs = plan.Inputs(
        pipeline=small,
        workers=sources.workers,
        catalog=[],
        advertised="",
        local_token=local_token,
        hop_token=hop_token,
        surroundings=survey(environ, folder),
        subscriptions=sources.subscriptions,
        offered=[*offered],
        prices=sources.prices,
    )
    built = plan.build(inputs, addresses)
    specs = built.chain[: len(chosen)]
    files = StageFiles(folder)
    for spec in specs:
        files.put(spec)
    return Staged(
        specs=specs,
        hops=hops or {spec.name: spec.port for spec in built.egress},
        token=local_token if chosen[0].use == "ingress" else hop_token,
    )


def models(sources: Sources, offered: Sequence[Offered]) -> dict[str, dict[str, str]]:
    """What each egress worker would ask its upstream for, by the slug that it is asked for."""
    found = {worker.name: {row.slug: row.model for row in worker.rows} for worker in sources.workers}
    named = {model.slug: model.cli_name for model in CURSOR_MODELS}
    for model in offered:
        if model.subscription is not None:
            found.setdefault(model.subscription, {})[model.target] = named.get(model.target, model.target)
    return found or {DEMO: {DEMO: DEMO}}


def _small(pipeline: Pipeline, chosen: list[StageTable]) -> tuple[Pipeline, dict[str, int]]:
    """The pipeline of these stages, and the hop behind them, unless they end in a router, whose hops follow from the plan."""
    hops = {}
    if chosen[-1].use != "router":
        host, port = _free()
        hops = {_NEXT: port}
        chosen = [*chosen, StageTable(name=_NEXT, url=f"http://{host}:{port}")]
    return msgspec.structs.replace(pipeline, settings=PipelineSettings(), stages=chosen), hops


def _subject(spec: StageSpec, cwd: Path) -> dict[str, Any]:
    return {
        "name": spec.name,
        "url": spec.url,
        "argv": argv_of(spec.kind, spec.argv),
        "env": spec.env,
        "cwd": str(cwd),
        "ready": "tcp" if spec.ready == "tcp" else "health",
    }


def _free() -> Address:
    """Whoever is told of it binds it itself."""
    return _HOST, free_port(_HOST)
