"""Why a name leads where it does, and how that is told."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from codex_shim.orchestrator.explaining import report
from codex_shim.orchestrator.explaining.explain import Explanation, Refused, Route, Step
from codex_shim.orchestrator.explaining.why import reasons
from codex_shim.orchestrator.sight.changes import Change
from codex_shim.stages.router.config import Options

MODELS = ["fast", "deep", "gpt-5.5"]
ROUTER: dict[str, Any] = {
    "default": "deep",
    "aliases": {"quick": "both", "claude-*": "deep", "[x]*": "fast"},
    "virtual": {"both": {"members": ["fast", "deep"], "choose": "cheapest"}},
    "fallbacks": {"deep": ["fast"]},
    "background": ["codex-auto-review"],
}


@pytest.mark.parametrize(
    ("asked", "served", "told"),
    [
        ("fast", "fast", ["`fast` is the slug of a model"]),
        ("quick", "deep", ["`quick` is an alias of `both`", "`both` is a virtual slug of `fast`, `deep`, the cheapest first"]),
        (
            "claude-x",
            "deep",
            ["`claude-x` fits the alias `claude-*` of `deep`", "where it does not answer, `fast` would be asked"],
        ),
        ("[x]y", "fast", ["`[x]y` fits the alias `[x]*` of `fast`"]),
        ("codex-auto-review", "deep", ["Codex asks for `codex-auto-review` by itself; the default `deep` serves it"]),
        ("nobody", None, []),
    ],
)
def test_each_way_to_a_model_has_its_sentence(asked: str, served: str | None, told: list[str]) -> None:
    assert reasons(msgspec.convert(ROUTER, Options), asked, MODELS, served) == told


def test_an_explanation_is_told_from_the_door_to_the_worker() -> None:
    told = Explanation(
        model="quick",
        project="/work",
        steps=[Step(stage="ingress"), Step(stage="policy", rules=["inject", "trim: 3 outputs"]), Step(stage="router")],
        changes=[Change(kind="changed", path="model", before="quick", after="x" * 100)],
        route=Route("openrouter", "fast", "kimi-k2"),
        why=["`quick` is an alias of `fast`"],
        limits=[{"models": ["f*"], "requests_per_minute": 1000, "dollars_per_day": 2.5}],
        not_asked=["http://127.0.0.1:9/ask"],
    )
    said = list(report.lines(told))
    assert said[0] == "asked for `quick` in /work"
    assert said[1:5] == ["  ingress", "  policy: inject", "  policy: trim: 3 outputs", "  router"]
    assert "  limit: 1,000 requests per minute, $2.50 a day for f*" in said
    assert "served by openrouter, which asks for `kimi-k2`" in said
    assert said[-1].startswith('  ~ model: "quick" → "xxx')
    assert said[-1].endswith("…")


def test_a_refusal_is_the_end_of_it() -> None:
    refused = Refused(status=403, code="invalid_prompt", message="No deploys here.")
    said = list(report.lines(Explanation(model="m", project="", steps=[Step(stage="policy", rules=[])], refused=refused)))
    assert said == ["asked for `m`", "  policy: no rule applies", "refused with HTTP 403: No deploys here."]
