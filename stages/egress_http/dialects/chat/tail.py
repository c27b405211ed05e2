"""The part of an answer that begins with its first tool call.

Only one item may be open, and no call may be closed before the stream proves that it is whole. So the first call is shown while it
grows, and everything behind it (more calls, text, thinking) waits here in its order until `write`.
"""

from __future__ import annotations

from typing import Any

from ....contract.errors import Failure
from ....contract.events import Event, ResponseBuilder
from ....contract.tools import Tool, ToolTable
from .. import finish
from ..base import Target
from ..call_writer import CallWriter, value_of
from ..ids import CallIds
from ..surrogates import Halves
from .calls import Assembly, Call, arguments_of
from .chunks import ToolDelta
from .thought import Thought, sealed_call


class Said:
    """Text that came behind a call."""

    __slots__ = ("pieces",)

    def __init__(self) -> None:
        self.pieces: list[str] = []


class Tail:
    """Empty, and false, until the first call."""

    def __init__(self, builder: ResponseBuilder, tools: ToolTable, ids: CallIds, target: Target) -> None:
        self._builder = builder
        self._target = target
        self._tools = tools
        self._ids = ids
        self._assembly = Assembly()
        self._parts: list[Call | Said | Thought] = []
        self._first: CallWriter | None = None
        self._told: set[Call] = set()

    def __bool__(self) -> bool:
        return bool(self._parts)

    def say(self, text: str) -> None:
        last = self._parts[-1]
        if not isinstance(last, Said):
            last = Said()
            self._parts.append(last)
        last.pieces.append(text)

    def thought(self) -> Thought:
        """What thinking behind a call belongs to."""
        last = self._parts[-1]
        if not isinstance(last, Thought):
            last = Thought()
            self._parts.append(last)
        return last

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
        ready: list[tuple[Call | Said | Thought, Tool | None, str]] = []
        for part in self._in_order() if everything else _certain(self._parts):
            if isinstance(part, Call) and not part.name:
                return finish.NAMELESS_CALL
            tool = self._tools.resolve(part.name) if isinstance(part, Call) else None
            value = value_of(tool, "".join(part.pieces)) if tool else "".join(part.pieces)
            if value is None:
                return finish.CUT_CALL
            ready.append((part, tool, value))
        for part, tool, value in ready:
            if isinstance(part, Call):
                events += self._write_call(part, tool, value)
            else:
                events += self._write_thought(part, value) if isinstance(part, Thought) else self._builder.text(value)
        return None

    def _in_order(self) -> list[Call | Said | Thought]:
        """What holds nothing to show, only state of the whole turn, goes in front of the calls while none has been begun."""
        if self._first is not None:
            return self._parts
        return sorted(self._parts, key=lambda part: not (isinstance(part, Thought) and not part.pieces))

    def _write_thought(self, thought: Thought, text: str) -> list[Event]:
        shown = self._builder.reasoning(text) if text else []
        return [*shown, *self._builder.seal_reasoning(thought.sealed(self._target))]

    def _write_call(self, call: Call, tool: Tool | None, value: str) -> list[Event]:
        if call is self._parts[0] and self._first is not None:
            ended = self._first.end(value)
            late = call.extra and call not in self._told
            return [*ended, *self._builder.seal_reasoning(sealed_call(self._first.id, call.extra, self._target))] if late else ended
        writer = self._writer(call, tool)
        return [*self._begin(writer, call), *writer.end(value)]

    def _begin(self, writer: CallWriter, call: Call) -> list[Event]:
        """With what came along with the call in front of it, as far as that is known."""
        if not call.extra:
            return writer.begin()
        self._told.add(call)
        return [*self._builder.seal_reasoning(sealed_call(writer.id, call.extra, self._target)), *writer.begin()]

    def _show(self, call: Call) -> list[Event]:
        """From the moment the name is known; what came before it is shown then."""
        if self._first is not None:
            return self._first.add(call.pieces[-1])
        if not call.name or self._target.quirks.hold_calls:
            return []
        self._first = self._writer(call)
        return [*self._begin(self._first, call), *self._first.add("".join(call.pieces))]

    def _writer(self, call: Call, tool: Tool | None = None) -> CallWriter:
        return CallWriter(self._builder, tool or self._tools.resolve(call.name), self._ids.take(call.id))


def _certain(parts: list[Any]) -> list[Any]:
    """Of an answer that was stopped, what is certainly whole: a call is only where the model went on to say something else."""
    last = max((place for place, part in enumerate(parts) if not isinstance(part, Call)), default=-1)
    return parts[: last + 1]
