"""What is on top: rates, percentiles and errors of a window that moves on."""

from __future__ import annotations

import pytest
from codex_shim.orchestrator.traces import tables
from codex_shim.orchestrator.traces.line import Tokens
from codex_shim.orchestrator.traces.top import Window, percentile
from codex_shim.orchestrator.traces.trace import Hop, Trace

NOW = 1000.0


def trace(ended: float, slug: str = "kimi", *, added: float = 1.0, verdict: str = "ok", first: float = 100.0) -> Trace:
    hop = Hop(stage="policy", kind="stage", start_ms=0, ms=10, before_ms=added, chunk_ms=0.1, chunks=3, outcome=verdict)
    return Trace(
        id="x", turn=1, began=ended - 1, ms=1000, verdict=verdict, slug=slug, upstream="h", first_token_ms=first,
        tokens=Tokens(input=100, cached=25, output=10), tokens_per_second=50.0, retries={"kimi": {"why": 2}}, hops=[hop],
    )  # fmt: skip


def window(*traces: Trace, seconds: float = 10) -> Window:
    found = Window(seconds)
    for each in traces:
        found.add(each)
    return found


def test_what_is_older_than_the_window_does_not_count() -> None:
    top = window(trace(NOW - 11), trace(NOW - 9), trace(NOW)).top(NOW, {"ingress": None, "policy": 4})
    assert (top.requests, top.per_second) == (2, 0.2)
    assert [(hop.stage, hop.running, hop.requests) for hop in top.hops] == [("ingress", None, 0), ("policy", 4, 2)]


def test_hops_and_models_are_summed_up() -> None:
    traces = [trace(NOW - 1, added=number, first=10 * number) for number in range(1, 20)]
    top = window(*traces, trace(NOW, "other", added=100, verdict="failed")).top(NOW, {})
    (hop,) = top.hops
    assert (hop.added_p50_ms, hop.added_p95_ms, hop.errors) == (10, 19, 1)
    kimi, other = top.models
    assert (kimi.slug, kimi.requests, kimi.first_token_p50_ms, kimi.first_token_p95_ms) == ("kimi", 19, 100, 190)
    assert (kimi.cache_hits, kimi.tokens_per_second, kimi.retries, kimi.errors) == (0.25, 50.0, 38, 0)
    assert (other.errors, top.errors) == (1, 1)
    assert all(len(row) == len(tables.HOP_HEADINGS) for row in tables.hop_rows(top))
    assert all(len(row) == len(tables.MODEL_HEADINGS) for row in tables.model_rows(top))


@pytest.mark.parametrize(("values", "rank", "expected"), [([], 50, None), ([3], 95, 3), ([1, 2], 50, 1), ([1, 2], 95, 2)])
def test_a_percentile_is_one_of_the_values(values: list[float], rank: float, expected: float | None) -> None:
    assert percentile(values, rank) == expected
