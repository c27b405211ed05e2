"""Counters of a whole run, fed with every line of a request. Pure.

Names that come from outside are bounded: of models there are as many as the catalog has, and what is beyond that is counted as
`other`, so that nobody can fill the memory of whoever collects these numbers.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence

from .line import Line

# Seconds. What hops add lies in the lower half, what models take in the upper one.
OWN_BOUNDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0)
LONG_BOUNDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
MOST_SERIES = 200
OTHER = "other"

Labels = tuple[str, ...]


class Counters:
    """Numbers by labels."""

    def __init__(self) -> None:
        self._values: dict[Labels, float] = {}

    def add(self, labels: Labels, amount: float = 1) -> None:
        labels = _bounded(labels, self._values)
        self._values[labels] = self._values.get(labels, 0) + amount

    def __iter__(self) -> Iterator[tuple[Labels, float]]:
        return iter(sorted(self._values.items()))


class Histograms:
    """Distributions by labels; `counts` holds one number per bound and one for what is beyond the last."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self._values: dict[Labels, tuple[list[int], float]] = {}

    def add(self, labels: Labels, value: float) -> None:
        labels = _bounded(labels, self._values)
        counts, total = self._values.get(labels) or ([0] * (len(self.bounds) + 1), 0.0)
        counts[bisect_left(self.bounds, value)] += 1
        self._values[labels] = counts, total + value

    def __iter__(self) -> Iterator[tuple[Labels, list[int], float]]:
        return ((labels, counts, total) for labels, (counts, total) in sorted(self._values.items()))


class Meter:
    """`door` is the name of the first stage."""

    def __init__(self, door: str) -> None:
        self._door = door
        self.requests = Counters()  # stage, outcome
        self.own_seconds = Histograms(OWN_BOUNDS)  # stage
        self.request_seconds = Histograms(LONG_BOUNDS)  # outcome
        self.retries = Counters()  # stage
        self.model_requests = Counters()  # slug, upstream, outcome
        self.first_token_seconds = Histograms(LONG_BOUNDS)  # slug, upstream
        self.tokens = Counters()  # slug, upstream, kind

    def feed(self, stage: str, line: Line) -> None:
        self.requests.add((stage, line.verdict))
        if line.own_ms is not None:
            self.own_seconds.add((stage,), line.own_ms / 1000)
        if line.retries:
            self.retries.add((stage,), sum(line.retries.values()))
        if stage == self._door and line.method == "POST":
            self.request_seconds.add((line.verdict,), line.ms / 1000)
        if line.upstream:
            self._feed_model((line.slug, line.upstream), line)

    def _feed_model(self, labels: Labels, line: Line) -> None:
        self.model_requests.add((*labels, line.verdict))
        if (heard := line.read_ms if line.read_ms is not None else line.first_ms) is not None:
            self.first_token_seconds.add(labels, heard / 1000)
        if line.tokens is not None:
            for kind in ("input", "cached", "output", "reasoning"):
                self.tokens.add((*labels, kind), getattr(line.tokens, kind))


def _bounded(labels: Labels, known: Mapping[Labels, object]) -> Labels:
    """The labels, or those of all that have come too late."""
    return labels if labels in known or len(known) < MOST_SERIES else (OTHER,) * len(labels)
