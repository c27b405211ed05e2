"""A message of the model's on its way to Codex, with the calls in its text as calls. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...contract.events import Event, Item, ResponseBuilder
from ...contract.sse import Frame
from .course import Course, OpenItem, Seen, patched
from .reading import Piece, Reader
from .values import Called, Offered, decoded

_DELTA, _DONE = "response.output_text.delta", "response.output_text.done"
_PART_ADDED, _PART_DONE, _ITEM_DONE = "response.content_part.added", "response.content_part.done", "response.output_item.done"


class Message(OpenItem):
    """Up to its first call every event of upstream passes as it is; from there on it is written anew, split in as many messages as
    there are texts between the calls. A message that begins with a call is never begun."""

    def __init__(self, frame: Frame, event: Seen, offered: Offered, course: Course) -> None:
        super().__init__(event)
        self._item: Item = event.item
        self._reader = Reader(offered)
        self._course = course
        self._writer: Writer | None = None
        self._opening: list[tuple[Frame, Seen]] = [(frame, event)]
        self._last = (frame, event)
        self._said: list[str] = []
        self._heard = False
        self._only_passes = False
        self._ended = False
        self._closing: list[tuple[Frame, Seen]] = []

    def feed(self, frame: Frame, event: Seen) -> list[Frame]:
        if self._only_passes:
            return [self._course.passed(frame, event)]
        if event.type in (_DONE, _PART_DONE, _ITEM_DONE):
            return self._close(frame, event)
        if event.type == _DELTA and isinstance(event.delta, str):
            return self._delta(frame, event)
        if event.type == _PART_ADDED:
            return self._part(frame, event)
        return self._other(frame, event)

    def settle(self, *, complete: bool) -> list[Frame]:
        """Nothing more comes of it."""
        number = self._closing[0][1].number if self._closing else self._last[1].number + 1
        frames = [*self._end_text(number, complete=complete), *self._begin()]
        closing, self._closing = self._closing, []
        for each in closing:
            frames += self._closed(*each)
        if self._writer is not None:
            self.items = self._writer.items
        return frames

    # -- events of upstream -------------------------------------------------------------------------------------------

    def _part(self, frame: Frame, event: Seen) -> list[Frame]:
        if self._writer is not None:
            return []
        if self._opening and not self._heard:
            self._opening.append((frame, event))
            return []
        # Several texts in one message: no model is known to write calls into those.
        frames = self._end_text(event.number, complete=False)
        self._only_passes = self._writer is None
        return [*frames, *self._begin(), *([self._course.passed(frame, event)] if self._only_passes else [])]

    def _other(self, frame: Frame, event: Seen) -> list[Frame]:
        """What is not known passes in its place, with the message it came in or with what that has become."""
        if self._writer is None:
            return [*self._begin(), self._course.passed(frame, event)]
        frames = self._course.written(self._writer.open_message(self._number(event.number)))
        id, index = self._writer.place
        return [*frames, self._course.passed(frame, event, output_index=index, **({"item_id": id} if event.item_id else {}))]

    def _close(self, frame: Frame, event: Seen) -> list[Frame]:
        frames = [] if self._heard or self._ended else self._unheard(event)
        if not self._closing and (self._ended or not self._reader.undecided):
            return [*frames, *self._end_text(event.number, complete=True), *self._begin(), *self._closed(frame, event)]
        self._closing.append((frame, event))
        self.waits = True
        return frames

    def _closed(self, frame: Frame, event: Seen) -> list[Frame]:
        if self._writer is None:
            return [self._course.passed(frame, event)]
        if event.type != _ITEM_DONE:
            return []
        frames = self._course.written(self._writer.close(self._number(event.number)))
        self.items = self._writer.items
        return frames

    def _unheard(self, event: Seen) -> list[Frame]:
        """Some services give a text only when it is done."""
        text = event.text if isinstance(event.text, str) else text_of(event.item)
        if not text:
            return []
        self._ended = True
        pieces = [*self._reader.feed(text), *self._reader.finish(complete=True)]
        if all(isinstance(piece, str) for piece in pieces):
            return []
        return [frame for piece in pieces for frame in self._anew(piece, event.number)]

    # -- pieces of the text -------------------------------------------------------------------------------------------

    def _end_text(self, number: int, *, complete: bool) -> list[Frame]:
        """What is still held back, in front of the event with this number."""
        if self._ended:
            return []
        self._ended = True
        frames: list[Frame] = []
        for piece in self._reader.finish(complete=complete):
            if self._writer is None and isinstance(piece, str):
                self._said.append(piece)
                frames += [*self._begin(), self._course.added(*self._last, number, delta=piece)]
            else:
                frames += self._anew(piece, number)
        return frames

    def _delta(self, frame: Frame, event: Seen) -> list[Frame]:
        self._heard, self._last = True, (frame, event)
        frames: list[Frame] = []
        for piece in self._reader.feed(event.delta):
            if self._writer is None and isinstance(piece, str):
                frames += self._text(piece, frame, event)
            else:
                frames += self._anew(piece, event.number + 1)
        return frames

    def _text(self, text: str, frame: Frame, event: Seen) -> list[Frame]:
        """As upstream said it, as far as it did."""
        self._said.append(text)
        frame = frame if text == event.delta else patched(frame, {"delta": text})
        if self._opening and not text.strip():
            self._opening.append((frame, event))
            return []
        return [*self._begin(), self._course.passed(frame, event)]

    def _begin(self) -> list[Frame]:
        opening, self._opening = self._opening, []
        return [self._course.passed(*each) for each in opening] if self._writer is None else []

    def _anew(self, piece: Piece, number: int) -> list[Frame]:
        if self._writer is None:
            index = self.place + self._course.shift
            self._writer = Writer(self._course.new_id, index)
            if not self._opening:
                self._writer.adopt(self._item, self._said)
            self._opening = []
        return self._course.written(self._writer.write(piece, self._number(number)))

    def _number(self, number: int) -> int:
        return max(number, self._course.next)


class Writer:
    """Texts and calls as items, from `index` on. `items` are those that are done."""

    def __init__(self, new_id: Callable[[str], str], index: int) -> None:
        self._new_id = new_id
        self._index = index
        self._builder = ResponseBuilder("", 0, new_id)
        for _ in range(index):
            self._builder.adopt_item(None)
        self._space = ""
        self._open: tuple[str, int] = ("", index)

    @property
    def items(self) -> list[Item]:
        return self._builder.output[self._index :]

    @property
    def place(self) -> tuple[str, int]:
        """Id and index of the item that was opened last."""
        return self._open

    def adopt(self, item: Item, said: list[str]) -> None:
        """A message that is open already."""
        self._builder.adopt_open(item, self._index, said)
        self._open = (str(item.get("id")), self._index)

    def write(self, piece: Piece, number: int) -> list[Event]:
        self._builder.adopt(number)
        if isinstance(piece, Called):
            self._space = ""
            return self._seen(self._call(piece))
        if self._builder.open_type is None:
            self._space, piece = "", self._space + piece
            if not piece.strip():
                self._space = piece  # a message of nothing else is none
                return []
        return self._seen(self._builder.text(piece))

    def open_message(self, number: int) -> list[Event]:
        self._builder.adopt(number)
        return [] if self._builder.open_type else self._seen(self._builder.text(""))

    def close(self, number: int) -> list[Event]:
        self._builder.adopt(number)
        return self._builder.close()

    def _call(self, called: Called) -> list[Event]:
        tool, id = called.tool, self._new_id("call")
        if tool.kind == "tool_search_call":
            item = {"type": tool.kind, "id": self._new_id("tsc"), "call_id": id, "execution": "client", "status": "completed"}
            return self._builder.item({**item, "arguments": decoded(called.value)})
        begun = self._builder.call(tool.kind, id, tool.name, tool.namespace)
        return [*begun, *self._builder.call_delta(called.value), *self._builder.end_call(called.value)]

    def _seen(self, events: list[Event]) -> list[Event]:
        for event in events:
            if event["type"] == "response.output_item.added":
                self._open = (event["item"]["id"], event["output_index"])
        return events


def text_of(item: Any) -> str:
    """The text of a message that has one."""
    content = item.get("content") if isinstance(item, dict) else None
    part = content[0] if isinstance(content, list) and len(content) == 1 else None
    text = part.get("text") if isinstance(part, dict) and part.get("type") == "output_text" else None
    return text if isinstance(text, str) else ""


def split(item: Item, offered: Offered, new_id: Callable[[str], str], *, complete: bool) -> list[Item] | None:
    """A finished message as the texts and calls that are in it, None where it holds no call."""
    reader = Reader(offered)
    pieces = [*reader.feed(text_of(item)), *reader.finish(complete=complete)]
    if all(isinstance(piece, str) for piece in pieces):
        return None
    writer = Writer(new_id, 0)
    if isinstance(pieces[0], str) and pieces[0].strip():
        writer.adopt({"id": new_id("msg"), **item}, [])
    for piece in pieces:
        writer.write(piece, 0)
    writer.close(0)
    return writer.items
