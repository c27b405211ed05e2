"""One stage outside a running chain: planned as its chain would plan it, but between addresses of the caller's choice.

Used by `stage run` without a chain and by `stage check`. Nothing here starts anything or writes a file.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
from codex_shim.stages.contract.secret import Secret

from . import plan
from .environment import Surroundings
from .plan import Address
from .settings.pipeline import Pipeline, PipelineSettings
from .settings.positions import Positions
from .settings.stage_table import StageTable
from .sources import Sources
from .spec import StageSpec
from .subscriptions import Offered

NOWHERE: Address = ("127.0.0.1", 0)
_NEXT = "next"
COMMAND = "command"  # what a stage is called of which nothing is known but its command line


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where the stage listens, and where it sends to: for a router that is where every one of its routes leads.

    `local_token` is what an ingress asks for, `hop_token` what any other stage does; empty means that nobody is asked.
    """

    listen: Address
    next: Address | None
    local_token: Secret
    hop_token: Secret
    surroundings: Surroundings


def spec(sources: Sources, name: str, place: Place, offered: Sequence[Offered] = ()) -> StageSpec | None:
    """The stage or egress worker of that name; None where the files know none. `offered` are the models of subscriptions."""
    pipeline = sources.pipeline
    chosen = [stage for stage in pipeline.stages if stage.name == name] or [s for s in pipeline.stages if s.use == "router"]
    if chosen and place.next is not None and chosen[0].use != "router":
        chosen = [chosen[0], _outside(place.next)]
    small = msgspec.structs.replace(pipeline, stages=chosen)
    inputs = plan.Inputs(
        pipeline=small,
        workers=sources.workers,
        catalog=[],
        advertised="",
        local_token=place.local_token,
        hop_token=place.hop_token,
        surroundings=place.surroundings,
        subscriptions=sources.subscriptions,
        offered=[*offered],
    )
    needs = plan.needs(small, sources.workers, subscriptions=sources.subscriptions)
    addresses = {need.name: place.next or NOWHERE for need in needs}
    return plan.build(inputs, addresses | {name: place.listen}).find(name)


def of_command(words: list[str]) -> Sources:
    """A chain of one custom stage, started by a command line."""
    return _chain_of(StageTable(name=COMMAND, command=words))


def of_file(path: Path) -> Sources:
    """A chain of one custom stage: a Python script, a Node.js program, or anything that can be executed."""
    doors = {".py": {"script": str(path)}, ".mjs": {"command": ["node", str(path)]}, ".js": {"command": ["node", str(path)]}}
    stage = StageTable(name=path.stem, **doors.get(path.suffix, {"command": [str(path)]}))
    return _chain_of(stage)


def _chain_of(stage: StageTable) -> Sources:
    pipeline = Pipeline(path=None, settings=PipelineSettings(), stages=[stage], egress={}, positions=Positions(""))
    return Sources(pipeline=pipeline, workers=[], rows=[], row_problems=[])


def _outside(address: Address) -> StageTable:
    host = f"[{address[0]}]" if ":" in address[0] else address[0]
    return StageTable(name=_NEXT, url=f"http://{host}:{address[1]}")
