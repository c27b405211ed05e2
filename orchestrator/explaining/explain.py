"""One request through the real stages, between a caller and next hops of our own: what each did, and where it would have gone."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from codex_shim.stages.contract import project
from codex_shim.stages.policy.config import Ask
from codex_shim.stages.policy.config import Options as PolicyOptions
from codex_shim.stages.router.config import Options as RouterOptions

from .. import plan
from ..file_tests import scenes
from ..file_tests.rehearsal import Seen, rehearse
from ..file_tests.seen import Missing, values
from ..sight import changes
from ..sight.changes import Change
from ..sources import Sources
from ..subscriptions import Offered
from . import why

REQUEST_ID = "explained"
PATIENCE_SECONDS = 30.0


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A stage that the request has met; `rules` are the policy's words for what each rule did, None for any other stage."""

    stage: str
    rules: list[str] | None = None


class Route(msgspec.Struct, frozen=True):
    """`model` is the upstream's name of it."""

    egress: str
    slug: str
    model: str


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    status: int
    code: str | None
    message: str


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """`changes` are those between the request as it was given and as it would reach the worker. `not_asked` names the services that
    a rule would have asked. `fault` says why there is nothing to tell."""

    model: str
    project: str
    steps: list[Step] = []
    changes: list[Change] = []
    route: Route | None = None
    why: list[str] = []
    limits: list[dict[str, Any]] = []
    refused: Refused | None = None
    not_asked: list[str] = []
    fault: str | None = None


def explain(
    sources: Sources,
    body: dict[str, Any],
    headers: Mapping[str, str],
    environ: Mapping[str, str],
    cwd: Path,
    offered: Sequence[Offered],
) -> Explanation:
    """`cwd` is where stages run, `offered` are the subscriptions' models."""
    quiet, services = _without_services(sources)
    text = json.dumps(body, ensure_ascii=False)
    ask = {
        "number": 0,
        "body": text,
        "headers": {**headers, "x-request-id": REQUEST_ID},
        "lines": True,
        "answer": {"parts": ["OK"]},
    }
    names = [stage.name for stage in quiet.pipeline.stages if stage.url is None]
    with tempfile.TemporaryDirectory(prefix="codex-shim-") as folder:
        scene = scenes.stage(quiet, names, environ, Path(folder), offered).scene([ask], cwd)
        seen = next(rehearse([scene], PATIENCE_SECONDS), Seen(number=0, fault="the runner ended before it came to this request"))
    found = values(seen, scenes.models(sources, offered))
    return _told(sources, body, seen, found, offered, services)


def _told(
    sources: Sources, body: dict[str, Any], seen: Seen, found: Mapping[str, Any], offered: Sequence[Offered], services: list[str]
) -> Explanation:
    lines = {name: json.loads(text) for name, text in seen.lines.items()}
    folder = project.of(json.dumps(body).encode())
    route = msgspec.convert(found["route"], Route) if isinstance(found["route"], dict) and "egress" in found["route"] else None
    router = next((stage.options for stage in sources.pipeline.stages if isinstance(stage.options, RouterOptions)), None)
    limits = [limit for limit in router.limits if route is not None and limit.fits(route.slug, folder)] if router else []
    return Explanation(
        model=str(body.get("model")),
        project=folder,
        steps=_steps(sources, lines),
        changes=[] if isinstance(found["request"], Missing) else changes.changes(body, found["request"]),
        route=route,
        why=_why(sources, router, lines, route, offered) if router else [],
        limits=[{name: value for name, value in msgspec.structs.asdict(limit).items() if value} for limit in limits],
        refused=_refused(seen, found["answer"]),
        not_asked=services,
        fault=seen.fault,
    )


def _why(
    sources: Sources, router: RouterOptions, lines: Mapping[str, Any], route: Route | None, offered: Sequence[Offered]
) -> list[str]:
    """Nothing where the request did not come so far."""
    line = lines.get(plan.router_name(sources.pipeline), {})
    asked = line.get("asked") or line.get("model")
    known = {*plan.slugs(sources.workers), *(model.slug for model in offered)}
    return why.reasons(router, asked, known, route.slug if route else None) if asked else []


def _steps(sources: Sources, lines: Mapping[str, Any]) -> list[Step]:
    """Ours tell of each request that they have met; whether another stage has met it cannot be known."""
    return [
        Step(stage=stage.name, rules=(lines[stage.name].get("rules") or []) if stage.use == "policy" else None)
        for stage in sources.pipeline.stages
        if stage.name in lines or not stage.builtin
    ]


def _refused(seen: Seen, answer: Any) -> Refused | None:
    if seen.fault is not None or seen.status < 400:
        return None
    error = answer.get("error") if isinstance(answer, dict) else None
    told = error if isinstance(error, dict) else {}
    return Refused(status=seen.status, code=told.get("code"), message=str(told.get("message") or "no sentence"))


def _without_services(sources: Sources) -> tuple[Sources, list[str]]:
    """Nothing is sent anywhere, so rules that ask a service are left out. Returns the others, and the services."""
    services: list[str] = []
    stages = []
    for stage in sources.pipeline.stages:
        if isinstance(stage.options, PolicyOptions):
            services += [rule.url for rule in stage.options.rules if isinstance(rule, Ask)]
            rules = [rule for rule in stage.options.rules if not isinstance(rule, Ask)]
            stage = msgspec.structs.replace(stage, options=msgspec.structs.replace(stage.options, rules=rules))
        stages.append(stage)
    return msgspec.structs.replace(sources, pipeline=msgspec.structs.replace(sources.pipeline, stages=stages)), services
