"""The body of an answer, taken apart into frames by what it is and not by what its `Content-Type` calls it.

Some gateways answer a stream request in one piece of JSON, some wrap an error in status 200, some put an event stream under
`application/json` or JSON under `text/event-stream`, and some answer in a line of plain words. What does not begin like an event
stream is one frame, whole, so that the provider's own sentence is in it.
"""

from __future__ import annotations

from ...contract.sse import Frame, SSEDecoder

# Of an answer in one piece; what is behind it is not kept.
LIMIT = 64 * 1024 * 1024

_BLANK = b"\xef\xbb\xbf \t\r\n"
_LINES = (b"data:", b"event:", b"id:", b"retry:", b":")
_PIECES = (b"{", b"[", b"<")


class Framing:
    """Bytes in, frames out. A body that calls itself an event stream is taken for one unless it plainly is something else."""

    def __init__(self, content_type: str) -> None:
        self._named = content_type.partition(";")[0].strip().lower() == "text/event-stream"
        self._held: list[bytes] = []
        self._size = 0
        self._decoder: SSEDecoder | None = None
        self._one_piece = False

    def feed(self, chunk: bytes) -> list[Frame]:
        if self._decoder is not None:
            return self._decoder.feed(chunk)
        self._hold(chunk)
        if self._one_piece:
            return []
        begun = b"".join(self._held).lstrip(_BLANK)
        self._held = [begun]
        if self._is_stream(begun):
            self._decoder = SSEDecoder()
            return self._decoder.feed(self._all())
        self._one_piece = bool(begun) and not any(line.startswith(begun) for line in _LINES)
        return []

    def finish(self) -> list[Frame]:
        """The end of the body."""
        if self._decoder is not None:
            return self._decoder.finish()
        whole = self._all().strip(_BLANK)
        return [Frame(b"", whole)] if whole else []

    def _is_stream(self, begun: bytes) -> bool:
        return begun.startswith(_LINES) or (self._named and bool(begun) and not begun.startswith(_PIECES))

    def _hold(self, chunk: bytes) -> None:
        self._held.append(chunk[: LIMIT - self._size])
        self._size += len(self._held[-1])

    def _all(self) -> bytes:
        whole, self._held = b"".join(self._held), []
        return whole
