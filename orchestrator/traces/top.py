"""What went through the chain in the last seconds, per hop and per model. Pure: traces and the time in, rows out.

How many requests are under way cannot be known from traces, which tell of what is over; the stages are asked for that
(`running` of their /health), and the answers come in here.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from .trace import Hop, Trace

SECONDS = 60.0


class HopRow(msgspec.Struct, frozen=True, kw_only=True):
    """Milliseconds that the hop added before the first byte; `running` is None where the stage does not say."""

    stage: str
    running: int | None
    requests: int
    per_second: float
    added_p50_ms: float | None
    added_p95_ms: float | None
    chunk_ms: float | None
    errors: int


class ModelRow(msgspec.Struct, frozen=True, kw_only=True):
    """`cache_hits` is the part of the input tokens that came from the provider's cache, 0 to 1."""

    slug: str
    upstream: str
    requests: int
    per_second: float
    first_token_p50_ms: float | None
    first_token_p95_ms: float | None
    tokens_per_second: float | None
    input: int
    output: int
    cache_hits: float | None
    retries: int
    errors: int


class Top(msgspec.Struct, frozen=True, kw_only=True):
    """`seconds` is the time that is looked back on."""

    seconds: float
    requests: int
    per_second: float
    errors: int
    hops: list[HopRow]
    models: list[ModelRow]


class Window:
    """The traces of the last `seconds`."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._traces: deque[Trace] = deque()

    def add(self, trace: Trace) -> None:
        self._traces.append(trace)

    def top(self, now: float, running: Mapping[str, int | None]) -> Top:
        """`running` holds the stages in the order of the chain, with what they have under way."""
        while self._traces and _ended(self._traces[0]) < now - self._seconds:
            self._traces.popleft()
        traces = [trace for trace in self._traces if _ended(trace) >= now - self._seconds]
        return Top(
            seconds=self._seconds,
            requests=len(traces),
            per_second=self._rate(len(traces)),
            errors=_failed(traces),
            hops=self._hops(traces, running),
            models=self._models(traces),
        )

    def _rate(self, count: int) -> float:
        return round(count / self._seconds, 2)

    def _hops(self, traces: Sequence[Trace], running: Mapping[str, int | None]) -> list[HopRow]:
        met: dict[str, list[Hop]] = {name: [] for name in running}
        for hop in (hop for trace in traces for hop in trace.hops if hop.kind != "upstream"):
            met.setdefault(hop.stage, []).append(hop)
        return [self._hop(name, hops, running.get(name)) for name, hops in met.items()]

    def _hop(self, name: str, hops: Sequence[Hop], running: int | None) -> HopRow:
        added = _known(hops, lambda hop: hop.before_ms)
        return HopRow(
            stage=name,
            running=running,
            requests=len(hops),
            per_second=self._rate(len(hops)),
            added_p50_ms=percentile(added, 50),
            added_p95_ms=percentile(added, 95),
            chunk_ms=percentile(_known(hops, lambda hop: hop.chunk_ms), 50),
            errors=sum(hop.outcome == "failed" for hop in hops),
        )

    def _models(self, traces: Iterable[Trace]) -> list[ModelRow]:
        by_model: dict[tuple[str, str], list[Trace]] = {}
        for trace in traces:
            by_model.setdefault((trace.slug, trace.upstream), []).append(trace)
        return [self._model(*names, asked) for names, asked in sorted(by_model.items())]

    def _model(self, slug: str, upstream: str, traces: Sequence[Trace]) -> ModelRow:
        first = _known(traces, lambda trace: trace.first_token_ms)
        counted = [trace.tokens for trace in traces if trace.tokens is not None]
        given = sum(tokens.input for tokens in counted)
        return ModelRow(
            slug=slug,
            upstream=upstream,
            requests=len(traces),
            per_second=self._rate(len(traces)),
            first_token_p50_ms=percentile(first, 50),
            first_token_p95_ms=percentile(first, 95),
            tokens_per_second=percentile(_known(traces, lambda trace: trace.tokens_per_second), 50),
            input=given,
            output=sum(tokens.output for tokens in counted),
            cache_hits=round(sum(tokens.cached for tokens in counted) / given, 3) if given else None,
            retries=sum(count for trace in traces for reasons in trace.retries.values() for count in reasons.values()),
            errors=_failed(traces),
        )


def percentile(values: Sequence[float], rank: float) -> float | None:
    """The smallest value that `rank` percent of all do not exceed; None of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[max(math.ceil(len(ordered) * rank / 100) - 1, 0)]


def _known(items: Iterable[object], of: Callable[..., float | None]) -> list[float]:
    return [value for item in items if (value := of(item)) is not None]


def _failed(traces: Sequence[Trace]) -> int:
    return sum(trace.verdict == "failed" for trace in traces)


def _ended(trace: Trace) -> float:
    return trace.began + trace.ms / 1000
