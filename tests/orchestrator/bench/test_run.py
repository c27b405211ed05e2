"""One short run of everything, for its completeness and the rightness of all answers. No time is judged."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from codex_shim.orchestrator.bench import scenarios, subjects
from codex_shim.orchestrator.bench.results import Report
from codex_shim.orchestrator.bench.run import Plan, Rival, Run
from codex_shim.orchestrator.bench.scenarios import NAMES, Pair, Scenario, chosen, linearity
from codex_shim.orchestrator.bench.script import Script
from codex_shim.orchestrator.bench.subjects import CHAIN, CHAT, RESPONSES, relay_name
from codex_shim.orchestrator.cli import app
from typer.testing import CliRunner

# Two relays are a row as well as four are.
SUBJECTS = [CHAT, RESPONSES, relay_name(1), relay_name(2), CHAIN]


SLOW = Script(deltas=3, pause_ms=1.0)
SCENARIOS = (
    Scenario(name="usual", meaning="tiny", size=2_000, script=Script(deltas=3), requests=2, quick=True),
    Scenario(name="paced", meaning="tiny", size=2_000, script=SLOW, concurrency=3, requests=6, quick=True),
)
PAIRS = [
    Pair(name="one event", unit="MB", less=Script(deltas=1, size=1_000), more=Script(deltas=1, size=8_000)),
    Pair(name="argument deltas", unit="delta", less=Script(deltas=3, call=True), more=Script(deltas=30, call=True)),
    Pair(name="history", unit="MB", less=Script(deltas=2), more=Script(deltas=2), bodies=(10_000, 100_000)),
]


@contextmanager
def handlers_kept() -> Iterator[None]:
    """The command takes these signals for itself."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)


@pytest.fixture(scope="module")
def told() -> Any:
    """What the command prints when there is little to measure."""
    with pytest.MonkeyPatch.context() as patch, handlers_kept():
        patch.setattr(scenarios, "SCENARIOS", SCENARIOS)
        patch.setattr(subjects, "RELAYS", 2)
        patch.setattr(scenarios, "linearity", lambda quick: PAIRS)
        return CliRunner().invoke(app, ["bench", "--quick", "--json", "--rounds", "2", "--starts", "1"])


@pytest.fixture(scope="module")
def report(told: Any) -> Report:
    assert told.exit_code == 0, told.output
    return msgspec.convert(json.loads(told.stdout), Report)


def test_every_subject_answered_rightly_in_every_scenario(report: Report) -> None:
    assert report.wrong == []
    assert [(each.scenario, each.subject) for each in report.measured] == [
        (scenario, subject) for scenario in ("usual", "paced") for subject in SUBJECTS
    ]
    assert {each.requests for each in report.measured} == {4, 12}


def test_every_number_is_there(report: Report) -> None:
    for row in report.measured:
        assert row.first_p50_ms > 0
        assert row.first_p95_ms >= row.first_p50_ms
        assert row.total_p50_ms >= row.first_p50_ms
        assert row.deltas_per_second.median > 0
        assert (row.added_first_ms is None) == (row.subject in (CHAT, RESPONSES))
    assert len(report.start_seconds) == 1
    assert [each.name for each in report.linear] == ["one event", "argument deltas", "history"]
    assert all(each.ratio is not None for each in report.linear)
    assert not report.cut_short
    assert len(report.verdicts) == 8


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="Linux tells of processes in /proc")
def test_the_chain_is_told_by_its_processes(report: Report) -> None:
    memory = report.memory[0]
    assert memory.subject == CHAIN
    assert {"orchestrator", "fork server", "ingress", "policy", "router"} < set(memory.idle) == set(memory.worked)
    assert memory.idle_sum > 0
    chain = report.find("usual", CHAIN)
    assert chain is not None
    assert set(chain.cpu_ms_by_process) == set(memory.idle)


def test_it_ends_by_its_own_time_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rival that answers nothing right is told as such, and disturbs nobody."""
    monkeypatch.setattr(subjects, "RELAYS", 1)
    scenarios = [Scenario(name=name, meaning="tiny", size=2_000, script=Script(deltas=2), requests=1) for name in ("one", "two")]
    rivals = [Rival("absent", "http://127.0.0.1:9/v1")]
    report = Run(Plan(scenarios=scenarios, rounds=9, starts=0, seconds=0.001, rivals=rivals), tell=lambda line: None).run()
    assert report.cut_short
    assert {each.scenario for each in report.measured} == {"one"}, "what was not measured has no row"
    assert report.find("one", CHAIN)
    assert report.find("one", "absent") is None
    assert any(sentence.startswith("absent, one: the connection failed") for sentence in report.wrong)


def test_the_steps_are_told_apart_from_the_json(told: Any) -> None:
    assert "/v1/chat/completions" in told.stderr
    assert "usual (tiny): round 2 of 2" in told.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [(["--scenario", "huge"], "no scenario named `huge`"), (["--against", "name"], "NAME=URL"), (["--against", "a=b"], "base URL")],
)
def test_wrong_usage_is_one_sentence(arguments: list[str], sentence: str) -> None:
    with handlers_kept():
        done = CliRunner().invoke(app, ["bench", "--starts", "0", *arguments])
    assert done.exit_code != 0
    assert sentence in done.stderr


def test_scenarios_can_be_chosen() -> None:
    assert [each.name for each in chosen(["long", "small"], quick=False)] == ["long", "small"]
    quick = {each.name for each in chosen([], quick=True)}
    assert {"usual", "large", "long", "crowd"} == quick < {each.name for each in chosen([], quick=False)} < set(NAMES)
    assert [pair.amounts() for pair in linearity(quick=False)] == [
        ("10,000 deltas", "100,000 deltas"),
        ("16,000 deltas", "160,000 deltas"),
        ("4 MB", "32 MB"),
        ("1.3 MB", "13 MB"),
    ]
