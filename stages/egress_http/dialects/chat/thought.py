"""What a model thought, on its way into a reasoning item: what is shown of it, and what its provider will want back.

The text itself is the item's summary, which the client keeps verbatim; the envelope in `encrypted_content` says in what form it
came and holds what cannot be seen. So the same thinking always gives the same item, and its text is not kept twice.
"""

from __future__ import annotations

from typing import Any, Literal

from ....contract.envelope import Envelope, seal
from ....contract.events import Event, ResponseBuilder
from ..base import Target
from .details import Details, lean
from .think import ThinkSplitter

TEXT, DETAILS, TAGS, PART, CALLS = "chat_rc", "chat_rd", "chat_think", "mistral", "chat_calls"

Field = Literal["reasoning_content", "reasoning"]


class Thought:
    """One stretch of thinking, until something else is said."""

    __slots__ = ("details", "field", "part", "pieces", "tags")

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.field: Field = "reasoning_content"
        self.details = Details()
        self.part: dict[str, Any] | None = None
        self.tags: ThinkSplitter | None = None

    def sealed(self, target: Target) -> str:
        kind, data = self._kept()
        return seal(Envelope(kind=kind, provider=target.provider, model=target.model, data=data))

    def _kept(self) -> tuple[str, Any]:
        if self.details:
            return DETAILS, lean(self.details.whole(), "".join(self.pieces))
        if self.part is not None:
            return PART, self.part
        if self.tags is not None:
            return TAGS, [self.tags.before, self.tags.after]
        return TEXT, self.field


class Thinking:
    """The thinking before the first tool call. `open` is what has not been sealed yet."""

    def __init__(self, builder: ResponseBuilder, target: Target) -> None:
        self._builder = builder
        self._target = target
        self.open: Thought | None = None

    def current(self) -> Thought:
        if self.open is None:
            self.open = Thought()
        return self.open

    def seal(self) -> list[Event]:
        """To be called before anything else is said, so that the state stands in front of what it belongs to."""
        thought, self.open = self.open, None
        return self._builder.seal_reasoning(thought.sealed(self._target)) if thought else []


def sealed_call(id: str, extra: Any, target: Target) -> str:
    """What came along with a call, such as the signature of the thought behind it."""
    return seal(Envelope(kind=CALLS, provider=target.provider, model=target.model, data={id: extra}))
