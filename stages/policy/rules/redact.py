"""Secrets and personal data become placeholders before they leave this machine, and are put back in the answer. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from ...contract import key_shapes
from ...contract.sse import Frame, event_of
from ..config import Redact
from ..effect import Effect
from ..request import Request
from .placeholders import Pieces, Placeholders
from .texts import altered

Event = dict[str, Any]

_SHAPES = {"keys": ("KEY", key_shapes.KEYS), "private_keys": ("PRIVATE_KEY", key_shapes.PRIVATE_KEYS)}
_SHAPES |= {"emails": ("EMAIL", key_shapes.EMAILS)}
_TERMINAL = ("response.completed", "response.failed", "response.incomplete")
# What names one text of an answer, beside the kind of its events.
_PLACE = ("item_id", "output_index", "content_index", "summary_index")


def redact(rule: Redact, request: Request) -> Effect | None:
    """`input` comes last: what stands before it does not grow from turn to turn, and the numbers of placeholders stay."""
    placeholders = Placeholders(_patterns(rule))
    names = sorted(request.document.names, key=lambda name: name == "input")
    for name in names:
        if name == "input":
            _hide_items(request, placeholders)
        elif name != "model":
            _hide_value(request, name, placeholders)
    if not len(placeholders):
        return None
    return Effect(f"redact {len(placeholders)} secrets", Restore(placeholders) if rule.restore else None)


def _patterns(rule: Redact) -> dict[str, str]:
    return dict(_SHAPES[kind] for kind in rule.kinds) | {name.upper(): pattern for name, pattern in rule.patterns.items()}


def _hide_value(request: Request, name: str, placeholders: Placeholders) -> None:
    value = request.document.get(name, object)
    if (hidden := altered(value, placeholders.hide)) is not value:
        request.document.set(name, hidden)


def _hide_items(request: Request, placeholders: Placeholders) -> None:
    """Items without a secret stay the bytes they were."""
    items = request.items
    if not items:
        _hide_value(request, "input", placeholders)
        return
    values = [msgspec.json.decode(item) for item in items]
    hidden = [altered(value, placeholders.hide) for value in values]
    if any(new is not old for new, old in zip(hidden, values, strict=True)):
        request.put_items([raw if new is old else new for raw, new, old in zip(items, hidden, values, strict=True)])


class Restore:
    """Puts back what placeholders stand for, in one answer, also where a placeholder comes in pieces (`AnswerChange`)."""

    def __init__(self, placeholders: Placeholders) -> None:
        self._placeholders = placeholders
        self._texts: dict[tuple[Any, ...], tuple[Pieces, Event]] = {}
        self._added = 0  # events of our own so far: the numbers of those behind them grow by so many

    def feed(self, frame: Frame) -> list[Frame]:
        event = event_of(frame)
        if event is None:
            return [frame]
        kind = str(event.get("type", ""))
        if kind.endswith(".delta") and isinstance(event.get("delta"), str):
            return [self._frame(frame.event, self._delta(kind, event))]
        late = [self._late(held, event) for held in self._ended(kind, event)]
        restored = altered(event, self._placeholders.show)
        return [*late, self._frame(frame.event, restored)]

    def finish(self) -> list[Frame]:
        """A stream without a terminal event is broken; nobody takes what was held back for the end of a text."""
        return []

    @property
    def note(self) -> None:
        """All is said of the request."""

    def whole(self, body: bytes) -> bytes:
        try:
            return msgspec.json.encode(altered(msgspec.json.decode(body), self._placeholders.show))
        except msgspec.DecodeError:
            return body

    def _delta(self, kind: str, event: Event) -> Event:
        key = _key(kind, event)
        if key not in self._texts:
            self._texts[key] = Pieces(self._placeholders, in_json=kind.endswith("arguments.delta")), event
        return {**event, "delta": self._texts[key][0].feed(event["delta"])}

    def _ended(self, kind: str, event: Event) -> list[Event]:
        """What is still held back of texts that end with this event, as deltas."""
        if kind in _TERMINAL:
            over = list(self._texts)
        else:
            key = _key(kind, event)
            over = [key] if kind.endswith(".done") and key in self._texts else []
        ended = [self._texts.pop(key) for key in over]
        return [{**first, "delta": held} for pieces, first in ended if (held := pieces.finish())]

    def _late(self, delta: Event, before: Event) -> Frame:
        if isinstance(before.get("sequence_number"), int):
            delta = {**delta, "sequence_number": before["sequence_number"]}
        frame = self._frame(str(delta["type"]).encode(), delta)
        self._added += 1
        return frame

    def _frame(self, name: bytes, event: Event) -> Frame:
        number = event.get("sequence_number")
        numbered = {**event, "sequence_number": number + self._added} if self._added and isinstance(number, int) else event
        return Frame(name, msgspec.json.encode(numbered))


def _key(kind: str, event: Event) -> tuple[Any, ...]:
    return (kind.rpartition(".")[0], *(event.get(name) for name in _PLACE))
