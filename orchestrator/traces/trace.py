"""One request as a waterfall: its hops in order, each with its place in time and what it added. Pure.

A hop's share is what remains when the hop behind it is taken out, so that the way between two processes counts as well. A stage
that prints no lines is a gap between its neighbours, and is inferred from them. What the upstream took is a row of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal

import msgspec

from .line import Line, Tokens

Kind = Literal["stage", "gap", "upstream"]


class Hop(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Milliseconds; `start_ms` and `first_ms` from the beginning of the request, `ms` from the hop's own beginning.

    `before_ms`, `chunk_ms` (for one chunk) and `after_ms` are what the hop added before the first byte, per chunk and at the end.
    """

    stage: str
    kind: Kind
    start_ms: float
    ms: float
    first_ms: float | None = None
    before_ms: float | None = None
    chunk_ms: float | None = None
    after_ms: float | None = None
    chunks: int = 0
    status: int | None = None
    outcome: str = ""
    error: str | None = None
    span: str | None = None
    parent: str | None = None

    @property
    def end_ms(self) -> float:
        return self.start_ms + self.ms

    @property
    def added_ms(self) -> float | None:
        """All in all."""
        if self.before_ms is None:
            return None
        return self.before_ms + (self.chunk_ms or 0.0) * self.chunks + (self.after_ms or 0.0)


