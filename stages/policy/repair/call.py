"""A call of `apply_patch` on its way to Codex, with its patch in order. Pure."""

from __future__ import annotations

from typing import Any

from ...contract.events import Item
from ...contract.sse import Frame
from . import patches
from .course import Course, OpenItem, Seen, patched

_LIMIT = 1024 * 1024
_FIELDS = {"custom_tool_call": "input", "function_call": "arguments"}
_DONE = ("response.output_item.done", "response.custom_tool_call_input.done", "response.function_call_arguments.done")


def is_patch(item: Item) -> bool:
    return item.get("type") in ("custom_tool_call", "function_call") and item.get("name") == patches.TOOL


def mended(item: Item, *, complete: bool) -> list[Item] | None:
    """A finished call with its patch in order, None where there is nothing to do."""
    field = _FIELDS[item["type"]]
    patch = _mended(field, item.get(field), complete and item.get("status") != "incomplete")
    return None if patch == item.get(field) else [{**item, field: patch}]


def _mended(field: str, value: Any, whole: bool) -> Any:
    if not isinstance(value, str):
        return value
    mend = patches.mended if field == "input" else patches.mended_arguments
    return mend(value, whole=whole)


class PatchCall(OpenItem):
    """Deltas are held back until the patch is known to begin as it must. A patch without its end is ended only if the answer is
    not cut off there, so such a call waits for the event behind it."""

    def __init__(self, event: Seen, course: Course) -> None:
        super().__init__(event)
        self._field = _FIELDS[event.item["type"]]
        self._course = course
        self._begins_right = True if self._field == "arguments" else None
        self._held: list[tuple[Frame, Seen]] = []
        self._shown = ""
        self._closing: list[tuple[Frame, Seen]] = []

    def feed(self, frame: Frame, event: Seen) -> list[Frame]:
        if event.type in _DONE:
            return self._close(frame, event)
        if not isinstance(event.delta, str) or self._field == "arguments":
            return [self._course.passed(frame, event)]
        self._shown += event.delta if len(self._shown) <= _LIMIT else ""
        if self._begins_right:
            return [self._course.passed(frame, event)]
        self._held.append((frame, event))
        self._begins_right = patches.is_right_so_far(self._shown) or len(self._shown) > _LIMIT
        return self._released() if self._begins_right else []

    def settle(self, *, complete: bool) -> list[Frame]:
        closing, self._closing = self._closing, []
        frames: list[Frame] = []
        for frame, event in closing:
            frames += self._closed(frame, event, complete)
        return [*frames, *self._released()]

    def _close(self, frame: Frame, event: Seen) -> list[Frame]:
        value = self._value(event)
        if not self._closing and _mended(self._field, value, True) == _mended(self._field, value, False):
            return self._closed(frame, event, True)
        self._closing.append((frame, event))
        self.waits = True
        return []

    def _closed(self, frame: Frame, event: Seen, complete: bool) -> list[Frame]:
        value = self._value(event)
        is_cut = isinstance(event.item, dict) and event.item.get("status") == "incomplete"
        patch = _mended(self._field, value, complete and not is_cut)
        if patch == value:
            return [*self._released(), self._course.passed(frame, event)]
        frames = self._delta(patch)
        if event.item is None:
            return [*frames, self._course.passed(patched(frame, {self._field: patch}), event)]
        item = {**event.item, self._field: patch}
        self.items = [item]
        return [*frames, self._course.passed(patched(frame, {"item": item}), event)]

    def _delta(self, patch: str) -> list[Frame]:
        """What is shown of the patch, where the deltas of upstream were not. They are only for showing."""
        held, self._held = self._held[:1], []
        return [self._course.passed(patched(frame, {"delta": patch}), event) for frame, event in held]

    def _value(self, event: Seen) -> Any:
        return event.item.get(self._field) if isinstance(event.item, dict) else getattr(event, self._field)

    def _released(self) -> list[Frame]:
        held, self._held = self._held, []
        return [self._course.passed(*each) for each in held]
