"""A messages stream → the events of one response.

Blocks come one after the other, each with its index. What belongs to another block while a call is open waits until that call is
stopped: only one item may be open at a time. The terminal event is written at `message_stop`, or at the end of the body if the
reason to stop was told before.
"""

from __future__ import annotations

from typing import Any

from ....contract.errors import Failure
from ....contract.events import Event, ResponseBuilder
from ....contract.sse import Frame
from ....contract.tools import ToolTable
from .. import finish
from ..base import Target
from ..ids import CallIds
from ..surrogates import Halves, mend
from . import errors
from .blocks import Block, Call, Ignored, Text, Thinking
from .events import Delta, StreamEvent, decode, decode_leniently
from .usage import Counts

_BLOCK_EVENTS = frozenset({"content_block_start", "content_block_delta", "content_block_stop"})
_NOWHERE = object()
_PIECES = ("text", "partial_json", "thinking", "signature")


class MessagesStream:
    """The `Translator` of the messages dialect."""

    def __init__(self, builder: ResponseBuilder, tools: ToolTable, ids: CallIds, target: Target) -> None:
        self._builder = builder
        self._tools = tools
        self._ids = ids
        self._target = target
        self._block: Block = Ignored(_NOWHERE)
        self._waiting: list[StreamEvent] = []
        self._halves: Halves | None = None  # only streams that need the slow decoder can hold half characters
        self._counts = Counts()
        self._reason: str | None = None
        self._details: Any = None

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
            event = decode(frame.data)
        except (ValueError, RecursionError):
            return self._odd(frame)
        return self._event(event, frame)

    def finish(self) -> list[Event]:
        if self._builder.ended:
            return []
        return self._settle() if self.settled else self._fail(finish.ENDED_EARLY)

    # -- frames -----------------------------------------------------------------------------------------------------

    def _odd(self, frame: Frame) -> list[Event]:
        """What the fast decoder refused."""
        data = frame.data.strip()
        if not data:
            return []
        if data == b"[DONE]":
            return self.finish()
        try:
            event = decode_leniently(data)
        except ValueError:
            return self._fail(errors.read_event(data, None) if frame.event == b"error" else finish.garbage(data))
        self._halves = self._halves or Halves()
        return self._event(event, frame)

    def _event(self, event: StreamEvent, frame: Frame) -> list[Event]:
        type = event.type = event.type or frame.event.decode("ascii", "replace")
        if type == "content_block_delta" and event.index == self._block.index and event.delta is not None:
            return self._add(event.delta)  # nearly all events are this one
        if event.error or type == "error" or frame.event == b"error":
            return self._fail(errors.read_event(frame.data, event.error))
        if type in _BLOCK_EVENTS:
            return self._content(event)
        if type == "message_start":
            self._counts.update(event.message.get("usage") if isinstance(event.message, dict) else None)
        elif type == "message_delta":
            self._end_of_message(event.delta, event.usage)
        elif type == "message_stop":
            return self._settle()
        elif type == "message":
            return self._whole(event)
        return []

    def _end_of_message(self, delta: Delta | None, usage: Any) -> None:
        self._counts.update(usage)
        if delta is not None:
            self._reason = finish.later_reason(self._reason, delta.stop_reason)
            self._details = delta.stop_details or self._details

    def _whole(self, message: StreamEvent) -> list[Event]:
        """An answer in one piece, from a server that does not stream."""
        events: list[Event] = []
        self._end_of_message(Delta(stop_reason=message.stop_reason, stop_details=message.stop_details), message.usage)
        contents = message.content if isinstance(message.content, list) else []
        whole = len(contents) - (finish.outcome_of(self._reason or "") == "length")
        for index, content in enumerate(contents):
            events += self._content(StreamEvent(type="content_block_start", index=index, content_block=content))
            if index < whole:
                events += self._content(StreamEvent(type="content_block_stop", index=index))
            if self._builder.ended:
                return events
        return events + self._settle()

    # -- blocks -----------------------------------------------------------------------------------------------------

    def _content(self, event: StreamEvent) -> list[Event]:
        if isinstance(self._block, Call) and not self._block.stopped and event.index != self._block.index:
            self._waiting.append(event)
            return []
        if event.type == "content_block_start":
            return self._start(event)
        if event.index != self._block.index:
            return self._stray(event)
        if event.type == "content_block_stop":
            return [*self._block.stop(), *self._resume()]
        return self._add(event.delta) if event.delta is not None else []

    def _start(self, event: StreamEvent) -> list[Event]:
        events: list[Event] = []
        if self._finish_block(events):
            content = event.content_block if isinstance(event.content_block, dict) else {}
            content = _mended(content) if self._halves else content
            block = self._new_block(event.index, content)
            if isinstance(block, Failure):
                return events + self._fail(block)
            self._block = block
            events += block.start(content)
        return events

    def _new_block(self, index: Any, content: dict[str, Any]) -> Block | Failure:
        type = content.get("type")
        if type == "text":
            return Text(index, self._builder)
        if type in ("thinking", "redacted_thinking"):
            return Thinking(index, self._builder, self._target)
        if type != "tool_use":
            return Ignored(index)
        name = content.get("name")
        if not isinstance(name, str) or not name:
            return finish.NAMELESS_CALL
        return Call(index, self._builder, self._tools.resolve(name), self._ids.take(content.get("id")))

    def _stray(self, event: StreamEvent) -> list[Event]:
        """A piece of a block that was never started, or is over: text is kept, nothing else can be."""
        text = event.delta.text if event.delta is not None else None
        if not isinstance(text, str) or not text:
            return []
        start = StreamEvent(type="content_block_start", index=event.index, content_block={"type": "text", "text": text})
        return self._start(start)

    def _add(self, delta: Delta) -> list[Event]:
        if self._halves is not None:
            for name in _PIECES:
                piece = getattr(delta, name)
                if isinstance(piece, str):
                    setattr(delta, name, self._halves.join((self._block.index, name), piece))
        return self._block.add(delta)

    def _resume(self) -> list[Event]:
        """What waited for a call to be stopped."""
        waiting, self._waiting = self._waiting, []
        return [made for event in waiting if not self._builder.ended for made in self._content(event)]

    def _finish_block(self, events: list[Event]) -> bool:
        """The item of the block is done. False where it cannot be: the response has failed then."""
        finished = self._block.finish()
        self._block = Ignored(_NOWHERE)
        events += self._fail(finished) if isinstance(finished, Failure) else finished
        return not isinstance(finished, Failure)

    # -- the end ----------------------------------------------------------------------------------------------------

    def _settle(self) -> list[Event]:
        outcome = finish.outcome_of(self._reason or "end_turn")
        if outcome == "length":
            return self._cut_off()
        if outcome == "filtered":
            return self._fail(errors.refusal(self._details) if self._reason == "refusal" else finish.FILTERED)
        if outcome == "overflow":
            return self._fail(finish.OVERFLOW)
        if outcome == "broken":
            return self._fail(finish.broken(str(self._reason)))
        return self._paused() if self._reason == "pause_turn" else self._complete()

    def _paused(self) -> list[Event]:
        """For tools that the provider runs, of which none was offered: a server that pauses all the same has not come to its end.
        What was said is kept, so that the model can be asked to go on."""
        events: list[Event] = []
        return events + self._fail(finish.PAUSED) if self._finish_block(events) else events

    def _complete(self) -> list[Event]:
        """Nobody need have stopped a block in an answer that ended well. Half a call never gets out: it fails in `finish`."""
        events: list[Event] = []
        while isinstance(self._block, Call) and not self._block.stopped and not self._builder.ended:
            if not self._finish_block(events):
                return events
            events += self._resume()
        if not self._builder.ended and self._finish_block(events):
            events += self._builder.complete(self._counts.usage())
        return events

    def _cut_off(self) -> list[Event]:
        """The output limit. A call that was not whole is dropped; text and thoughts are kept."""
        events: list[Event] = []
        if not (isinstance(self._block, Call) and self._block.open):
            self._finish_block(events)
        return events + self._builder.incomplete("max_output_tokens", self._counts.usage())

    def _fail(self, failure: Failure) -> list[Event]:
        return self._builder.fail(failure, self._counts.usage() if self._counts else None)


def _mended(content: dict[str, Any]) -> dict[str, Any]:
    return {name: mend(value) if isinstance(value, str) else value for name, value in content.items()}
