"""Rounds become rows: what is added is taken within a round, and CPU is told for one request."""

from __future__ import annotations

from codex_shim.orchestrator.bench.jobs import Outcome
from codex_shim.orchestrator.bench.rounds import compare, note_cpu, summarise
from codex_shim.orchestrator.bench.scenarios import Pair, Scenario
from codex_shim.orchestrator.bench.script import Script
from codex_shim.orchestrator.bench.statistics import Spread

SCENARIO = Scenario(name="some", meaning="", script=Script(deltas=10))


def outcome(first: float, seconds: float = 1.0, wrong: list[str] | None = None) -> Outcome:
    return Outcome(first_ms=[first, first], total_ms=[first + 1, first + 1], seconds=seconds, wrong=wrong or [])


def test_the_added_time_is_taken_round_by_round() -> None:
    """The second round is slow for both; told by medians over everything, noise would look like a cost."""
    row = summarise(SCENARIO, "a", [outcome(3), outcome(103), outcome(4)], [outcome(1), outcome(101), outcome(2)])
    assert row.added_first_ms == Spread(2.0, 2.0, 2.0)
    assert row.added_total_ms == Spread(2.0, 2.0, 2.0)
    assert row.requests == 6
    assert row.first_p50_ms == 4


def test_rates_count_only_the_measured_requests() -> None:
    row = summarise(SCENARIO, "a", [outcome(1, seconds=0.5), outcome(1, seconds=0.25)], None)
    assert row.requests_per_second == Spread(6.0, 5.0, 7.0)
    assert row.deltas_per_second.median == 60.0
    assert row.added_first_ms is None


def test_a_round_in_which_nothing_came_is_told_and_does_not_disturb() -> None:
    row = summarise(SCENARIO, "a", [Outcome(wrong=["gone", "gone"]), outcome(2)], [outcome(1), outcome(1)])
    assert row.wrong == ["gone"]
    assert row.added_first_ms == Spread(1.0, 1.0, 1.0)


def test_cpu_is_told_for_one_request() -> None:
    row = summarise(SCENARIO, "a", [outcome(1)], None)
    note_cpu(row, {"router": 0.1, "child": 0.3}, 100)
    assert row.cpu_ms_by_process == {"router": 1.0, "child": 3.0}
    assert row.cpu_ms_per_request == 4.0


def test_a_system_that_tells_nothing_leaves_cpu_empty() -> None:
    row = summarise(SCENARIO, "a", [outcome(1)], None)
    note_cpu(row, {}, 100)
    assert row.cpu_ms_per_request is None


PAIR = Pair(name="deltas", unit="delta", less=Script(deltas=10), more=Script(deltas=100))


def test_what_must_be_linear_is_compared_by_cpu() -> None:
    found = compare(PAIR, [outcome(1), outcome(1)], [0.4, 8.0], 4)
    assert (found.by, found.less_us, found.more_us, found.ratio) == ("CPU", 10_000, 20_000, 2.0)


def test_without_cpu_it_is_compared_by_time() -> None:
    found = compare(PAIR, [outcome(1), outcome(19, wrong=["gone"])], [0.0, 8.0], 4)
    assert (found.by, found.less_us, found.more_us, found.ratio) == ("time", 200, 200, 1.0)
    assert found.wrong == ["gone"]
