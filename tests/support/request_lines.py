"""Canonical lines of a request's hops, as stages write them."""

from __future__ import annotations

import json
from typing import Any

BEGAN = 1_700_000_000.0


def line(request_id: str = "req_1", at_ms: float = 0.0, **fields: Any) -> str:
    """A line whose request came `at_ms` after BEGAN."""
    began = BEGAN + at_ms / 1000
    record = {"ts": began, "stage": "?", "event": "request", "request_id": request_id, "method": "POST", "path": "/v1/responses"}
    usual = {"status": 200, "outcome": "ok", "began": began, "ms": 10.0}
    return json.dumps(record | usual | fields, separators=(",", ":"))


def relayed(request_id: str, at_ms: float, ms: float, span: str, parent: str | None = None, **fields: Any) -> str:
    """A hop that has sent the request on after 1 ms, heard of the answer 4 ms before its end, and wrote two pieces."""
    moments = {"sent_ms": 1.0, "headers_ms": ms - 4, "read_ms": ms - 3.5, "first_ms": ms - 3.4, "ended_ms": ms - 1, "chunks": 2}
    return line(request_id, at_ms, ms=ms, span=span, parent=parent, trace="a" * 32, chunk_ms=0.2, **(moments | fields))


def exchange(request_id: str = "req_1", at_ms: float = 0.0) -> list[tuple[str, str]]:
    """Four hops around a fifth that logs nothing, inner ones first, as they come."""
    usage = {"input_tokens": 100, "input_tokens_details": {"cached_tokens": 80}, "output_tokens": 20, "total_tokens": 120}
    worker = relayed(
        request_id, at_ms + 6, 30, "e" * 16, "c" * 16, model="kimi", upstream="api.moonshot.ai", dialect="chat", usage=usage
    )
    return [
        ("kimi", worker),
        ("router", relayed(request_id, at_ms + 5, 32, "c" * 16, "b" * 16, model="kimi", egress="kimi")),
        ("policy", relayed(request_id, at_ms + 1.5, 38, "b" * 16, "d" * 16)),
        ("ingress", relayed(request_id, at_ms, 40, "d" * 16, ended="response.completed", model="kimi", usage=usage)),
    ]