class Trace(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`turn` counts requests in the order they ended, and is 0 while one is not over. `began` is in seconds since the epoch;
    `first_token_ms` is when the upstream's first piece had come."""

    id: str
    turn: int
    began: float
    ms: float
    verdict: str
    path: str = ""
    trace: str | None = None
    slug: str = ""
    egress: str = ""
    upstream: str = ""
    upstream_model: str = ""
    dialect: str = ""
    ended: str = ""
    first_ms: float | None = None
    first_token_ms: float | None = None
    tokens: Tokens | None = None
    tokens_per_second: float | None = None
    retries: dict[str, dict[str, int]] = {}  # by stage, then by reason
    error: str | None = None
    failed_at: str = ""
    hops: list[Hop] = []


class _Span:
    """A hop on its way to be one: times from the beginning of the request."""

    def __init__(self, stage: str, told: Line | None, start: float, end: float, first: float | None, outer: _Span | None) -> None:
        self.outer = outer
        self.stage = stage
        self.told = told
        self.start = start
        self.end = end
        self.first = first


def build(
    request_id: str, lines: Sequence[tuple[str, Line]], chain: Sequence[str], egress: Collection[str] = (), *, turn: int = 0
) -> Trace | None:
    """`chain` are the names of the stages in their order, `egress` those of the workers behind it. None where no line tells
    anything."""
    told = _ordered(lines)
    if not told:
        return None
    spans = _nested(told)
    hops = _hops(_with_gaps(spans, chain, egress))
    return _described(request_id, turn, told, hops)


# -- places in time ---------------------------------------------------------------------------------------------------


def _ordered(lines: Sequence[tuple[str, Line]]) -> list[tuple[str, Line]]:
    """By their time, but nobody before the one that has asked it: of a clock that is behind, this must not be the judge."""
    waiting, found = sorted(lines, key=lambda pair: pair[1].start), []
    while waiting:
        spans = {line.span for _, line in waiting if line.span}
        found.append(next((pair for pair in waiting if pair[1].parent not in spans), waiting[0]))
        waiting.remove(found[-1])
    return found


def _nested(told: Sequence[tuple[str, Line]]) -> list[_Span]:
    """Each within the one that has asked it: clocks of two processes may differ by a little, and the last words of an inner hop may
    be spoken when the outer one is done."""
    origin = told[0][1].start
    spans: list[_Span] = []
    for stage, line in told:
        outer = _asker(spans, line)
        start, end = (line.start - origin) * 1000, (line.end - origin) * 1000
        if outer is not None:
            start = min(max(start, outer.start + (_sent(outer) or 0.0)), outer.end)
            end = max(min(end, outer.end), start)
        first = None if line.first_ms is None else min(start + line.first_ms, end)
        spans.append(_Span(stage, line, start, end, first, outer))
    return spans


def _asker(spans: Sequence[_Span], line: Line) -> _Span | None:
    """Whose request this was. A stage that is not ours passes the span of the one before it on; one that drops it leaves us with
    the order."""
    named = [span for span in spans if span.told and span.told.span and span.told.span == line.parent]
    return named[-1] if named else spans[-1] if spans else None


def _sent(span: _Span) -> float | None:
    return span.told.sent_ms if span.told else None


def _inner(span: _Span, spans: Sequence[_Span]) -> _Span | None:
    """Whom it has asked; where it asked more than once, the one that was asked last."""
    return next((each for each in reversed(spans) if each.outer is span), None)


def _with_gaps(spans: Sequence[_Span], chain: Sequence[str], egress: Collection[str]) -> list[_Span]:
    """With what stands between two hops and says nothing."""
    found: list[_Span] = []
    for span in spans:
        found.append(span)
        inner = _inner(span, spans)
        silent = _silent(span, inner, chain, egress)
        if silent and _sent(span) is not None:
            gap = _gap(silent, span, inner)
            found.append(gap)
            for each in spans:
                each.outer = gap if each.outer is span else each.outer
    return found


def _silent(outer: _Span, inner: _Span | None, chain: Sequence[str], egress: Collection[str]) -> Sequence[str]:
    """The stages between."""
    return chain[_place(outer, chain, egress)[1] : _place(inner, chain, egress)[0] if inner else None]


def _place(span: _Span, chain: Sequence[str], egress: Collection[str]) -> tuple[int, int]:
    """How many stages of the chain come before this one, and how many with it. Egress workers stand behind all of
    them; a probe behind the one it is named after; a stage that has gone meanwhile behind the one that has asked it."""
    if span.stage in chain:
        place = chain.index(span.stage)
        return place, place + 1
    if span.stage in egress:
        return len(chain), len(chain)
    named = [place + 1 for place, name in enumerate(chain) if span.stage.startswith(f"probe-{name}-")]
    behind = named[-1] if named else _place(span.outer, chain, egress)[1] if span.outer else 0
    return behind, behind


def _gap(names: Sequence[str], outer: _Span, inner: _Span | None) -> _Span:
    line = outer.told
    assert line is not None and line.sent_ms is not None
    start = outer.start + line.sent_ms
    heard = line.read_ms if line.read_ms is not None else line.headers_ms
    first = None if heard is None else outer.start + heard
    end = outer.start + (line.ended_ms if line.ended_ms is not None else line.ms)
    end = max(end, start, inner.end if inner else 0.0)
    return _Span(" + ".join(names), None, start, min(end, outer.end), first, outer)


# -- shares -----------------------------------------------------------------------------------------------------------


def _hops(spans: Sequence[_Span]) -> list[Hop]:
    hops = [_hop(span, _inner(span, spans)) for span in spans]
    last = spans[-1]
    if last.told is not None and last.told.upstream and last.told.sent_ms is not None:
        hops.append(_upstream(last, last.told))
    return hops


def _hop(span: _Span, inner: _Span | None) -> Hop:
    line = span.told
    before, after = _shares(span, inner)
    return Hop(
        stage=span.stage,
        kind="stage" if line else "gap",
        start_ms=_ms(span.start),
        ms=_ms(span.end - span.start),
        first_ms=None if span.first is None else _ms(span.first),
        before_ms=before,
        chunk_ms=_ms(line.chunk_ms / line.chunks) if line and line.chunks and line.sent_ms is not None else None,
        after_ms=after,
        chunks=line.chunks if line else 0,
        status=line.status if line else None,
        outcome=line.verdict if line else "",
        error=line.sentence if line else None,
        span=line.span if line else None,
        parent=line.parent if line else None,
    )


def _shares(span: _Span, inner: _Span | None) -> tuple[float | None, float | None]:
    """Before the first byte, and at the end."""
    line = span.told
    if inner is not None:
        before = None
        if span.first is not None and inner.first is not None:
            before = _ms(max((span.first - span.start) - (inner.first - inner.start), 0.0))
        return before, _ms(max(span.end - inner.end, 0.0))
    if line is None:
        return None, None
    after = _ms(max(line.ms - line.ended_ms, 0.0)) if line.ended_ms is not None else None
    return None if line.own_ms is None else _ms(line.own_ms), after


def _upstream(span: _Span, line: Line) -> Hop:
    start = span.start + (line.sent_ms or 0.0)
    heard = line.read_ms if line.read_ms is not None else line.headers_ms
    end = span.start + (line.ended_ms if line.ended_ms is not None else heard if heard is not None else line.ms)
    return Hop(
        stage=line.upstream or "",
        kind="upstream",
        start_ms=_ms(start),
        ms=_ms(max(min(end, span.end) - start, 0.0)),
        first_ms=None if heard is None else _ms(min(span.start + heard, span.end)),
    )


# -- the whole --------------------------------------------------------------------------------------------------------


def _described(request_id: str, turn: int, told: Sequence[tuple[str, Line]], hops: list[Hop]) -> Trace:
    door = told[0][1]
    worker = next((line for _, line in reversed(told) if line.upstream), None)
    routed = next((line for _, line in told if line.egress), None)
    tokens = next((line.tokens for _, line in reversed(told) if line.tokens), None)
    failed_at, error = next(((stage, line.sentence) for stage, line in reversed(told) if line.sentence), ("", None))
    return Trace(
        id=request_id,
        turn=turn,
        began=door.start,
        ms=_ms(door.ms),
        verdict=_verdict(told),
        path=door.path,
        trace=door.trace,
        slug=next((line.slug for line in (worker, routed, door) if line and line.slug), ""),
        egress=(routed.egress if routed else "") or "",
        upstream=(worker.upstream if worker else "") or "",
        upstream_model=(worker.upstream_model if worker else "") or "",
        dialect=(worker.dialect if worker else "") or "",
        ended=door.ended if isinstance(door.ended, str) else "",
        first_ms=door.first_ms,
        first_token_ms=_first_token(door, worker) if worker else None,
        tokens=tokens,
        tokens_per_second=_speed(tokens, worker),
        retries={stage: line.retries for stage, line in told if line.retries},
        error=error,
        failed_at=failed_at,
        hops=hops,
    )


def _verdict(told: Sequence[tuple[str, Line]]) -> str:
    """The door's word, unless the failure was told further in and the door only passed it on."""
    door = told[0][1]
    if door.verdict != "ok":
        return door.verdict
    return "failed" if (door.status or 200) >= 400 else "ok"


def _first_token(door: Line, worker: Line) -> float | None:
    heard = worker.read_ms if worker.read_ms is not None else worker.first_ms
    return None if heard is None else _ms(max((worker.start - door.start) * 1000, 0.0) + heard)


def _speed(tokens: Tokens | None, worker: Line | None) -> float | None:
    """Output tokens per second, from the first piece of the answer to the last."""
    if tokens is None or worker is None or worker.read_ms is None or worker.ended_ms is None:
        return None
    seconds = (worker.ended_ms - worker.read_ms) / 1000
    return round(tokens.output / seconds, 1) if seconds > 0 and tokens.output else None


def _ms(value: float) -> float:
    return round(value, 3)
