"""Limits in pipeline.toml: what is wrong with them is said before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest
from codex_shim.orchestrator import limits
from codex_shim.orchestrator.settings import pipeline
from codex_shim.orchestrator.settings.pipeline import Pipeline
from codex_shim.orchestrator.settings.problems import ConfigError
from codex_shim.orchestrator.subscriptions import NONE, ChatGpt, Subscriptions
from codex_shim.stages.contract.price import Price

HEAD = '[[stage]]\nname = "ingress"\nuse = "ingress"\n[[stage]]\nname = "router"\nuse = "router"\n'
OWN = ["kimi", "local"]
PRICES = {"kimi": Price(input=1, output=2)}
CHATGPT = Subscriptions(chatgpt=ChatGpt(auth_file="auth.json", base_url="https://x.example"), cursor=None)


def chain(limit: str) -> Pipeline:
    return pipeline.parse(f'{HEAD}virtual = {{ quick = {{ members = ["kimi"] }} }}\n[[stage.limits]]\n{limit}', "p.toml")


@pytest.mark.parametrize(
    ("limit", "sentence"),
    [
        ('models = ["kimi"]', "this limits nothing; give it one of `requests_per_minute`"),
        ('models = ["kimmi"]\nrequests_per_minute = 1', "no model fits `kimmi`; did you mean `kimi`?"),
        ('models = ["quick"]\nrequests_per_minute = 1', "`quick` is a virtual slug"),
        ("dollars_per_day = 1.0", "nobody knows what `local` costs"),
    ],
)
def test_what_would_limit_nothing_is_named(limit: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        limits.check(chain(limit), OWN, PRICES, NONE)
    (problem,) = caught.value.problems
    assert sentence in str(problem)
    assert problem.line > 6


@pytest.mark.parametrize("limit", ['models = ["k*"]\ndollars_per_day = 1', 'models = ["gpt-*"]\ntokens_per_minute = 5'])
def test_what_can_be_kept_is_taken(limit: str) -> None:
    limits.check(chain(limit), OWN, PRICES, CHATGPT)


def test_what_is_for_all_models_is_so_also_where_there_is_none_yet() -> None:
    limits.check(chain("requests_per_minute = 1"), [], {}, NONE)


def test_the_shape_is_held_to_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        chain("requests_per_minut = 1\ndollars_per_day = 0")
    said = [str(problem) for problem in caught.value.problems]
    assert any("p.toml:9:" in each and "did you mean `requests_per_minute`" in each for each in said), said
    assert any("must be more than 0" in each for each in said), said
