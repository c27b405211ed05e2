"""The part of an answer that begins with its first tool call.

Only one item may be open, and no call may be closed before the stream proves that it is whole. So the first call is shown while it
grows, and everything behind it (more calls, text, thinking) waits here in its order until `write`.
"""

from __future__ import annotations

from typing import Any

from ....contract.errors import Failure
from ....contract.events import Event, ResponseBuilder
from .. import finish
from ..call_writer import CallWriter, value_of
from ..ids import CallIds
from ..surrogates import Halves
from ..tools import Tool, ToolTable
from .calls import Assembly, Call, arguments_of
from .chunks import ToolDelta
from .think import Kind


class Said:
    """Text or thinking that came behind a call."""

    __slots__ = ("kind", "pieces")

    def __init__(self, kind: Kind) -> None:
        self.kind: Kind = kind
        self.pieces: list[str] = []


class Tail:
    """Empty, and false, until the first call."""

    def __init__(self, builder: ResponseBuilder, tools: ToolTable, ids: CallIds) -> None:
        self._builder = builder
        self._tools = tools
        self._ids = ids
        self._assembly = Assembly()
        self._parts: list[Call | Said] = []
        self._first: CallWriter | None = None

    def __bool__(self) -> bool:
        return bool(self._parts)

    def say(self, kind: Kind, text: str) -> None:
        last = self._parts[-1]
        if not isinstance(last, Said) or last.kind != kind:
            last = Said(kind)
            self._parts.append(last)
        last.pieces.append(text)

    def call(self, delta: ToolDelta, halves: Halves | None) -> list[Event]:
        call = self._assembly.belongs_to(delta)
        if not call.pieces:
            self._parts.append(call)
        piece = arguments_of(delta)
        call.pieces.append(halves.join(call, piece) if halves else piece)
        return self._show(call) if call is self._parts[0] else []

    def looks_whole(self) -> bool:
        """Each call has got a whole JSON object: as much proof as there is where the upstream gave no reason for its end."""
        return all(call.complete() for call in self._parts if isinstance(call, Call))

    def write(self, everything: bool, events: list[Event]) -> Failure | None:
        """The whole tail, or what of it is certain; where a call is not what a call must be, nothing, and why."""
        ready: list[tuple[Call | Said, Tool | None, str]] = []
        for part in self._parts if everything else _certain(self._parts):
            if isinstance(part, Call) and not part.name:
                return finish.NAMELESS_CALL
            tool = self._tools.resolve(part.name) if isinstance(part, Call) else None
            value = value_of(tool, "".join(part.pieces)) if tool else "".join(part.pieces)
            if value is None:
                return finish.CUT_CALL
            ready.append((part, tool, value))
        for part, tool, value in ready:
            events += self._write_said(part, value) if isinstance(part, Said) else self._write_call(part, tool, value)
        return None

    def _write_said(self, said: Said, text: str) -> list[Event]:
        return self._builder.text(text) if said.kind == "text" else self._builder.reasoning(text)

    def _write_call(self, call: Call, tool: Tool | None, value: str) -> list[Event]:
        if call is self._parts[0] and self._first is not None:
            return self._first.end(value)
        writer = self._writer(call, tool)
        return [*writer.begin(), *writer.end(value)]

    def _show(self, call: Call) -> list[Event]:
        """From the moment the name is known; what came before it is shown then."""
        if self._first is not None:
            return self._first.add(call.pieces[-1])
        if not call.name:
            return []
        self._first = self._writer(call)
        return [*self._first.begin(), *self._first.add("".join(call.pieces))]

    def _writer(self, call: Call, tool: Tool | None = None) -> CallWriter:
        return CallWriter(self._builder, tool or self._tools.resolve(call.name), self._ids.take(call.id))


def _certain(parts: list[Any]) -> list[Any]:
    """Of an answer that was stopped, what is certainly whole: a call is only where the model went on to say something else."""
    last = max((place for place, part in enumerate(parts) if isinstance(part, Said)), default=-1)
    return parts[: last + 1]
