"""What the chain may cost, and whether it does. Pure: a report in, verdicts out. The reasons are in docs/performance.md."""

from __future__ import annotations

from .results import Linear, Measured, Report, Verdict
from .statistics import median, ratio
from .subjects import CHAIN, RELAYS, relay_name

FIRST_TOKEN_FACTOR = 1.5
DELTAS_FACTOR = 3.0
LARGE_FACTOR = 0.25
MEMORY_MB = 120.0
START_SECONDS = 1.0
# A quadratic cost would show as ten or eight; what noise and memory's first touch do stays below this.
LINEAR_FACTOR = 1.5
EARLIER = "earlier"  # --against earlier=URL: the single-process shim that this chain replaces


def judge(report: Report) -> list[Verdict]:
    """In the order of importance. A budget whose numbers were not measured is named all the same."""
    return [
        _first_token(report),
        _deltas(report),
        _large(report),
        *[_linear(each) for each in report.linear],
        _memory(report),
        _start(report),
    ]


def _first_token(report: Report) -> Verdict:
    chain, relays = _added(report, "usual", CHAIN), _added(report, "usual", relay_name(RELAYS))
    return _compare(
        "added time to first token, 20 kB", f"≤ {FIRST_TOKEN_FACTOR} × {RELAYS} bare relays", chain, relays, FIRST_TOKEN_FACTOR
    )


def _large(report: Report) -> Verdict:
    chain, earlier = _added(report, "large", CHAIN), _added(report, "large", EARLIER)
    return _compare("added time to first token, 500 kB", f"≤ {LARGE_FACTOR} × the earlier shim", chain, earlier, LARGE_FACTOR)


def _compare(budget: str, limit: str, mine: float | None, theirs: float | None, factor: float) -> Verdict:
    share = ratio(mine, theirs) if mine is not None and theirs is not None else None
    if mine is None or theirs is None or share is None:
        return _unknown(budget, limit)
    return Verdict(budget=budget, limit=limit, measured=f"{share:.2f} × ({mine:.2f} ms to {theirs:.2f} ms)", met=share <= factor)


def _deltas(report: Report) -> Verdict:
    budget, limit = "deltas per second", f"≥ {DELTAS_FACTOR:g} × the earlier shim"
    chain, earlier = report.find("long", CHAIN), report.find("long", EARLIER)
    share = ratio(_rate(chain), _rate(earlier)) if chain and earlier else None
    if chain is None or earlier is None or share is None:
        return _unknown(budget, limit)
    measured = f"{share:.2f} × ({_rate(chain):,.0f} to {_rate(earlier):,.0f})"
    return Verdict(budget=budget, limit=limit, measured=measured, met=share >= DELTAS_FACTOR)


def _linear(each: Linear) -> Verdict:
    budget, limit = f"linear in {each.name}: {each.more} against {each.less}", f"≤ {LINEAR_FACTOR} × per {each.unit}"
    if each.ratio is None or each.wrong:
        return _unknown(budget, limit)
    measured = f"{each.ratio:.2f} × ({each.more_us:,.1f} µs to {each.less_us:,.1f} µs of {each.by})"
    return Verdict(budget=budget, limit=limit, measured=measured, met=each.ratio <= LINEAR_FACTOR)


def _memory(report: Report) -> Verdict:
    budget, limit = "memory, sum of PSS behind all scenarios", f"≤ {MEMORY_MB:.0f} MB"
    found = next((each for each in report.memory if each.subject == CHAIN and each.worked_sum), None)
    if found is None:
        return _unknown(budget, limit)
    measured = f"{found.worked_sum:.1f} MB ({found.idle_sum:.1f} MB before)"
    return Verdict(budget=budget, limit=limit, measured=measured, met=found.worked_sum <= MEMORY_MB)


def _start(report: Report) -> Verdict:
    budget, limit = "`pipeline up` to ready", f"≤ {START_SECONDS:.1f} s"
    if not report.start_seconds:
        return _unknown(budget, limit)
    found = median(report.start_seconds)
    return Verdict(budget=budget, limit=limit, measured=f"{found:.2f} s", met=found <= START_SECONDS)


def _unknown(budget: str, limit: str) -> Verdict:
    return Verdict(budget=budget, limit=limit, measured="not measured", met=None)


def _added(report: Report, scenario: str, subject: str) -> float | None:
    found = report.find(scenario, subject)
    return found.added_first_ms.median if found and found.added_first_ms else None


def _rate(row: Measured) -> float:
    return row.deltas_per_second.median
