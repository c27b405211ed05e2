"""What a model costs: by its row, by the user's file, by ours, in this order."""

from __future__ import annotations

from pathlib import Path

import pytest
from codex_shim.orchestrator.settings import models, prices
from codex_shim.orchestrator.settings.model_row import ModelRow
from codex_shim.orchestrator.settings.problems import ConfigError
from codex_shim.stages.contract.price import Price


def rows(text: str) -> list[ModelRow]:
    read = models.parse(text, "models.json", {}, str)
    assert read.problems == []
    return read.rows


ROWS = """[
  {"model": "claude-opus-5", "slug": "opus", "provider": "anthropic", "api_key": "k"},
  {"model": "anthropic/claude-opus-5", "slug": "routed", "provider": "openrouter", "api_key": "k"},
  {"model": "gpt-5.5", "slug": "gpt", "provider": "openai", "base_url": "https://api.openai.com/v1", "api_key": "k"},
  {"model": "gpt-5.5", "slug": "elsewhere", "provider": "openai", "base_url": "https://models.example/v1", "api_key": "k"},
  {"model": "claude-opus-5", "slug": "bargain", "provider": "anthropic", "api_key": "k", "price": {"input": 1, "output": 2}}
]"""


def test_what_is_cached_costs_less_where_the_provider_says_so() -> None:
    assert Price(input=2, output=10, cached=0.2).cost(1_000_000, 500_000, 100_000) == pytest.approx(1 + 0.1 + 1)
    assert Price(input=2, output=10).cost(1_000_000, 500_000, 0) == 2


def test_a_row_is_asked_first_and_a_host_nobody_knows_has_no_price(tmp_path: Path) -> None:
    found = prices.of_rows(rows(ROWS), tmp_path / "none.toml")
    assert found["opus"] == found["routed"] == Price(input=5, cached=0.5, output=25)
    assert found["gpt"] == Price(input=5, cached=0.5, output=30)
    assert found["bargain"] == Price(input=1, output=2)
    assert "elsewhere" not in found


def test_the_file_of_the_user_counts_more_than_ours(tmp_path: Path) -> None:
    own = tmp_path / "prices.toml"
    own.write_text('[[prices]]\nmodels = { "gpt-5.5" = { input = 1, output = 3 }, "GPT-*-x" = { input = 9, output = 9 } }\n')
    found = prices.of_rows(rows(ROWS), own)
    assert found["gpt"] == found["elsewhere"] == Price(input=1, output=3)
    assert found["opus"].input == 5


def test_every_problem_of_the_file_has_its_place(tmp_path: Path) -> None:
    own = tmp_path / "prices.toml"
    own.write_text('[[prices]]\nproviders = ["zai"]\n[prices.models]\nglm = { input = -1, outptu = 2 }\n')
    with pytest.raises(ConfigError) as caught:
        prices.load(own)
    said = [str(problem) for problem in caught.value.problems]
    assert any(":4:" in each and "must be at least 0" in each for each in said), said
    assert any("unknown key `outptu`" in each and "did you mean `output`" in each for each in said), said


def test_a_price_of_a_row_is_held_to_its_shape() -> None:
    text = '[{"model": "m", "provider": "ollama", "price": {"input": "free", "output": 0}}]'
    read = models.parse(text, "models.json", {}, str)
    assert (read.rows, len(read.problems)) == ([], 1)
    assert "`input` in `price` of model `m` must be a number" in str(read.problems[0])
