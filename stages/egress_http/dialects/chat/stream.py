"""A chat stream → the events of one response.

What comes before the first tool call goes out at once; what comes from there on is the `Tail`'s. An upstream says why it stopped
before its stream is over, because the usage comes last: the terminal event is written at `[DONE]` or at the end of the body.
"""

from __future__ import annotations

from typing import Any

from ....contract.errors import Failure
from ....contract.events import Event, ResponseBuilder
from ....contract.sse import Frame
from ....contract.tools import ToolTable
from .. import finish, provider_errors
from ..base import Target
from ..ids import CallIds
from ..surrogates import Halves
from .chunks import Choice, Chunk, Delta, ToolDelta, decode, decode_leniently, from_dict
from .content import content_pieces, details_text
from .tail import Tail
from .think import Kind, ThinkSplitter
from .thought import Thinking, Thought
from .usage import read_usage

_FIRST_CHOICE = (None, 0, "0")


class ChatStream:
    """The `Translator` of the chat dialect."""

    def __init__(self, builder: ResponseBuilder, tools: ToolTable, ids: CallIds, target: Target) -> None:
        self._builder = builder
        self._tail = Tail(builder, tools, ids, target)
        self._thinking = Thinking(builder, target)
        self._think = self._tags = _splitter(target)
        self._halves: Halves | None = None  # only streams that need the slow decoder can hold half characters
        self._reason: str | None = None
        self._usage: Any = None
        self._whole = False
        self._spoke = False

    @property
    def ended(self) -> bool:
        return self._builder.ended

    @property
    def settled(self) -> bool:
        return self._reason is not None

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
            error = provider_errors.read_answer(200, data, None) if frame.event == b"error" else finish.garbage(data)
            return self._fail(error)
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
                self._choice(choice, chunk, events)
        return events

    def _choice(self, choice: Choice, chunk: Chunk, events: list[Event]) -> None:
        if choice.error:
            events += self._fail(provider_errors.read_chunk_error(choice.error))
            return
        if choice.delta is not None:
            self._delta(choice.delta, events)
        elif choice.message is not None:
            self._message(choice.message, chunk, events)
        if choice.usage is not None:
            self._usage = choice.usage
        if choice.finish_reason is not None:
            self._reason = finish.later_reason(self._reason, choice.finish_reason)

    def _message(self, message: Delta, chunk: Chunk, events: list[Event]) -> None:
        """A whole answer, or, at the end of a stream, a copy of what has been said."""
        if not self._whole and (self._spoke or self._tail):
            return
        self._whole = chunk.object == "chat.completion"
        self._delta(message, events)

    def _delta(self, delta: Delta, events: list[Event]) -> None:
        if delta.reasoning_content or delta.reasoning or delta.reasoning_details:
            self._reasoning(delta, events)
        content = delta.content
        if content:
            if isinstance(content, str):
                self._content(content, events)
            else:
                self._content_parts(content, events)
        if delta.refusal and isinstance(delta.refusal, str):
            self._say(delta.refusal, events)
        if delta.tool_calls:
            for call in delta.tool_calls:
                self._call(call, events)
        elif delta.function_call is not None:
            self._call(ToolDelta(index=0, function=delta.function_call), events)

    # -- one delta --------------------------------------------------------------------------------------------------

    def _reasoning(self, delta: Delta, events: list[Event]) -> None:
        """Where the same thinking comes in two fields, the text is shown once and the details are what is kept."""
        thought = self._thought()
        text = delta.reasoning_content or delta.reasoning
        if delta.reasoning_details:
            thought.details.add(delta.reasoning_details)
        elif not delta.reasoning_content:
            thought.field = "reasoning"
        text = text or delta.reasoning_details
        self._show(thought, text if isinstance(text, str) else details_text(text), events)

    def _content_parts(self, content: Any, events: list[Event]) -> None:
        for kind, text, rest in content_pieces(content):
            if kind == "text":
                self._content(text, events)
            else:
                thought = self._thought()
                thought.part = {**(thought.part or {}), **rest}
                self._show(thought, text, events)

    def _content(self, text: str, events: list[Event]) -> None:
        if self._think is None:
            self._say(text, events)
            return
        for kind, piece in self._think.feed(text):
            self._split(kind, piece, events)
        if self._think.plain:
            self._think = None

    def _split(self, kind: Kind, text: str, events: list[Event]) -> None:
        if kind == "text":
            self._say(text, events)
        else:
            thought = self._thought()
            thought.tags = self._tags
            self._show(thought, text, events)

    def _say(self, text: str, events: list[Event]) -> None:
        if self._halves is not None:
            text = self._halves.join("text", text)
        if not text:
            return
        self._spoke = True
        if self._tail:
            self._tail.say(text)
            return
        if self._thinking.open:
            events += self._thinking.seal()
        events += self._builder.text(text)

    def _thought(self) -> Thought:
        return self._tail.thought() if self._tail else self._thinking.current()

    def _show(self, thought: Thought, text: str, events: list[Event]) -> None:
        if self._halves is not None:
            text = self._halves.join("reasoning", text)
        if not text:
            return
        thought.pieces.append(text)
        if not self._tail:
            events += self._builder.reasoning(text)

    def _call(self, delta: ToolDelta, events: list[Event]) -> None:
        if not self._tail:
            self._flush_think(events)
            events += self._thinking.seal()
        events += self._tail.call(delta, self._halves)

    def _flush_think(self, events: list[Event]) -> None:
        if self._think is not None:
            for kind, piece in self._think.flush():
                self._split(kind, piece, events)

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
        events += self._thinking.seal()
        failure = self._tail.write(outcome == "complete", events)
        return events + (self._fail(failure) if failure else self._end(outcome))

    def _looks_whole(self) -> bool:
        return self._tail.looks_whole() if self._tail else self._spoke

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


def _splitter(target: Target) -> ThinkSplitter | None:
    return None if target.quirks.think_tags == "off" else ThinkSplitter(opened=target.quirks.think_tags == "open")


def _failure_in(chunk: Chunk, frame: Frame) -> Failure:
    if chunk.error:
        return provider_errors.read_chunk_error(chunk.error)
    return provider_errors.read_answer(200, frame.data, None)
