"""From lines to a waterfall: places in time, shares, gaps, and the sentence of a failure."""

from __future__ import annotations

from typing import Any

import pytest
from codex_shim.orchestrator.traces import waterfall
from codex_shim.orchestrator.traces.book import TraceBook
from codex_shim.orchestrator.traces.trace import Trace, build
from request_lines import exchange, line, relayed

CHAIN = ("ingress", "policy", "redact", "router")


def traced(*lines: tuple[str, str], chain: tuple[str, ...] = CHAIN) -> Trace:
    ring = TraceBook("ingress")
    for stage, text in lines:
        ring.feed(stage, text)
    record = ring.find("")[0]
    trace = build(record.request_id, record.lines, chain, {"kimi"}, turn=record.turn)
    assert trace is not None
    return trace


def test_hops_stand_in_their_order_whichever_line_came_first() -> None:
    trace = traced(*exchange())
    assert [(hop.stage, hop.kind) for hop in trace.hops] == [
        ("ingress", "stage"),
        ("policy", "stage"),
        ("redact", "gap"),
        ("router", "stage"),
        ("kimi", "stage"),
        ("api.moonshot.ai", "upstream"),
    ]
    assert [hop.start_ms for hop in trace.hops] == pytest.approx([0, 1.5, 2.5, 5, 6, 7], abs=0.01)


def test_a_share_is_what_remains_without_the_hop_behind() -> None:
    ingress, policy, redact, router, worker, upstream = traced(*exchange()).hops
    assert ingress.before_ms == pytest.approx(36.6 - 34.6, abs=0.01)
    assert ingress.after_ms == pytest.approx(40 - 39.5, abs=0.01)
    assert ingress.chunk_ms == pytest.approx(0.1)
    # What redact has heard is what policy has sent, and the other way round.
    assert (redact.start_ms, redact.end_ms) == pytest.approx((2.5, 38.5), abs=0.01)
    assert redact.before_ms == pytest.approx((36 - 2.5) - 28.6, abs=0.01)
    assert policy.before_ms is not None and router.before_ms is not None
    # The worker's own time: until it had sent, and from what it had read to what it had written.
    assert worker.before_ms == pytest.approx(1 + 0.1, abs=0.01)
    assert worker.after_ms == pytest.approx(1, abs=0.01)
    assert (upstream.start_ms, upstream.first_ms, upstream.end_ms) == pytest.approx((7, 32.5, 35), abs=0.01)


def test_the_whole_is_told_by_those_who_know() -> None:
    trace = traced(*exchange())
    assert (trace.slug, trace.egress, trace.upstream, trace.dialect) == ("kimi", "kimi", "api.moonshot.ai", "chat")
    assert trace.tokens is not None
    assert (trace.tokens.input, trace.tokens.cached, trace.tokens.output, trace.tokens.reasoning) == (100, 80, 20, 0)
    assert trace.first_token_ms == pytest.approx(6 + 26.5, abs=0.01)
    assert trace.tokens_per_second == pytest.approx(20 / 0.0025, rel=0.01)


def test_clocks_that_differ_do_not_take_a_hop_out_of_the_one_that_asked_it() -> None:
    trace = traced(
        ("ingress", relayed("x", 0, 20, "a" * 16)),
        ("router", relayed("x", -3, 40, "b" * 16, "a" * 16)),
        chain=("ingress", "router"),
    )
    # The router's clock is behind, so that it seems to have been first, and to have ended last.
    assert [(hop.stage, hop.start_ms, hop.end_ms) for hop in trace.hops] == [("ingress", 0, 20), ("router", 1, 20)]


def test_a_stage_that_asks_twice_has_both_behind_it() -> None:
    lines = [
        ("ingress", relayed("x", 0, 60, "a" * 16)),
        ("router", relayed("x", 5, 10, "b" * 16, "a" * 16, outcome="server_error", error="gone")),
        ("router", relayed("x", 25, 30, "c" * 16, "a" * 16)),
    ]
    trace = traced(*lines, chain=("ingress", "twice", "router"))
    assert [hop.stage for hop in trace.hops] == ["ingress", "twice", "router", "router"]
    assert [hop.start_ms for hop in trace.hops] == pytest.approx([0, 1, 5, 25], abs=0.01)


def test_without_spans_the_order_tells() -> None:
    told: dict[str, Any] = {"span": None, "parent": None, "trace": None}
    trace = traced(
        ("ingress", line(ms=30, sent_ms=1, first_ms=20, **told)),
        ("mine", line(at_ms=5, ms=20, first_ms=12, **told)),
        chain=("ingress", "mine"),
    )
    assert [(hop.stage, hop.before_ms) for hop in trace.hops] == [("ingress", 8.0), ("mine", 12.0)]


def test_a_chain_that_ends_in_a_stage_without_lines_has_it_as_its_last_row() -> None:
    trace = traced(("ingress", relayed("x", 0, 20, "a" * 16)), chain=("ingress", "outside"))
    assert [(hop.stage, hop.kind, hop.start_ms) for hop in trace.hops] == [("ingress", "stage", 0), ("outside", "gap", 1)]


@pytest.mark.parametrize(
    ("probe", "expected"),
    [
        ("probe-ingress-redact", ["ingress", "probe-ingress-redact", "redact", "router"]),
        ("probe-redact-router", ["ingress", "redact", "probe-redact-router", "router"]),
    ],
)
def test_a_probe_stands_where_its_name_says(probe: str, expected: list[str]) -> None:
    lines = [
        ("ingress", relayed("x", 0, 60, "a" * 16)),
        (probe, relayed("x", 5, 50, "b" * 16, "a" * 16)),
        ("router", relayed("x", 10, 40, "c" * 16, "b" * 16)),
    ]
    assert [hop.stage for hop in traced(*lines, chain=("ingress", "redact", "router")).hops][:4] == expected


def test_a_failure_is_told_with_the_hop_that_knows_of_it_first() -> None:
    trace = traced(
        ("ingress", relayed("x", 0, 20, "a" * 16, error="kimi: busy", ended="response.failed")),
        ("kimi", line("x", 2, outcome="rate_limit_exceeded", status=429, error={"message": "busy"}, upstream="h", sent_ms=1)),
        chain=("ingress",),
    )
    assert (trace.verdict, trace.error, trace.failed_at) == ("failed", "busy", "kimi")
    assert "error: busy (told by kimi)" in waterfall.sentences(trace)


def test_the_drawing_keeps_its_columns_and_shows_whatever_took_time() -> None:
    trace = traced(*exchange())
    rows = waterfall.rows(trace, 20)
    assert all(len(row) == len(waterfall.HEADINGS) for row in rows)
    assert all(0 < len(row[-1]) <= 20 and row[-1].strip() for row in rows)
    assert [row[0] for row in rows][2] == "[redact]"
    assert rows[0][-1] == "░" * 18 + "██"
    assert len(waterfall.summary(trace)) == len(waterfall.LIST_HEADINGS)
    assert "tokens: 100 in (80 from the cache, 80 %), 20 out, 8,000 per second" in waterfall.sentences(trace)
