"""Spans for a collector: ids, parents, times, and the names of the conventions."""

from __future__ import annotations

from typing import Any

import msgspec
from codex_shim.stages.otel.spans import Span, Trace, of_trace

HOPS: list[dict[str, Any]] = [
    {"stage": "ingress", "kind": "stage", "start_ms": 0.0, "ms": 40.0, "span": "a" * 16, "parent": "9" * 16, "status": 200},
    {"stage": "redact", "kind": "gap", "start_ms": 1.0, "ms": 38.0},
    {"stage": "router", "kind": "stage", "start_ms": 2.0, "ms": 36.0, "span": "b" * 16, "parent": "a" * 16},
    {"stage": "kimi", "kind": "stage", "start_ms": 3.0, "ms": 34.0, "span": "c" * 16, "parent": "b" * 16},
    {"stage": "api.openai.com", "kind": "upstream", "start_ms": 4.0, "ms": 30.0},
]


def spans(**fields: Any) -> list[Span]:
    usual = {"id": "req_1", "turn": 1, "began": 1_700_000_000.0, "ms": 40.0, "verdict": "ok", "trace": "f" * 32, "slug": "kimi"}
    told = usual | {"upstream": "api.openai.com", "upstream_model": "gpt", "path": "/v1/responses", "hops": HOPS} | fields
    return of_trace(msgspec.convert(told, Trace))


def test_each_hop_stands_below_the_one_that_has_asked_it_also_where_that_logs_nothing() -> None:
    ingress, redact, router, kimi, upstream = spans()
    assert ingress.parent == "9" * 16
    assert [redact.parent, router.parent, kimi.parent, upstream.parent] == [ingress.id, redact.id, router.id, kimi.id]
    assert {span.trace for span in spans()} == {"f" * 32}
    assert [span.id for span in spans()] == [span.id for span in spans()], "the same trace gives the same spans"
    assert len({span.id for span in spans()}) == 5
    assert (router.start, router.end) == (1_700_000_000_002_000_000, 1_700_000_000_038_000_000)


def test_the_models_part_has_the_names_of_the_conventions() -> None:
    *_, upstream = spans(tokens={"input": 9, "cached": 4, "output": 3, "reasoning": 1}, first_token_ms=14.0)
    assert (upstream.name, upstream.kind) == ("chat gpt", "client")
    given = {name: value for name, value in upstream.attributes.items() if name.startswith(("gen_ai.", "server."))}
    assert given == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt",
        "gen_ai.response.time_to_first_chunk": 0.01,
        "gen_ai.usage.input_tokens": 9,
        "gen_ai.usage.output_tokens": 3,
        "gen_ai.usage.cache_read.input_tokens": 4,
        "gen_ai.usage.reasoning.output_tokens": 1,
        "server.address": "api.openai.com",
    }


def test_a_failure_is_the_spans_status_and_its_type() -> None:
    hops = [{**HOPS[0], "status": 429, "outcome": "failed", "error": "busy"}]
    (door,) = spans(hops=hops, upstream="", trace=None)
    assert (door.failure, door.attributes["error.type"], door.kind) == ("busy", "429", "server")
    assert len(door.trace) == 32
