"""The fields of a request's log line that programs put together again; a person is shown the others."""

from __future__ import annotations

FOR_PROGRAMS = frozenset(
    {
        "began",
        "sent_ms",
        "headers_ms",
        "read_ms",
        "ended_ms",
        "chunks",
        "chunk_ms",
        "trace",
        "span",
        "parent",
        "dialect",
        "upstream_model",
        "project",
    }
)
