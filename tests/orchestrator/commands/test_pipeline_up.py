"""`pipeline up`: what its options say."""

from __future__ import annotations

from typing import Any

import pytest
from codex_shim.orchestrator.commands import pipeline
from typer.testing import CliRunner


@pytest.mark.parametrize(
    ("words", "check"),
    [
        ([], None),
        (["--check"], "log"),
        (["--check", "--detach"], "log"),
        (["--check=enforce"], "enforce"),
        (["--detach", "--check", "enforce"], "enforce"),
        (["--check=off"], "off"),
    ],
)
def test_check_alone_logs_and_says_what_else_it_can(monkeypatch: pytest.MonkeyPatch, words: list[str], check: str | None) -> None:
    asked: list[dict[str, Any]] = []

    def bring_up(**options: Any) -> int:
        asked.append(options)
        return 0

    monkeypatch.setattr(pipeline, "bring_up", bring_up)
    assert CliRunner().invoke(pipeline.app, ["up", *words]).exit_code == 0
    assert [options["check"] for options in asked] == [check]


def test_a_level_that_is_none_is_wrong_usage() -> None:
    assert CliRunner().invoke(pipeline.app, ["up", "--check=loud"]).exit_code == 2
