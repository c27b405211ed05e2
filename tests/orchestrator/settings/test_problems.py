from __future__ import annotations

import pytest
from codex_shim.orchestrator.settings.problems import ConfigError, Problem, did_you_mean, nearest


def test_a_problem_reads_as_one_line() -> None:
    assert str(Problem("a.toml", 3, 7, "this is wrong")) == "a.toml:3:7: this is wrong"
    assert str(Problem("a.toml", 0, 0, "this is wrong")) == "a.toml: this is wrong"


def test_an_error_reads_as_all_its_problems() -> None:
    error = ConfigError([Problem("a", 1, 1, "one"), Problem("a", 2, 1, "two")])
    assert str(error) == "a:1:1: one\na:2:1: two"
    assert ConfigError.EXIT_CODE == 78


@pytest.mark.parametrize(
    ("word", "meant"),
    [("drain_second", "drain_seconds"), ("LISTEN", "listen"), ("drain-seconds", "drain_seconds"), ("colour", None)],
)
def test_nearest(word: str, meant: str | None) -> None:
    assert nearest(word, ["listen", "drain_seconds"]) == meant
    assert did_you_mean(word, ["listen", "drain_seconds"]) == (f"; did you mean `{meant}`?" if meant else "")
