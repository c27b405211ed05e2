"""The few figures that many measurements are told in. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec


class Spread(msgspec.Struct, frozen=True):
    """The median over the rounds, with the quarter below and above: noise is as wide as `high - low`."""

    median: float
    low: float
    high: float


def quantile(values: Sequence[float], share: float) -> float:
    """Between two values, as many parts of the way as the share says; 0 for none."""
    ordered = sorted(values)
    if not ordered:
        return 0.0
    place = (len(ordered) - 1) * share
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def median(values: Sequence[float]) -> float:
    return quantile(values, 0.5)


def spread(values: Sequence[float]) -> Spread:
    return Spread(round(median(values), 3), round(quantile(values, 0.25), 3), round(quantile(values, 0.75), 3))


def ratio(part: float, whole: float) -> float | None:
    """None where there is nothing to compare with: a difference that drowned in noise."""
    return round(part / whole, 3) if whole > 0 else None
