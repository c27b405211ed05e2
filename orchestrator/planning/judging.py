"""What is wrong with a chain that only the models and the environment can show. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from codex_shim.stages.router.config import Options as RouterOptions

from .. import virtuals
from ..codex.known_models import is_openai
from ..egress import DEMO, SUBSCRIPTIONS, Worker
from ..settings import values
from ..settings.pipeline import Pipeline
from ..settings.problems import Problem, did_you_mean
from ..subscriptions import CURSOR_MODELS, Subscriptions
from .inputs import worker_names


def env_problems(pipeline: Pipeline, environ: Mapping[str, str]) -> list[Problem]:
    problems = []
    for place, stage in enumerate(pipeline.stages):
        for name, value in stage.env.items():
            try:
                values.expand(value, environ)
            except values.MissingVariableError as error:
                problems.append(pipeline.problem(("stage", place, "env", name), str(error)))
    return problems


def router_problems(pipeline: Pipeline, own: Sequence[str], subscriptions: Subscriptions) -> list[Problem]:
    """Which models OpenAI has is not ours to say, and changes; a name that looks like one is taken as it is."""
    known = [*own, *(name for model in CURSOR_MODELS for name in (model.slug, model.cli_name) if subscriptions.cursor)]

    def is_known(slug: str) -> bool:
        return slug in known or (subscriptions.chatgpt is not None and is_openai(slug.removeprefix("openai-")))

    return [
        pipeline.problem(("stage", place, *at), sentence)
        for place, stage in enumerate(pipeline.stages)
        if isinstance(stage.options, RouterOptions)
        for at, sentence in virtuals.problems(stage.options, known, is_known)
    ]


def egress_problems(pipeline: Pipeline, workers: Sequence[Worker]) -> list[Problem]:
    names = [*worker_names(workers), *SUBSCRIPTIONS]
    return [
        pipeline.problem(("egress", name), f"there is no egress named `{name}`{did_you_mean(name, names)}")
        for name in pipeline.egress
        if name not in (*names, DEMO)
    ]
