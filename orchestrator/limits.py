"""What must be right about limits beyond their shape: that they limit something, and can. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from codex_shim.stages.contract.price import Price
from codex_shim.stages.router.config import Limit, Options

from .settings.pipeline import Pipeline
from .settings.positions import Path as At
from .settings.problems import ConfigError, did_you_mean
from .subscriptions import CURSOR_MODELS, Subscriptions

MEASURES = ("requests_per_minute", "tokens_per_minute", "dollars_per_day")


def check(pipeline: Pipeline, own: Sequence[str], prices: Mapping[str, Price], subscriptions: Subscriptions) -> None:
    """`own` are the slugs of models.json. Raises `ConfigError`."""
    problems = [
        pipeline.problem(("stage", place, "limits", number, *at), sentence)
        for place, stage in enumerate(pipeline.stages)
        if isinstance(stage.options, Options)
        for number, limit in enumerate(stage.options.limits)
        for at, sentence in _problems(limit, stage.options, own, prices, subscriptions)
    ]
    if problems:
        raise ConfigError(problems)


def _problems(
    limit: Limit, router: Options, own: Sequence[str], prices: Mapping[str, Price], subscriptions: Subscriptions
) -> Iterator[tuple[At, str]]:
    if all(getattr(limit, name) is None for name in MEASURES):
        yield (), f"this limits nothing; give it one of {', '.join(f'`{name}`' for name in MEASURES)}"
    known = [*own, *(model.slug for model in CURSOR_MODELS if subscriptions.cursor)]
    for place, pattern in enumerate(limit.models):
        if pattern in router.virtual:
            yield ("models", place), f"`{pattern}` is a virtual slug; a limit is for the models that answer, so name its members"
        elif pattern != "*" and not subscriptions.chatgpt and not any(fnmatchcase(slug, pattern) for slug in known):
            yield ("models", place), f"no model fits `{pattern}`{did_you_mean(pattern, known)}"
    limited = [slug for slug in own if any(fnmatchcase(slug, pattern) for pattern in limit.models)]
    unknown = [f"`{slug}`" for slug in limited if slug not in prices]
    if limit.dollars_per_day is not None and unknown:
        yield (
            ("dollars_per_day",),
            f"nobody knows what {', '.join(unknown)} costs, so no budget can be kept; give its row in models.json a "
            "`price`, or say it in prices.toml",
        )
