"""The canonical line of one request at one hop, as far as it tells of time, tokens and ends. Pure.

A stage of any language that prints such a line is seen like one of ours; only `event` and `request_id` must be there.
"""

from __future__ import annotations

from typing import Any

import msgspec

MARK = '"event":"request"'
# A line that is longer is not kept: it is no canonical one.
MOST_CHARACTERS = 16_384


class Tokens(msgspec.Struct, frozen=True, omit_defaults=True):
    """`cached` is a part of `input`, `reasoning` one of `output`."""

    input: int = 0
    cached: int = 0
    output: int = 0
    reasoning: int = 0


class Line(msgspec.Struct, frozen=True):
    """stages/kit/timing.py says what the moments mean."""

    request_id: str
    ts: float = 0.0
    method: str = ""
    path: str = ""
    status: int | None = None
    outcome: str = ""
    began: float | None = None
    ms: float = 0.0
    sent_ms: float | None = None
    headers_ms: float | None = None
    read_ms: float | None = None
    first_ms: float | None = None
    ended_ms: float | None = None
    chunks: int = 0
    chunk_ms: float = 0.0
    retries: dict[str, int] = {}
    trace: str | None = None
    span: str | None = None
    parent: str | None = None
    model: Any = None
    egress: str | None = None
    project: Any = None
    upstream: str | None = None
    upstream_model: str | None = None
    dialect: str | None = None
    ended: Any = None
    usage: Any = None
    error: Any = None

    @property
    def start(self) -> float:
        """Seconds since the epoch."""
        return self.began if self.began is not None else self.ts - self.ms / 1000

    @property
    def end(self) -> float:
        return self.start + self.ms / 1000

    @property
    def slug(self) -> str:
        return self.model if isinstance(self.model, str) else ""

    @property
    def failed(self) -> bool:
        """Also where the failure was told inside of a stream."""
        return self.outcome not in ("ok", "cancelled") or self.ended in ("response.failed", "failed") or self.error is not None

    @property
    def verdict(self) -> str:
        """`ok`, `cancelled` or `failed`."""
        return "failed" if self.failed else self.outcome

    @property
    def own_ms(self) -> float | None:
        """What this hop took for itself before its first piece was out; None where there is none."""
        if self.first_ms is None:
            return None
        if self.sent_ms is None:
            return self.first_ms
        early = self.read_ms is None or self.read_ms > self.first_ms
        there = (self.headers_ms if early else self.read_ms) or self.sent_ms
        return self.sent_ms + max(self.first_ms - there, 0.0)

    @property
    def tokens(self) -> Tokens | None:
        """What the terminal event has counted."""
        if not isinstance(self.usage, dict):
            return None
        return Tokens(
            input=_count(self.usage.get("input_tokens")),
            cached=_detail(self.usage, "input_tokens_details", "cached_tokens"),
            output=_count(self.usage.get("output_tokens")),
            reasoning=_detail(self.usage, "output_tokens_details", "reasoning_tokens"),
        )

    @property
    def sentence(self) -> str | None:
        """Of the failure."""
        if isinstance(self.error, dict):
            return str(self.error.get("message") or self.error.get("code") or "")
        return None if self.error is None else str(self.error)


_decoder = msgspec.json.Decoder(Line)


def may_tell(text: str) -> bool:
    """Whether it is worth reading; one search."""
    return MARK in text and len(text) <= MOST_CHARACTERS


def read(text: str) -> Line | None:
    """None for any other line."""
    if not may_tell(text):
        return None
    try:
        return _decoder.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None


def _detail(usage: dict[str, Any], part: str, name: str) -> int:
    details = usage.get(part)
    return _count(details.get(name)) if isinstance(details, dict) else 0


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
