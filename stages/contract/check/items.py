"""The output items of a stream: opened, filled by deltas, closed, one after the other. Pure.

What a delta said is not kept, only its length and a hash: a stream may be long.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import msgspec

from .violation import Violation

ADDED, DONE = "response.output_item.added", "response.output_item.done"
# In which of its fields a `….done` repeats what its deltas have said.
_TEXTS = ("text", "refusal", "transcript")
# What a call is to be run with. Its deltas are only for showing: what counts comes with its `….done`, and again with the item's.
_ARGUMENTS = {"function_call": "arguments", "custom_tool_call": "input"}
# Far beyond what one item has; who exceeds it is not judged further.
_MOST_PARTS = 64


class ItemEvent(msgspec.Struct):
    """As much of an event as its item needs. Fields may have any type: what is unusable is judged here."""

    type: str = ""
    output_index: Any = None
    item_id: Any = None
    item: Any = None
    delta: Any = None
    content_index: Any = None
    summary_index: Any = None
    text: Any = None
    arguments: Any = None
    input: Any = None
    refusal: Any = None
    transcript: Any = None


class _Open:
    def __init__(self, item: dict[str, Any]) -> None:
        self.kept = {name: item.get(name) for name in ("id", "type", "call_id", "name")}
        self.said: dict[tuple[str, Any], Any] = {}
        self.arguments: bytes | None = None  # a hash of those that were complete


class Items:
    """`finished` names the items that are done, as (id, call id)."""

    MOST_FINISHED = 256

    def __init__(self) -> None:
        self.finished: list[tuple[str, str]] = []
        self._open: dict[Any, _Open] = {}
        self._latest = -1

    def feed(self, event: ItemEvent) -> list[Violation]:
        if event.type == ADDED:
            return self._added(event)
        if event.type == DONE:
            return self._done(event)
        if event.output_index is not None or event.item_id is not None:
            return self._within(event)
        return []

    def _added(self, event: ItemEvent) -> list[Violation]:
        place = event.output_index
        if not isinstance(event.item, dict) or not isinstance(event.item.get("type"), str):
            return [Violation("item-shape", _at(ADDED, place), f"`{ADDED}` without an item that has a `type`")]
        found = []
        if self._open:
            other = next(iter(self._open))
            sentence = f"`{ADDED}` for item {place} while item {other} is open; one item is open at a time"
            found.append(Violation("one-open-item", _at(ADDED, place), sentence))
            self._open.clear()
        if isinstance(place, int) and place <= self._latest:
            sentence = f"`{ADDED}` for item {place} behind item {self._latest}; `output_index` grows"
            found.append(Violation("output-index", _at(ADDED, place), sentence))
        self._latest = max(self._latest, place) if isinstance(place, int) else self._latest
        self._open[place] = _Open(event.item)
        return found

    def _done(self, event: ItemEvent) -> list[Violation]:
        place, item = event.output_index, event.item
        if not isinstance(item, dict):
            return [Violation("item-shape", _at(DONE, place), f"`{DONE}` without an item")]
        self._finish(item)
        opened = self._open.pop(place, None)
        if opened is None:
            return [Violation("item-added", _at(DONE, place), f"`{DONE}` for item {place} without `added`")]
        found = []
        for name, before in opened.kept.items():
            if before is not None and item.get(name) != before:
                sentence = f"`{DONE}` for item {place} has another `{name}` than its `added`"
                found.append(Violation("item-id" if name != "type" else "item-type", f"{_at(DONE, place)} {name}", sentence))
        return found + _complete(opened, item, place)

    def _within(self, event: ItemEvent) -> list[Violation]:
        opened = self._opened(event)
        if opened is None:
            named = event.output_index if event.output_index is not None else event.item_id
            sentence = f"`{event.type}` for item {named}, which is not open: its `added` is missing, or it is done"
            return [Violation("item-added", _at(event.type, named), sentence)]
        if event.item_id is not None and opened.kept["id"] is not None and event.item_id != opened.kept["id"]:
            sentence = f"`{event.type}` for item {event.output_index} has another `item_id` than its `added`"
            return [Violation("item-id", f"{_at(event.type, event.output_index)} item_id", sentence)]
        if event.type.endswith(".done"):
            opened.arguments = _hash(event.arguments) or _hash(event.input) or opened.arguments
        return _said(opened, event)

    def _opened(self, event: ItemEvent) -> _Open | None:
        if event.output_index is not None:
            return self._open.get(event.output_index)
        return next((each for each in self._open.values() if each.kept["id"] == event.item_id), None)

    def _finish(self, item: dict[str, Any]) -> None:
        if len(self.finished) <= self.MOST_FINISHED:
            self.finished.append((str(item.get("id") or ""), str(item.get("call_id") or "")))


def _said(opened: _Open, event: ItemEvent) -> list[Violation]:
    """A delta is added to what was said; a `….done` must repeat all of it. Without a delta there is nothing to compare."""
    kind, _, last = event.type.rpartition(".")
    part = (kind, event.content_index if event.content_index is not None else event.summary_index)
    if last == "delta" and isinstance(event.delta, str):
        if part in opened.said or len(opened.said) < _MOST_PARTS:
            opened.said.setdefault(part, blake2b(digest_size=8)).update(event.delta.encode())
    elif last == "done" and part in opened.said:
        whole = next((value for name in _TEXTS if isinstance(value := getattr(event, name), str)), None)
        said = opened.said.pop(part).digest()
        if whole is not None and _hash(whole) != said:
            sentence = f"`{event.type}` for item {event.output_index} does not say what its deltas have said together"
            return [Violation("delta-text", _at(event.type, event.output_index), sentence)]
    return []


def _complete(opened: _Open, item: dict[str, Any], place: Any) -> list[Violation]:
    """Codex runs a call as soon as it is done. Whether the arguments make sense is between the model and the tool."""
    name = _ARGUMENTS.get(str(item.get("type")))
    if name is None:
        return []
    field = f"{_at(DONE, place)} {name}"
    if not isinstance(item.get(name), str):
        return [Violation("call-complete", field, f"`{DONE}` for item {place} is a call without its `{name}`")]
    if opened.arguments is not None and _hash(item[name]) != opened.arguments:
        return [Violation("call-complete", field, f"`{DONE}` for item {place} has other `{name}` than the `….done` before it")]
    return []


def _hash(text: Any) -> bytes | None:
    return blake2b(text.encode(), digest_size=8).digest() if isinstance(text, str) else None


def _at(type: str, place: Any) -> str:
    return f"{type} item {place}"
