"""An answer in which pseudo calls become calls and patches are put in order, as a stream or as a whole. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from ...contract.events import TERMINAL, Item
from ...contract.sse import Frame
from .call import PatchCall, is_patch, mended
from .course import Course, OpenItem, Seen, key_of, patched
from .message import Message, split
from .values import Offered

_ADDED, _ITEM_DONE = "response.output_item.added", "response.output_item.done"
_CUT = ("response.failed", "response.incomplete")
# No answer has more items than this.
_PLACES = range(10_000)
_see = msgspec.json.Decoder(Seen).decode


class Repaired:
    """`AnswerChange`. Without `offered` texts are left alone, without `patches` calls are."""

    def __init__(self, offered: Offered | None, *, patches: bool, course: Course) -> None:
        self._offered = offered
        self._patches = patches
        self._course = course
        self._open: OpenItem | None = None
        self._replaced: dict[Any, list[Item]] = {}
        self._calls = 0
        self._mended = 0

    @property
    def note(self) -> str | None:
        """What was done, in a few words for the log line."""
        done = [f"{count} {what}" for count, what in ((self._calls, "calls"), (self._mended, "patches")) if count]
        return f"repair {' and '.join(done)}" if done else None

    def feed(self, frame: Frame) -> list[Frame]:
        if self._open is None and not self._course.next and frame.event.endswith(b".delta"):
            return [frame]
        try:
            event = _see(frame.data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return [frame]
        if not isinstance(event.type, str):
            return [frame]
        frames = self._settled(event)
        if self._open is None:
            self._open = self._opened(frame, event)
            if isinstance(self._open, Message):
                return frames
        elif self._open.is_meant(event):
            return [*frames, *self._within(self._open, frame, event)]
        if event.type in TERMINAL and self._replaced:
            frame = self._ended(frame)
        return [*frames, self._course.passed(frame, event)]

    def finish(self) -> list[Frame]:
        """A stream without a terminal event is broken; nobody takes what was held back."""
        return []

    def whole(self, body: bytes) -> bytes:
        try:
            response = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return body
        if not isinstance(response, dict) or not isinstance(response.get("output"), list):
            return body
        complete = response.get("status", "completed") == "completed"
        output = [new for place, item in enumerate(response["output"]) for new in self._items(item, place, complete)]
        return msgspec.json.encode({**response, "output": output}) if self._replaced else body

    # -- a stream -----------------------------------------------------------------------------------------------------

    def _opened(self, frame: Frame, event: Seen) -> OpenItem | None:
        item = event.item
        if event.type != _ADDED or not isinstance(item, dict) or type(event.output_index) is not int:
            return None
        if event.output_index not in _PLACES:
            return None
        if self._offered and _is_message(item) and isinstance(item.get("id"), str):
            return Message(frame, event, self._offered, self._course)
        return PatchCall(event, self._course) if self._patches and is_patch(item) else None

    def _settled(self, event: Seen) -> list[Frame]:
        """What the open item is, where this event tells."""
        if self._open is None or not (event.type in TERMINAL or event.type == _ADDED):
            return []
        frames = self._open.settle(complete=event.type not in _CUT)
        self._close(self._open)
        return frames

    def _within(self, item: OpenItem, frame: Frame, event: Seen) -> list[Frame]:
        frames = item.feed(frame, event)
        if event.type == _ITEM_DONE and not item.waits:
            self._close(item)
        return frames

    def _close(self, item: OpenItem) -> None:
        self._open = None
        if item.items is not None:
            self._replace(item.key, item.items)
            self._course.shift += len(item.items) - 1

    def _replace(self, key: Any, items: list[Item]) -> None:
        self._replaced[key] = items
        if is_patch(items[0]) and len(items) == 1:
            self._mended += 1
        else:
            self._calls += sum(each["type"] != "message" for each in items)

    def _ended(self, frame: Frame) -> Frame:
        """The terminal event, which names all items once more."""
        response = msgspec.json.decode(frame.data).get("response")
        if not isinstance(response, dict) or not isinstance(response.get("output"), list):
            return frame
        output = [new for place, item in enumerate(response["output"]) for new in self._replaced.get(key_of(item, place), [item])]
        return patched(frame, {"response": {**response, "output": output}})

    # -- a whole response ---------------------------------------------------------------------------------------------

    def _items(self, item: Any, place: int, complete: bool) -> list[Any]:
        """What an item becomes: itself, in most cases."""
        if not isinstance(item, dict):
            return [item]
        items = None
        if self._offered and _is_message(item):
            items = split(item, self._offered, self._course.new_id, complete=complete)
        elif self._patches and is_patch(item):
            items = mended(item, complete=complete)
        if items is not None:
            self._replace(key_of(item, place), items)
        return [item] if items is None else items


def _is_message(item: Item) -> bool:
    return item.get("type") == "message" and item.get("role") in (None, "assistant")
