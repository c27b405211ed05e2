"""Many rounds become one row. Pure.

Rounds are interleaved, so what disturbs the machine disturbs all subjects alike: the added time is taken within each round, and
the median over rounds is told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .jobs import Outcome
from .results import Linear, Measured
from .scenarios import Pair, Scenario
from .statistics import Spread, median, quantile, ratio, spread


def summarise(scenario: Scenario, subject: str, outcomes: Sequence[Outcome], against: Sequence[Outcome] | None) -> Measured:
    """`against` holds the outcomes of what the added time is told against, of the same rounds."""
    first = [value for outcome in outcomes for value in outcome.first_ms]
    total = [value for outcome in outcomes for value in outcome.total_ms]
    return Measured(
        scenario=scenario.name,
        subject=subject,
        requests=len(first),
        wrong=sorted({sentence for outcome in outcomes for sentence in outcome.wrong}),
        first_p50_ms=round(median(first), 3),
        first_p95_ms=round(quantile(first, 0.95), 3),
        total_p50_ms=round(median(total), 3),
        added_first_ms=_added([each.first_ms for each in outcomes], [each.first_ms for each in against or ()]),
        added_total_ms=_added([each.total_ms for each in outcomes], [each.total_ms for each in against or ()]),
        deltas_per_second=spread([rate * scenario.script.deltas for rate in _rates(outcomes)]),
        requests_per_second=spread(_rates(outcomes)),
    )


def note_cpu(row: Measured, used: Mapping[str, float], requests: int) -> None:
    """`used` is in seconds by process; `requests` counts the warm-up too, since its CPU cannot be told apart."""
    if not used or not requests:
        return
    row.cpu_ms_by_process = {name: round(seconds * 1000 / requests, 3) for name, seconds in used.items()}
    row.cpu_ms_per_request = round(sum(used.values()) * 1000 / requests, 3)


def compare(pair: Pair, outcomes: Sequence[Outcome], cpu_seconds: Sequence[float], requests: int) -> Linear:
    """By CPU where there is enough of it to be counted; `requests` includes the warm-up then."""
    by_cpu = all(cpu_seconds)
    costs = [used * 1e6 / requests for used in cpu_seconds] if by_cpu else [median(each.total_ms) * 1000 for each in outcomes]
    less_us, more_us = (cost / units for cost, units in zip(costs, pair.units(), strict=True))
    less, more = pair.amounts()
    return Linear(
        name=pair.name,
        unit=pair.unit,
        less=less,
        more=more,
        by="CPU" if by_cpu else "time",
        less_us=round(less_us, 2),
        more_us=round(more_us, 2),
        ratio=ratio(more_us, less_us),
        wrong=[sentence for outcome in outcomes for sentence in outcome.wrong],
    )


def _added(values: Sequence[Sequence[float]], others: Sequence[Sequence[float]]) -> Spread | None:
    differences = [median(mine) - median(theirs) for mine, theirs in zip(values, others, strict=False) if mine and theirs]
    return spread(differences) if differences else None


def _rates(outcomes: Sequence[Outcome]) -> list[float]:
    return [len(outcome.first_ms) / outcome.seconds for outcome in outcomes if outcome.seconds and outcome.first_ms]
