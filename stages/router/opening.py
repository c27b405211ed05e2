"""Whether a stream has said anything yet: what comes before can still be taken back. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from ..contract.body import UNREADABLE
from ..contract.errors import Failure
from ..contract.sse import Frame, SSEDecoder
from .reasons import in_stream

# What a stream begins with whether it will succeed or not.
_PREAMBLE = frozenset({"response.created", "response.in_progress", "response.queued", "keepalive", "codex.rate_limits"})


class _Response(msgspec.Struct):
    status: str = ""
    error: Any = None


class _Event(msgspec.Struct):
    type: str = ""
    response: _Response | None = None


class Opening:
    """Feed it the stream until it is `settled`; `failure` is then why it failed before it said anything, if it did."""

    def __init__(self) -> None:
        self._decoder = SSEDecoder()
        self.settled = False
        self.failure: Failure | None = None

    def feed(self, chunk: bytes) -> None:
        for frame in self._decoder.feed(chunk):
            if not self.settled:
                self._take(frame)

    def _take(self, frame: Frame) -> None:
        event = _read(frame.data, _Event)
        if event is not None and event.type in _PREAMBLE:
            return
        self.settled = True
        if event is not None and event.type == "response.failed":
            self.failure = in_stream(event.response.error if event.response else None)


def failure_in(body: bytes) -> Failure | None:
    """Of an answer in one piece of JSON."""
    response = _read(body, _Response)
    return in_stream(response.error) if response is not None and response.status == "failed" else None


def _read(data: bytes, kind: type[Any]) -> Any:
    try:
        return msgspec.json.decode(data, type=kind)
    except UNREADABLE:
        return None
