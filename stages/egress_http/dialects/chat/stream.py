"""A chat stream → the events of one response.

What comes before the first tool call goes out at once. From the first call on, the order of the answer is kept in `_tail`: the
first call is shown while it grows, everything behind it waits, since only one item may be open and no call may be closed before the
stream proves that it is whole (a finish reason or `[DONE]`). `_settle` then writes the tail and the one terminal event.

The upstream's word for why it stopped is not the end of its stream: the usage comes behind it.
"""

from __future__ import annotations

from typing import Any

from ....contract.errors import Failure
from ....contract.events import Event, ResponseBuilder
from ....contract.sse import Frame
from .. import provider_errors
from ..surrogates import Halves
from ..tools import Tool, ToolTable
from . import finish
from .call_writer import CallWriter, value_of
from .calls import Assembly, Call, arguments_of
from .chunks import Choice, Chunk, Delta, ToolDelta, decode, decode_leniently, from_dict
from .content import content_pieces, details_text
from .ids import CallIds
from .think import Kind, ThinkSplitter
from .usage import read_usage

_FIRST_CHOICE = (None, 0, "0")


class _Said:
    """Text or thinking that came behind a call."""

    __slots__ = ("kind", "pieces")

    def __init__(self, kind: Kind) -> None:
        self.kind: Kind = kind
        self.pieces: list[str] = []


