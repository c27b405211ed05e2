"""Verdicts from made-up reports, and the words in which a report is told."""

from __future__ import annotations

from codex_shim.orchestrator.bench.budgets import EARLIER, judge
from codex_shim.orchestrator.bench.report import summary, tables, verdict_table
from codex_shim.orchestrator.bench.results import Linear, Machine, Measured, Memory, Report
from codex_shim.orchestrator.bench.statistics import Spread
from codex_shim.orchestrator.bench.subjects import CHAIN, relay_name


def row(subject: str, scenario: str, added: float = 1.0, rate: float = 1.0, wrong: list[str] | None = None) -> Measured:
    return Measured(
        scenario=scenario,
        subject=subject,
        requests=5,
        wrong=wrong or [],
        added_first_ms=Spread(added, added, added),
        deltas_per_second=Spread(rate, rate, rate),
        cpu_ms_per_request=2.0,
        cpu_ms_by_process={"router": 2.0},
    )


def report(*rows: Measured) -> Report:
    return Report(machine=Machine(cpus=2, system="Debian", python="3.11", load_before=0.1), rounds=1, measured=list(rows))


def full() -> Report:
    made = report(
        row(CHAIN, "usual", 3.0),
        row(relay_name(4), "usual", 2.0),
        row(CHAIN, "large", 2.0),
        row(EARLIER, "large", 10.0),
        row(CHAIN, "long", rate=20_000),
        row(EARLIER, "long", rate=10_000),
    )
    made.memory = [Memory(subject=CHAIN, idle={"router": 90.0}, worked={"router": 130.0}, idle_sum=90.0, worked_sum=130.0)]
    made.start_seconds = [0.9, 0.7, 3.0]
    made.linear = [Linear(name="deltas", unit="delta", less="10", more="100", by="CPU", less_us=4.0, more_us=4.4, ratio=1.1)]
    made.verdicts = judge(made)
    return made


def test_each_budget_is_judged_by_its_own_numbers() -> None:
    found = {verdict.budget: (verdict.met, verdict.measured) for verdict in full().verdicts}
    assert found["added time to first token, 20 kB"] == (True, "1.50 × (3.00 ms to 2.00 ms)")
    assert found["added time to first token, 500 kB"] == (True, "0.20 × (2.00 ms to 10.00 ms)")
    assert found["deltas per second"] == (False, "2.00 × (20,000 to 10,000)")
    assert found["linear in deltas: 100 against 10"][0] is True
    assert found["memory, sum of PSS behind all scenarios"] == (False, "130.0 MB (90.0 MB before)")
    assert found["`pipeline up` to ready"] == (True, "0.90 s")


def test_what_was_not_measured_is_neither_met_nor_missed() -> None:
    assert {verdict.met for verdict in judge(report())} == {None}


def test_wrong_answers_have_no_numbers() -> None:
    made = report(row(CHAIN, "usual", wrong=["the status was 500: oops"]), row(relay_name(4), "usual"))
    assert judge(made)[0].met is None
    assert made.wrong == ["chain, usual: the status was 500: oops"]


def test_a_difference_that_drowned_in_noise_is_no_ratio() -> None:
    assert judge(report(row(CHAIN, "usual", 1.0), row(relay_name(4), "usual", -0.2)))[0].met is None


def test_a_report_is_told_in_tables_of_even_columns() -> None:
    made = full()
    for table in (*tables(made), verdict_table(made)):
        assert {len(each) for each in table.rows} == {len(table.headings)}
        assert all("|" in line for line in table.markdown())
        assert table.lines()[0] == table.title
    titles = [table.title for table in tables(made)]
    assert titles[0] == "usual (chain to 4 bare relays: added time to first token 1.50 ×, deltas/s 1.00 ×, CPU 1.00 ×)"
    assert "Debian" in summary(made)


def test_a_cut_run_says_so() -> None:
    made = report()
    made.cut_short = True
    assert "time was up" in summary(made)
