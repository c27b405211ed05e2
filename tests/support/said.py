"""What a scripted model says, in no language yet: thoughts with an opaque seal, words, and calls of tools."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from chat_answers import Answer


class Thought(NamedTuple):
    """`seal` is what its maker checks when the thought comes back: a signature, a blob, or nothing but the text."""

    text: str
    seal: str


class Words(NamedTuple):
    text: str


class Call(NamedTuple):
    """`name` is the flat one that models know. A freeform tool has one text as its `input`."""

    id: str
    name: str
    arguments: dict[str, Any]


Said = Thought | Words | Call


class Language(Protocol):
    """How a dialect's provider says this, and how it must get it back. What comes back is told in values that can be compared."""

    path: str

    def answer(self, said: Sequence[Said], tokens: int) -> Answer:
        """A whole streamed answer. `tokens` is how long the prompt is said to have been."""
        ...

    def own(self, said: Sequence[Said]) -> list[Any]:
        """What the same model must be sent of one of its answers."""
        ...

    def foreign(self, said: Sequence[Said]) -> list[Any]:
        """What it must be sent of an answer that another model gave."""
        ...

    def said_in(self, body: dict[str, Any]) -> list[Any]:
        """All that the model has said, by the history of a request."""
        ...

    def results_in(self, body: dict[str, Any]) -> dict[str, str]:
        """What the model is told of each of its calls."""
        ...

    def pictures_in(self, body: dict[str, Any]) -> int: ...


def without_thoughts(said: Sequence[Said]) -> list[Words | Call]:
    return [each for each in said if not isinstance(each, Thought)]