class ChatStream:
    """The `Translator` of the chat dialect."""

    def __init__(self, builder: ResponseBuilder, tools: ToolTable, ids: CallIds) -> None:
        self._builder = builder
        self._tools = tools
        self._ids = ids
        self._think: ThinkSplitter | None = ThinkSplitter()
        self._halves: Halves | None = None
        self._calls = Assembly()
        self._tail: list[Call | _Said] = []
        self._writer: CallWriter | None = None
        self._reason: str | None = None
        self._usage: Any = None
        self._whole = False
        self._spoke = False

    @property
    def ended(self) -> bool:
        return self._builder.ended

    def feed(self, frame: Frame) -> list[Event]:
        if self._builder.ended:
            return []
        try:
            chunk = decode(frame.data)
        except (ValueError, RecursionError):
            return self._odd(frame)
        return self._chunk(chunk, frame)

    def finish(self) -> list[Event]:
        """An answer that came in one piece needs no proof that it is whole; a stream does."""
        return [] if self._builder.ended else self._settle(proven=self._whole)

    # -- frames -----------------------------------------------------------------------------------------------------

    def _odd(self, frame: Frame) -> list[Event]:
        """What the fast decoder refused."""
        data = frame.data.strip()
        if not data:
            return []
        if data == b"[DONE]":
            return self._settle(proven=True)
        try:
            chunk = decode_leniently(data)
        except ValueError:
            if frame.event == b"error":
                return self._fail(provider_errors.read_answer(200, data, None))
            return self._fail(finish.garbage(data))
        self._halves = self._halves or Halves()
        return self._chunk(chunk, frame)

    def _chunk(self, chunk: Chunk, frame: Frame) -> list[Event]:
        if chunk.data is not None and chunk.choices is None and isinstance(chunk.data, dict):
            chunk = from_dict({"data": chunk.data, "error": chunk.error})
        if chunk.error or chunk.object == "error" or frame.event == b"error":
            return self._fail(_failure_in(chunk, frame))
        if chunk.usage is not None:
            self._usage = chunk.usage
        elif isinstance(chunk.x_groq, dict):
            self._usage = chunk.x_groq.get("usage") or self._usage
        events: list[Event] = []
        for choice in chunk.choices or ():
            if choice.index in _FIRST_CHOICE and not self._builder.ended:
                self._choice(choice, events)
        return events

    def _choice(self, choice: Choice, events: list[Event]) -> None:
        if choice.error:
            events += self._fail(provider_errors.read_chunk_error(choice.error))
            return
        if choice.delta is not None:
            self._delta(choice.delta, events)
        elif choice.message is not None:
            self._whole = True
            self._delta(choice.message, events)
        if choice.usage is not None:
            self._usage = choice.usage
        if choice.finish_reason is not None:
            self._reason = finish.later_reason(self._reason, choice.finish_reason)

    def _delta(self, delta: Delta, events: list[Event]) -> None:
        thought = delta.reasoning_content or delta.reasoning or delta.reasoning_details
        if thought:
            self._say("reasoning", thought if isinstance(thought, str) else details_text(thought), events)
        content = delta.content
        if content:
            if isinstance(content, str):
                self._content(content, events)
            else:
                self._content_parts(content, events)
        if delta.refusal and isinstance(delta.refusal, str):
            self._say("text", delta.refusal, events)
        if delta.tool_calls:
            for call in delta.tool_calls:
                self._call_delta(call, events)
        elif delta.function_call is not None:
            self._call_delta(ToolDelta(index=0, function=delta.function_call), events)

    # -- text -------------------------------------------------------------------------------------------------------

    def _content_parts(self, content: Any, events: list[Event]) -> None:
        for kind, text in content_pieces(content):
            if kind == "text":
                self._content(text, events)
            else:
                self._say(kind, text, events)

    def _content(self, text: str, events: list[Event]) -> None:
        if self._think is None:
            self._say("text", text, events)
            return
        for kind, piece in self._think.feed(text):
            self._say(kind, piece, events)
        if self._think.plain:
            self._think = None

    def _say(self, kind: Kind, text: str, events: list[Event]) -> None:
        if self._halves is not None:
            text = self._halves.join(kind, text)
        if not text:
            return
        if kind == "text":
            self._spoke = True
        if self._tail:
            self._keep(kind, text)
        else:
            events += self._builder.text(text) if kind == "text" else self._builder.reasoning(text)

    def _keep(self, kind: Kind, text: str) -> None:
        last = self._tail[-1]
        if not isinstance(last, _Said) or last.kind != kind:
            last = _Said(kind)
            self._tail.append(last)
        last.pieces.append(text)

    # -- calls ------------------------------------------------------------------------------------------------------

    def _call_delta(self, delta: ToolDelta, events: list[Event]) -> None:
        call = self._calls.belongs_to(delta)
        piece = arguments_of(delta)
        if self._halves is not None:
            piece = self._halves.join(call, piece)
        call.pieces.append(piece)
        if call.fresh:
            self._flush_think(events)
            self._tail.append(call)
            call.fresh = False
        if call is self._tail[0]:
            self._show(call, piece, events)

    def _flush_think(self, events: list[Event]) -> None:
        if self._think is not None:
            for kind, piece in self._think.flush():
                self._say(kind, piece, events)

    def _show(self, call: Call, piece: str, events: list[Event]) -> None:
        """The first call grows in sight of the client, from the moment its name is known."""
        if self._writer is not None:
            events += self._writer.add(piece)
        elif call.name:
            self._writer = self._write(call, self._tools.resolve(call.name), events)
            events += self._writer.add(call.arguments)

    def _write(self, call: Call, tool: Tool, events: list[Event]) -> CallWriter:
        writer = CallWriter(self._builder, tool, self._ids.take(call.id))
        events += writer.begin()
        return writer

    # -- the end ----------------------------------------------------------------------------------------------------

    def _settle(self, proven: bool) -> list[Event]:
        events: list[Event] = []
        self._flush_think(events)
        if self._reason is None and not (proven and self._looks_whole()):
            return events + self._fail(finish.ENDED_EARLY)
        outcome = finish.outcome_of(self._reason or "stop")
        if outcome == "broken":
            return events + self._fail(finish.broken(str(self._reason)))
        if outcome == "overflow":
            return events + self._fail(finish.OVERFLOW)
        failure = self._write_tail(self._tail if outcome == "complete" else _certain(self._tail), events)
        return events + (self._fail(failure) if failure else self._end(outcome))

    def _looks_whole(self) -> bool:
        calls = [part for part in self._tail if isinstance(part, Call)]
        return all(call.complete() for call in calls) if calls else self._spoke

    def _write_tail(self, tail: list[Call | _Said], events: list[Event]) -> Failure | None:
        """All of it, or, where one call is not what a call must be, nothing and why."""
        ready: list[tuple[Call | _Said, Tool | None, str]] = []
        for part in tail:
            tool = self._tools.resolve(part.name) if isinstance(part, Call) else None
            if isinstance(part, Call) and not part.name:
                return finish.NAMELESS_CALL
            value = value_of(tool, part.arguments) if tool and isinstance(part, Call) else "".join(part.pieces)
            if value is None:
                return finish.CUT_CALL
            ready.append((part, tool, value))
        for part, tool, value in ready:
            self._write_part(part, tool, value, events)
        return None

    def _write_part(self, part: Call | _Said, tool: Tool | None, value: str, events: list[Event]) -> None:
        if isinstance(part, _Said):
            events += self._builder.text(value) if part.kind == "text" else self._builder.reasoning(value)
            return
        writer = self._writer if part is self._tail[0] else None
        if writer is None and tool is not None:
            writer = self._write(part, tool, events)
        if writer is not None:
            events += writer.end(value)

    def _end(self, outcome: finish.Outcome) -> list[Event]:
        usage = read_usage(self._usage)
        if outcome == "complete":
            return self._builder.complete(usage)
        if outcome == "length":
            return self._builder.incomplete("max_output_tokens", usage)
        kept = self._builder.close() if self._builder.open_type in ("message", "reasoning") else []
        return [*kept, *self._fail(finish.FILTERED)]

    def _fail(self, failure: Failure) -> list[Event]:
        return self._builder.fail(failure, read_usage(self._usage) if self._usage else None)


def _certain(tail: list[Call | _Said]) -> list[Call | _Said]:
    """Of an answer that was stopped, what is certainly whole: a call is only where the model went on to say something else."""
    last = max((place for place, part in enumerate(tail) if isinstance(part, _Said)), default=-1)
    return tail[: last + 1]


def _failure_in(chunk: Chunk, frame: Frame) -> Failure:
    if chunk.error:
        return provider_errors.read_chunk_error(chunk.error)
    return provider_errors.read_answer(200, frame.data, None)
