"""Server-sent events, incremental and linear: each byte is looked at once, however the network cut the stream.

Rules of https://html.spec.whatwg.org/multipage/server-sent-events.html, with one kindness: a last event that lacks its blank line
is still given out by `finish()`, because providers forget it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

_BOM = b"\xef\xbb\xbf"
_encode = msgspec.json.Encoder().encode


class Frame(NamedTuple):
    """One event. `event` is empty where the stream named none; `data` has its lines joined by a line feed."""

    event: bytes
    data: bytes


class SSEDecoder:
    """Bytes in, frames out. Comments, `id:` and `retry:` are dropped; a frame without data is no frame."""

    def __init__(self) -> None:
        self._partial: list[bytes] = []
        self._event = b""
        self._data: list[bytes] = []
        self._at_start = True
        self._after_cr = False

    def feed(self, chunk: bytes) -> list[Frame]:
        chunk = self._unify_newlines(chunk)
        head, newline, rest = chunk.partition(b"\n")
        if not newline:
            if head:
                self._partial.append(head)
            return []
        self._partial.append(head)
        first = b"".join(self._partial)
        *lines, last = rest.split(b"\n")
        self._partial = [last] if last else []
        return self._take(self._without_bom(first), lines)

    def finish(self) -> list[Frame]:
        """The end of the stream. The decoder is empty afterwards."""
        line = self._without_bom(b"".join(self._partial))
        self._partial = []
        frames = self._take(line, [b""])
        self._event = b""
        return frames

    def _unify_newlines(self, chunk: bytes) -> bytes:
        if self._after_cr and chunk:
            self._after_cr = False
            if chunk.startswith(b"\n"):
                chunk = chunk[1:]
        if b"\r" in chunk:
            self._after_cr = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return chunk

    def _without_bom(self, line: bytes) -> bytes:
        if self._at_start:
            self._at_start = False
            return line.removeprefix(_BOM)
        return line

    def _take(self, first: bytes, lines: list[bytes]) -> list[Frame]:
        frames: list[Frame] = []
        for line in (first, *lines):
            if not line:
                if self._data:
                    frames.append(Frame(self._event, b"\n".join(self._data)))
                    self._data = []
                self._event = b""
            elif line.startswith(b"data:"):
                self._data.append(line[6:] if line[5:6] == b" " else line[5:])
            elif line.startswith(b"event:"):
                self._event = line[6:].strip()
            elif line == b"data":
                self._data.append(b"")
        return frames


def event_of(frame: Frame) -> dict[str, Any] | None:
    """The object that a frame holds; None where it holds something else, which whoever changes events lets pass as it is."""
    try:
        event = msgspec.json.decode(frame.data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return event if isinstance(event, dict) else None


def encode_frame(frame: Frame) -> bytes:
    """The bytes of one frame; data with line feeds becomes several `data:` lines."""
    name = b"event: " + frame.event + b"\n" if frame.event else b""
    return name + b"data: " + frame.data.replace(b"\n", b"\ndata: ") + b"\n\n"


def encode_event(event: dict[str, Any]) -> bytes:
    """The bytes of one Responses event: its type twice, as the contract asks, as `event:` and inside the data."""
    return b"event: " + event["type"].encode() + b"\ndata: " + _encode(event) + b"\n\n"


def encode_events(events: list[dict[str, Any]]) -> bytes:
    """Events decoded from one read go out in one write."""
    return b"".join([encode_event(event) for event in events])
