"""The promise that every stream ends, once and well, whatever happens behind ingress. Pure: bytes in, bytes out.

Only whole frames go through, so that a hop that dies leaves no half frame with the client and a keepalive can be written between
any two. What cannot be a terminal event is not parsed: a frame of JSON can name one only by containing its name, which is one
search at memory speed. Frames that may be one are decoded and looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from ..contract.errors import SERVER_ERROR, Failure
from ..contract.events import TERMINAL, random_id, stream_error
from ..contract.sse import Frame, SSEDecoder, encode_event, encode_frame

KEEPALIVE = b'data: {"type":"keepalive"}\n\n'

# Either the name of a terminal event, a bare error event, or the chat protocol's end mark, which is none of ours.
_MARKS = (b"response.completed", b"response.failed", b"response.incomplete", b'"error"', b"[DONE]")
_EVENT_END = b"\n\n"


class _Head(msgspec.Struct):
    """As much of an event as the end of a stream needs."""

    type: str = ""
    sequence_number: int = -1
    response: msgspec.Raw = msgspec.Raw(b"")
    error: Any = None
    message: Any = None
    code: Any = None


class _Counted(msgspec.Struct):
    usage: Any = None


class StreamEnding:
    """Passes a stream on up to its terminal event, which it makes itself where none comes.

    `render` turns a failure into the one the client at hand should see.
    """

    def __init__(self, model: str, render: Callable[[Failure], Failure]) -> None:
        self.ended = False
        self.outcome = ""
        self.usage: Any = None  # of the terminal event, as it stood there
        self._model = model
        self._render = render
        self._held: list[bytes] = []
        self._first = b""
        self._latest = b""
        self._other_newlines: SSEDecoder | None = None

    def feed(self, chunk: bytes) -> bytes:
        """The bytes that may be sent now; nothing after the terminal event."""
        if self.ended:
            return b""
        whole = self._whole_frames(self._with_line_feeds(chunk))
        if not whole:
            return b""
        if any(mark in whole for mark in _MARKS):
            whole = b"".join(self._inspect(whole))
        self._first = self._first or whole
        self._latest = whole or self._latest
        return whole

    def fail(self, failure: Failure) -> bytes:
        """The end of a stream that has none of its own."""
        if self.ended:
            return b""
        self.ended, self.outcome = True, "response.failed"
        shown = self._render(failure)
        response = {**self._known_response(), "status": "failed", "error": stream_error(shown)}
        number = 1 + max([_head(frame).sequence_number for frame in SSEDecoder().feed(self._latest)], default=-1)
        return encode_event({"type": "response.failed", "sequence_number": number, "response": response})

    def _with_line_feeds(self, chunk: bytes) -> bytes:
        """Outside proxies and other languages may end lines with CR LF; from the first CR on, frames are rewritten."""
        if self._other_newlines is None:
            if b"\r" not in chunk:
                return chunk
            self._other_newlines = SSEDecoder()
            chunk, self._held = b"".join([*self._held, chunk]), []
        return b"".join([encode_frame(frame) for frame in self._other_newlines.feed(chunk)])

    def _whole_frames(self, chunk: bytes) -> bytes:
        end = chunk.rfind(_EVENT_END) + len(_EVENT_END)
        if end == 1 and chunk.startswith(b"\n") and self._held and self._held[-1].endswith(b"\n"):
            pass  # the blank line was cut in two, and `end` is right behind its second half
        elif end == 1:
            if chunk:
                self._held.append(chunk)
            return b""
        whole = b"".join([*self._held, chunk[:end]]) if self._held else chunk[:end]
        self._held = [chunk[end:]] if end < len(chunk) else []
        return whole

    def _inspect(self, whole: bytes) -> list[bytes]:
        passed: list[bytes] = []
        for frame in whole.split(_EVENT_END)[:-1]:
            if not any(mark in frame for mark in _MARKS):  # most frames that came in one read with a marked one
                passed.append(frame + _EVENT_END)
                continue
            data = SSEDecoder().feed(frame + _EVENT_END)
            if data and data[0].data == b"[DONE]":
                continue
            head = _head(data[0]) if data else _Head()
            if head.type in TERMINAL or head.type == "error":
                self._latest = b"".join(passed) or self._latest  # an end of our own counts on from there
                passed.append(self._terminal(head, frame + _EVENT_END))
                break
            passed.append(frame + _EVENT_END)
        return passed

    def _terminal(self, head: _Head, frame: bytes) -> bytes:
        if head.type == "error":
            return self.fail(
                _failure_of(head.error if isinstance(head.error, dict) else {"code": head.code, "message": head.message})
            )
        self.ended, self.outcome, self.usage = True, head.type, _usage(head.response)
        if head.type != "response.failed":
            return frame
        response = _object(head.response) or self._known_response()
        response["error"] = stream_error(self._render(_failure_of(response.get("error") or {})))
        return encode_event({"type": head.type, "sequence_number": max(head.sequence_number, 0), "response": response})

    def _known_response(self) -> dict[str, Any]:
        """The response as its first event described it, or one of our own making."""
        told = (_object(_head(frame).response) for frame in SSEDecoder().feed(self._first))
        return next(filter(None, told), None) or {"id": random_id("resp"), "object": "response", "model": self._model, "output": []}


def _head(frame: Frame) -> _Head:
    try:
        return msgspec.json.decode(frame.data, type=_Head)
    except (msgspec.ValidationError, msgspec.DecodeError):
        return _Head()


def _usage(response: msgspec.Raw) -> Any:
    try:
        return msgspec.json.decode(response, type=_Counted).usage if bytes(response) else None
    except (msgspec.ValidationError, msgspec.DecodeError):
        return None


def _object(raw: msgspec.Raw) -> dict[str, Any] | None:
    decoded = msgspec.json.decode(raw) if bytes(raw) else None
    return decoded if isinstance(decoded, dict) else None


def _failure_of(error: dict[str, Any]) -> Failure:
    """The status is only a hint for rendering: what a stream reports has status 200 on the wire."""
    code, message = error.get("code"), error.get("message")
    code = code if isinstance(code, str) and code else SERVER_ERROR
    status = 502 if code == SERVER_ERROR or "overload" in code or code == "slow_down" else 400
    return Failure(
        code=code, message=message if isinstance(message, str) and message else "the upstream gave no reason", status=status
    )
