"""`pipeline top` in words. Pure."""

from __future__ import annotations

from .top import Top
from .waterfall import number

HOP_HEADINGS = ("HOP", "RUNNING", "REQUESTS", "PER SECOND", "ADDED P50", "P95", "PER CHUNK", "ERRORS")
MODEL_HEADINGS = (
    *("MODEL", "UPSTREAM", "REQUESTS", "PER SECOND", "FIRST TOKEN P50", "P95", "TOKENS/S"),
    *("IN", "OUT", "CACHED", "RETRIES", "ERRORS"),
)


def headline(top: Top) -> str:
    return f"{top.requests} requests in {top.seconds:g} s, {top.per_second:g} per second, {top.errors} failed. Times in ms."


def hop_rows(top: Top) -> list[tuple[str, ...]]:
    """The columns of HOP_HEADINGS."""
    return [
        (
            hop.stage,
            "-" if hop.running is None else str(hop.running),
            str(hop.requests),
            f"{hop.per_second:g}",
            number(hop.added_p50_ms),
            number(hop.added_p95_ms),
            number(hop.chunk_ms, 3),
            str(hop.errors),
        )
        for hop in top.hops
    ]


def model_rows(top: Top) -> list[tuple[str, ...]]:
    """The columns of MODEL_HEADINGS."""
    return [
        (
            model.slug or "-",
            model.upstream or "-",
            str(model.requests),
            f"{model.per_second:g}",
            number(model.first_token_p50_ms),
            number(model.first_token_p95_ms),
            number(model.tokens_per_second),
            f"{model.input:,}",
            f"{model.output:,}",
            "-" if model.cache_hits is None else f"{100 * model.cache_hits:.0f} %",
            str(model.retries),
            str(model.errors),
        )
        for model in top.models
    ]
