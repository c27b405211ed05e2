"""The chain as a drawing. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from . import plan
from .egress import DEMO, Worker
from .running.status import SLEEPS
from .settings.pipeline import Pipeline
from .settings.stage_table import StageTable
from .subscriptions import Offered


class Nodes(msgspec.Struct, frozen=True):
    """`chain` holds (name, what it is) in order, `egress` (name, the slugs it serves). What is `lazy` starts when it is needed."""

    listen: str
    chain: list[tuple[str, str]]
    egress: list[tuple[str, list[str]]]
    lazy: list[str] = []


def nodes(pipeline: Pipeline, workers: Sequence[Worker], offered: Sequence[Offered] = ()) -> Nodes:
    """`offered` are the models of subscriptions."""
    chain = [(stage.name, _door(stage)) for stage in pipeline.stages]
    served = [(worker.name, [row.slug for row in worker.rows]) for worker in workers] or [(DEMO, [DEMO])]
    lazy = list(dict.fromkeys(model.subscription for model in offered if model.subscription))
    served += [(name, [model.slug for model in offered if model.subscription == name and not model.hidden]) for name in lazy]
    return Nodes(pipeline.settings.listen, chain, served if plan.has_router(pipeline) else [], [*lazy])


def ascii_graph(graph: Nodes) -> str:
    """One line per stage, the egress workers as branches."""
    lines = [f"Codex → {graph.listen}"]
    width = max(len(name) for name, _ in (*graph.chain, *graph.egress))
    for name, door in graph.chain:
        lines += ["  │", f"  ▼ {name:<{width}}  {door}"]
    for place, (name, slugs) in enumerate(graph.egress):
        branch = "└" if place == len(graph.egress) - 1 else "├"
        later = f"; {SLEEPS}" if name in graph.lazy else ""
        lines.append(f"    {branch}─► {name:<{width}}  {_some(slugs)}{later}")
    return "\n".join(lines)


def mermaid_graph(graph: Nodes) -> str:
    lines = ["flowchart LR", f'  codex(["Codex"]) -->|{graph.listen}| {_id(graph.chain[0][0])}']
    for name, door in graph.chain:
        lines.append(f'  {_id(name)}["{name}<br/><small>{door}</small>"]')
    for (name, _), (following, _) in zip(graph.chain, graph.chain[1:], strict=False):
        lines.append(f"  {_id(name)} --> {_id(following)}")
    for name, slugs in graph.egress:
        arrow = "-.->" if name in graph.lazy else "-->"
        lines.append(f'  {_id(graph.chain[-1][0])} {arrow} {_id(name)}["{name}<br/><small>{_some(slugs)}</small>"]')
    return "\n".join(lines)


def _door(stage: StageTable) -> str:
    if stage.script is not None:
        return f"script {stage.script}"
    if stage.command is not None:
        return f"command {' '.join(stage.command)}"
    return stage.url or f"use {stage.use}"


def _some(slugs: Sequence[str]) -> str:
    return ", ".join(slugs[:4]) + (f" and {len(slugs) - 4} more" if len(slugs) > 4 else "")


def _id(name: str) -> str:
    return name.replace("-", "_")
