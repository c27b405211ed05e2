"""A report in words and columns. Pure: lines out, colours are the caller's."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from .results import Measured, Memory, Report
from .statistics import Spread, median
from .subjects import CHAIN, RELAYS, relay_name

Row = Sequence[str]


class Table(msgspec.Struct, frozen=True):
    """Numbers stand at the right of their columns, the first column at the left."""

    title: str
    headings: Row
    rows: Sequence[Row]

    def lines(self) -> list[str]:
        shown = [self.headings, *self.rows]
        widths = [max(len(row[place]) for row in shown) for place in range(len(self.headings))]
        return [self.title, *["  " + _padded(row, widths) for row in shown]]

    def markdown(self) -> list[str]:
        rule = ["---", *["--:"] * (len(self.headings) - 1)]
        return ["| " + " | ".join(row) + " |" for row in (self.headings, rule, *self.rows)]


def tables(report: Report) -> list[Table]:
    """One table per scenario, then CPU by process, memory, starts, and what must be linear."""
    names = dict.fromkeys(each.scenario for each in report.measured)
    found = [_scenario(report, name) for name in names]
    found += [_cpu(report), _memory(report.memory)] if report.memory else []
    found += [_starts(report)] if report.start_seconds else []
    return [table for table in found if table.rows]


def verdict_table(report: Report) -> Table:
    words = {True: "met", False: "MISSED", None: "-"}
    rows = [(each.budget, words[each.met], each.measured, each.limit) for each in report.verdicts]
    return Table("Budgets", ("BUDGET", "", "MEASURED", "LIMIT"), rows)


def summary(report: Report) -> str:
    machine = report.machine
    cut = "; time was up before all rounds were run" if report.cut_short else ""
    return (
        f"{machine.cpus} cores, {machine.system}, Python {machine.python}; load {machine.load_before} before and "
        f"{machine.load_after} after; {report.rounds} rounds in {report.seconds:.0f} s{cut}"
    )


def _scenario(report: Report, name: str) -> Table:
    rows = [each for each in report.measured if each.scenario == name]
    headings = ("", "FIRST p50", "p95", "ADDED", "low…high", "TOTAL p50", "DELTAS/S", "low…high", "REQ/S", "CPU ms", "WRONG")
    shown = [_measured(each) for each in rows]
    chain, relays = report.find(name, CHAIN), report.find(name, relay_name(RELAYS))
    return Table(f"{name} ({_ratios(chain, relays)})", headings, shown)


def _measured(row: Measured) -> Row:
    return (
        row.subject,
        f"{row.first_p50_ms:.2f}",
        f"{row.first_p95_ms:.2f}",
        f"{row.added_first_ms.median:.2f}" if row.added_first_ms else "",
        _range(row.added_first_ms, ".2f"),
        f"{row.total_p50_ms:.1f}",
        f"{row.deltas_per_second.median:,.0f}",
        _range(row.deltas_per_second, ",.0f"),
        f"{row.requests_per_second.median:,.0f}",
        f"{row.cpu_ms_per_request:.1f}" if row.cpu_ms_per_request is not None and row.cpu_ms_by_process else "",
        str(len(row.wrong) or ""),
    )


def _ratios(chain: Measured | None, relays: Measured | None) -> str:
    """The chain as a multiple of four bare relays, in what a user waits for and what the machine works."""
    if not chain or not relays:
        return "no ratio: something did not answer"
    parts = []
    if chain.added_first_ms and relays.added_first_ms and relays.added_first_ms.median > 0:
        parts.append(f"added time to first token {chain.added_first_ms.median / relays.added_first_ms.median:.2f} ×")
    if chain.deltas_per_second.median and relays.deltas_per_second.median:
        parts.append(f"deltas/s {chain.deltas_per_second.median / relays.deltas_per_second.median:.2f} ×")
    if chain.cpu_ms_per_request and relays.cpu_ms_per_request:
        parts.append(f"CPU {chain.cpu_ms_per_request / relays.cpu_ms_per_request:.2f} ×")
    return f"chain to {relay_name(RELAYS)}: {', '.join(parts)}"


def _cpu(report: Report) -> Table:
    rows = [each for each in report.measured if each.cpu_ms_by_process and each.subject == CHAIN]
    names = list(dict.fromkeys(name for row in rows for name in row.cpu_ms_by_process))
    shown = [(row.scenario, *[f"{row.cpu_ms_by_process.get(name, 0.0):.2f}" for name in names]) for row in rows]
    return Table("CPU milliseconds per request, by process of the chain", ("", *names), shown)


def _memory(memory: Sequence[Memory]) -> Table:
    rows = [
        (f"{each.subject}: {name}", f"{each.idle.get(name, 0.0):.1f}", f"{each.worked.get(name, 0.0):.1f}")
        for each in memory
        for name in {**each.idle, **each.worked}
    ]
    rows += [(f"{each.subject}: sum", f"{each.idle_sum:.1f}", f"{each.worked_sum:.1f}") for each in memory if each.idle_sum]
    return Table("PSS in MB", ("", "FIRST REQUEST", "AFTER ALL"), rows)


def _starts(report: Report) -> Table:
    shown = " ".join(f"{seconds:.2f}" for seconds in report.start_seconds)
    return Table("Command to ready, seconds", ("", "MEDIAN", "EACH"), [(CHAIN, f"{median(report.start_seconds):.2f}", shown)])


def _range(found: Spread | None, form: str) -> str:
    return f"{found.low:{form}}…{found.high:{form}}" if found else ""


def _padded(row: Row, widths: Sequence[int]) -> str:
    cells = [cell.rjust(width) if place else cell.ljust(width) for place, (cell, width) in enumerate(zip(row, widths, strict=True))]
    return "  ".join(cells).rstrip()
