"""Many rounds become one row. Pure.

Rounds are interleaved, so what disturbs the machine disturbs all subjects alike: the added time is taken within each round, and
the median over rounds is told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .jobs import Outcome
from .results import Measured
from .scenarios import Scenario
from .statistics import Spread, median, quantile, spread


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


def _added(values: Sequence[Sequence[float]], others: Sequence[Sequence[float]]) -> Spread | None:
    differences = [median(mine) - median(theirs) for mine, theirs in zip(values, others, strict=False) if mine and theirs]
    return spread(differences) if differences else None


def _rates(outcomes: Sequence[Outcome]) -> list[float]:
    return [len(outcome.first_ms) / outcome.seconds for outcome in outcomes if outcome.seconds and outcome.first_ms]
