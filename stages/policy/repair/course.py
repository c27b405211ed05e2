"""Where events stand in an answer to which others are added: their numbers and places. Pure."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import msgspec

from ...contract.events import Event, Item
from ...contract.sse import Frame

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Seen(msgspec.Struct):
    """What must be known of every event. Fields may have any type."""

    type: Any = None
    sequence_number: Any = None
    output_index: Any = None
    item_id: Any = None
    content_index: Any = None
    delta: Any = None
    text: Any = None
    input: Any = None
    arguments: Any = None
    item: Any = None

    @property
    def number(self) -> int:
        return self.sequence_number if isinstance(self.sequence_number, int) else 0


class OpenItem(ABC):
    """An item that may turn out to be another one. `waits` once what it is follows from the event behind it; `items` are what it
    has become, None where it is what it was."""

    def __init__(self, event: Seen) -> None:
        self.place: int = event.output_index
        self.key = key_of(event.item, event.output_index)
        self.waits = False
        self.items: list[Item] | None = None

    def is_meant(self, event: Seen) -> bool:
        return event.output_index == self.place or (event.output_index is None and event.item_id == self.key)

    @abstractmethod
    def feed(self, frame: Frame, event: Seen) -> list[Frame]: ...

    @abstractmethod
    def settle(self, *, complete: bool) -> list[Frame]:
        """Nothing more comes of it. Where the answer is not `complete`, it may have been cut off."""


class Course:
    """`next` is the lowest number that the next event may have, `shift` how many items came beside those of upstream."""

    def __init__(self, new_id: Callable[[str], str]) -> None:
        self.new_id = new_id
        self.next = 0
        self.shift = 0

    def passed(self, frame: Frame, event: Seen, **changes: Any) -> Frame:
        """An event of upstream in its new place; the very same frame where that is the old one and nothing else is changed."""
        index, number = event.output_index, event.sequence_number
        if self.shift and isinstance(index, int):
            changes.setdefault("output_index", index + self.shift)
        if self.next and isinstance(number, int):
            if number < self.next:
                changes["sequence_number"] = self.next
            self.next = max(number, self.next) + 1
        return patched(frame, changes) if changes else frame

    def added(self, frame: Frame, event: Seen, number: int, **changes: Any) -> Frame:
        """One more event like one of upstream's, in front of what has `number` there."""
        if isinstance(event.sequence_number, int):
            changes["sequence_number"] = max(self.next, number)
            self.next = changes["sequence_number"] + 1
        if self.shift and isinstance(event.output_index, int):
            changes["output_index"] = event.output_index + self.shift
        return patched(frame, changes)

    def written(self, events: list[Event]) -> list[Frame]:
        """Events of our own."""
        if events:
            self.next = events[-1]["sequence_number"] + 1
        return [Frame(event["type"].encode(), msgspec.json.encode(event)) for event in events]


def patched(frame: Frame, changes: dict[str, Any]) -> Frame:
    """Everything else stays the bytes it was."""
    fields = _fields.decode(frame.data)
    fields |= {name: msgspec.Raw(msgspec.json.encode(value)) for name, value in changes.items()}
    return Frame(frame.event, msgspec.json.encode(fields))


def key_of(item: Any, place: int) -> str | int:
    """Its id, or its place where it has none."""
    id = item.get("id") if isinstance(item, dict) else None
    return id if isinstance(id, str) and id else place
