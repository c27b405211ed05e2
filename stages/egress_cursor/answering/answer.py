"""What the model says → items of the response: text as messages, tags as calls, thinking as reasoning. Pure.

A segment of text is held back only while it may turn out to be nothing but a refusal (which must not be shown as an answer) or
blank; of ordinary text that is not even a word.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from ...contract.errors import Failure
from ...contract.events import Event, ResponseBuilder
from .. import failures, refusals
from ..asking.prompt import Prompt
from ..tags import Called, Piece, Tags

_SHORT = 600  # a longer answer is no refusal


class Answer:
    """Each method returns the events to send. `started` once there were any, `called` once there was a call."""

    def __init__(self, builder: ResponseBuilder, prompt: Prompt, new_id: Callable[[str], str]) -> None:
        self.started = False
        self._builder = builder
        self._new_id = new_id
        self._tags = Tags(prompt.nonce, prompt.find, parallel=prompt.parallel)
        self._held: str | None = ""  # the beginning of a segment, None once it is known to be an ordinary one
        self._shown = ""  # the whole text while it is short
        self._went_on = False
        self._cut = False

    @property
    def called(self) -> bool:
        return self._tags.called

    @property
    def settled(self) -> bool:
        """The calls are complete: something else followed them."""
        return self._tags.settled or self._went_on

    def text(self, text: str) -> list[Event]:
        return self._pieces(self._tags.feed(text))

    def thinking(self, text: str) -> list[Event]:
        if self.called:
            self._went_on = True
            return []
        return [*self.begin(), *self._builder.reasoning(text)]

    def thinking_done(self) -> list[Event]:
        return self._builder.close() if self._builder.open_type == "reasoning" else []

    def remark(self, sentence: str) -> list[Event]:
        """A tool of Cursor's own ends the segment. What it does is told where thinking is told, never in the message."""
        if self.called:
            self._went_on = True
            return []
        said = [*self._pieces(self._tags.flush()), *self._release()]
        self._held = ""
        before = [*said, *self.begin(), *self.thinking_done()]
        return [*before, *self._builder.reasoning(sentence), *self._builder.close()]

    def end(self) -> list[Event]:
        """The whole answer is there."""
        self._cut = self._tags.open and not self.called
        events = [] if self._cut else self._pieces(self._tags.flush())
        return events if self._refusal() else [*events, *self._release()]

    def failure(self) -> Failure | None:
        """Behind `end`: why the answer is none."""
        if self.called:
            return None
        return failures.cut_call() if self._cut else self._refusal()

    def begin(self) -> list[Event]:
        """The beginning of the response, the first time."""
        if self.started:
            return []
        self.started = True
        return self._builder.start()

    def _refusal(self) -> Failure | None:
        return failures.of_text(self._held or "") or failures.of_text(self._shown)

    def _pieces(self, pieces: list[Piece]) -> list[Event]:
        events: list[Event] = []
        for piece in pieces:
            events += self._call(piece) if isinstance(piece, Called) else self._say(piece.text)
        return events

    def _say(self, text: str) -> list[Event]:
        if self._held is None:
            return self._show(text)
        self._held += text
        return [] if refusals.may_become_answer(self._held) else self._release()

    def _release(self) -> list[Event]:
        held, self._held = self._held, None
        return self._show(held) if held and held.strip() else []

    def _show(self, text: str) -> list[Event]:
        if len(self._shown) <= _SHORT:
            self._shown += text
        return [*self.begin(), *self._builder.text(text)]

    def _call(self, piece: Called) -> list[Event]:
        tool, id = piece.tool, self._new_id("call")
        before = [*self._release(), *self.begin()]
        if tool.kind == "tool_search_call":
            return [*before, *self._builder.item(_search(id, piece.value))]
        opened = self._builder.call(tool.kind, id, tool.name, tool.namespace)
        shown = self._builder.call_delta(piece.value) if piece.value else []
        return [*before, *opened, *shown, *self._builder.end_call(piece.value)]


def _search(id: str, arguments: str) -> dict[str, Any]:
    return {
        "type": "tool_search_call",
        "id": f"tsc_{id}",
        "call_id": id,
        "execution": "client",
        "status": "completed",
        "arguments": msgspec.json.decode(arguments),
    }
