"""One event stream, held against the contract as it comes: bytes in, violations out. Pure.

Each byte is looked at once, and what is kept does not grow with the stream. A broken rule is told once, not with every event.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import msgspec

from ..events import TERMINAL
from ..sse import Frame, SSEDecoder
from . import ending
from .items import ItemEvent, Items
from .violation import Violation

CREATED = "response.created"
# An event of this size is no event any more but somebody who never ends one.
MOST_BYTES = 64 * 1024 * 1024
# Event types that the contract knows of, up to their last word. Others are counted, so that one that gets lost can be named.
_KNOWN = (
    "response.created",
    "response.in_progress",
    "response.queued",
    "response.completed",
    "response.failed",
    "response.incomplete",
    "response.output_item.",
    "response.content_part.",
    "response.output_text.",
    "response.refusal.",
    "response.reasoning_summary_part.",
    "response.reasoning_summary_text.",
    "response.reasoning_text.",
    "response.function_call_arguments.",
    "response.custom_tool_call_input.",
    "keepalive",
    "error",
)
_MOST_KINDS = 32
_REPLACED = "\N{REPLACEMENT CHARACTER}".encode()


class _Event(ItemEvent):
    sequence_number: Any = None
    response: msgspec.Raw = msgspec.Raw(b"")


_decode = msgspec.json.Decoder(_Event).decode


class StreamCheck:
    """What is known of the stream so far: how many `events` came, the `terminal` event's type, the `response_id`, the `unknown`
    types of events and how many of each came, `replaced` characters (U+FFFD stands for bytes that somebody could not read), and
    the largest `number` in sequence."""

    def __init__(self) -> None:
        self.events = 0
        self.terminal = ""
        self.response_id: str | None = None
        self.unknown: dict[str, int] = {}
        self.replaced = 0
        self.number = -1
        self._items = Items()
        self._decoder = SSEDecoder()
        self._told: set[str] = set()
        self._size = 0
        self._lost = False

    @property
    def items(self) -> list[tuple[str, str]]:
        """The ids of the items that are done, each with its call id."""
        return self._items.finished

    def feed(self, chunk: bytes) -> list[Violation]:
        """What is wrong with the events that end in this chunk."""
        if self._lost:
            return []
        frames = self._decoder.feed(chunk)
        self._size = len(chunk) if frames else self._size + len(chunk)
        if self._size > MOST_BYTES:
            self._lost = True
            sentence = f"an event does not end within {MOST_BYTES // 2**20} MiB; what follows is not checked"
            return self._new([Violation("event-size", "data", sentence)])
        return self._frames(frames)

    def finish(self, *, broken: bool) -> list[Violation]:
        """The end of the body; `broken` where the connection was cut, which is an honest end."""
        if self._lost:
            return []
        found = self._frames(self._decoder.finish())
        if not self.terminal and not broken:
            sentence = "the stream ended as if all were well, without a terminal event"
            found += self._new([Violation("terminal", "the end of the stream", sentence)])
        return found

    def _frames(self, frames: Iterable[Frame]) -> list[Violation]:
        return self._new([violation for frame in frames for violation in self._frame(frame)])

    def _new(self, found: list[Violation]) -> list[Violation]:
        """Those whose rule was not told of before."""
        new = []
        for violation in found:
            if violation.rule not in self._told:
                self._told.add(violation.rule)
                new.append(violation)
        return new

    def _frame(self, frame: Frame) -> list[Violation]:
        self.events += 1
        self.replaced += replacements(frame.data)
        try:
            event = _decode(frame.data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return [_unreadable(frame.data, self.events), *self._behind_the_end("an event")]
        if not event.type:
            return [Violation("event-type", f"event {self.events}", f"event {self.events} has no `type`")]
        return [*self._behind_the_end(f"`{event.type}`"), *self._line(frame, event), *self._order(event), *self._meaning(event)]

    def _behind_the_end(self, what: str) -> list[Violation]:
        if not self.terminal:
            return []
        return [Violation("terminal", "the end of the stream", f"{what} came behind `{self.terminal}`, which ends a stream")]

    def _line(self, frame: Frame, event: _Event) -> list[Violation]:
        """Events of a response have their type in the `event:` line as well; a keepalive need not."""
        line = frame.event.decode("utf-8", "replace")
        if line == event.type or (not line and not event.type.startswith("response.")):
            return []
        seen = f"`{line[:60]}`" if line else "none"
        return [Violation("event-line", f"{event.type} event:", f"`{event.type}` has another `event:` line: {seen}")]

    def _order(self, event: _Event) -> list[Violation]:
        """`sequence_number` grows. A stage may leave events out, so a gap is none of ours."""
        if not event.type.startswith("response."):
            return []
        number = event.sequence_number
        if not isinstance(number, int) or isinstance(number, bool):
            sentence = f"`{event.type}` has no `sequence_number`"
            return [Violation("sequence-number", f"{event.type} sequence_number", sentence)]
        before, self.number = self.number, max(number, self.number)
        if number > before:
            return []
        sentence = f"`{event.type}` has the `sequence_number` {number} behind {before}; it grows with each event"
        return [Violation("sequence-number", f"{event.type} sequence_number", sentence)]

    def _meaning(self, event: _Event) -> list[Violation]:
        kind = event.type
        if kind in TERMINAL:
            found = [] if self.terminal else ending.judge(kind, _value(event.response), self.response_id)
            self.terminal = self.terminal or kind
            return found
        if kind == CREATED:
            return self._created(event)
        found = self._first(kind) if self.events == 1 and kind.startswith("response.") else []
        if not kind.startswith(_KNOWN):
            self._count(kind)
        return found + self._items.feed(event)

    def _created(self, event: _Event) -> list[Violation]:
        response = _value(event.response)
        given = response.get("id") if isinstance(response, dict) else None
        if self.response_id is None and isinstance(given, str):
            self.response_id = given
            return self._first(CREATED) if self.number > event.sequence_number else []
        what = "came a second time" if self.response_id is not None else "has no response with an `id`"
        return [Violation("created-first", CREATED, f"`{CREATED}` {what}")]

    def _first(self, kind: str) -> list[Violation]:
        return [Violation("created-first", kind, f"the stream begins with `{kind}` instead of `{CREATED}`")]

    def _count(self, kind: str) -> None:
        if kind in self.unknown or len(self.unknown) < _MOST_KINDS:
            self.unknown[kind] = self.unknown.get(kind, 0) + 1


def replacements(data: bytes) -> int:
    """How many U+FFFD are in a JSON text, written out or escaped."""
    escaped = data.lower().count(b"\\ufffd") if b"\\u" in data else 0
    return data.count(_REPLACED) + escaped


def _value(raw: msgspec.Raw) -> Any:
    return msgspec.json.decode(raw) if bytes(raw) else None


def _unreadable(data: bytes, number: int) -> Violation:
    """Why an event cannot be read: its bytes are no text, it holds half a character, or it is no JSON object."""
    field = f"event {number}"
    try:
        data.decode()
    except UnicodeDecodeError:
        return Violation("utf-8", field, f"{field} is not UTF-8; a character was cut in two, or another encoding was used")
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return Violation("event-json", field, f"the data of {field} is no JSON")
    if not isinstance(value, dict):
        return Violation("event-json", field, f"the data of {field} is no JSON object")
    if isinstance(value.get("type", ""), str):
        return Violation("utf-8", field, f"{field} holds half a character: a surrogate without the other one")
    return Violation("event-type", field, f"{field} has a `type` that is no text")
