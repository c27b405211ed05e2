"""One content block on its way to the client, from its start to the item it becomes.

A block is finished in two steps. `stop` is what the API says of it; a call that is certainly whole is done then, because Codex can
run it while the model goes on. `finish` comes when something else has begun or the stop reason is known: only then is the item of
a text or a thought done, so that a stream that breaks leaves no half of it behind, and only then is a call done whose arguments
are no whole object, because the API stops a block in the same way when the output limit has cut it off.
"""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from ....contract.errors import Failure
from ....contract.events import Event, ResponseBuilder
from ....contract.tools import Tool
from .. import finish
from ..base import Target
from ..call_writer import CallWriter, value_of
from ..parts import as_json
from . import reasoning
from .events import Delta

_object = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Block(Protocol):
    """`index` is the place it has in the message."""

    index: Any

    def start(self, content: dict[str, Any]) -> list[Event]: ...

    def add(self, delta: Delta) -> list[Event]: ...

    def stop(self) -> list[Event]: ...

    def finish(self) -> list[Event] | Failure: ...


class Ignored:
    """What the provider does for itself (its own tools and their results), and what nobody knows yet."""

    def __init__(self, index: Any) -> None:
        self.index = index

    def start(self, content: dict[str, Any]) -> list[Event]:
        return []

    def add(self, delta: Delta) -> list[Event]:
        return []

    def stop(self) -> list[Event]:
        return []

    def finish(self) -> list[Event] | Failure:
        return []


class Text(Ignored):
    """A message of its own."""

    def __init__(self, index: Any, builder: ResponseBuilder) -> None:
        super().__init__(index)
        self._builder = builder

    def start(self, content: dict[str, Any]) -> list[Event]:
        return self._say(content.get("text"))

    def add(self, delta: Delta) -> list[Event]:
        return self._say(delta.text)

    def finish(self) -> list[Event] | Failure:
        return self._builder.close()

    def _say(self, text: Any) -> list[Event]:
        return self._builder.text(text) if isinstance(text, str) and text else []


class Thinking(Ignored):
    """A reasoning item with the block itself inside, as it has to be given back."""

    def __init__(self, index: Any, builder: ResponseBuilder, target: Target) -> None:
        super().__init__(index)
        self._builder = builder
        self._target = target
        self._text: list[str] = []
        self._signature: list[str] = []
        self._data: Any = None

    def start(self, content: dict[str, Any]) -> list[Event]:
        self._data = content.get("data") if content.get("type") == "redacted_thinking" else None
        return self._think(content.get("thinking"), content.get("signature"))

    def add(self, delta: Delta) -> list[Event]:
        return self._think(delta.thinking, delta.signature)

    def finish(self) -> list[Event] | Failure:
        text, signature = "".join(self._text), "".join(self._signature)
        if isinstance(self._data, str) and self._data:
            return self._builder.seal_reasoning(reasoning.sealed(self._target, reasoning.redacted(self._data)))
        if not text and not signature:
            return []
        return self._builder.seal_reasoning(reasoning.sealed(self._target, reasoning.thinking(text, signature)))

    def _think(self, text: Any, signature: Any) -> list[Event]:
        if isinstance(signature, str) and signature:
            self._signature.append(signature)
        if not isinstance(text, str) or not text:
            return []
        self._text.append(text)
        return self._builder.reasoning(text)


class Call(Ignored):
    """A tool call. `open` until it is done: nothing else can be shown meanwhile."""

    def __init__(self, index: Any, builder: ResponseBuilder, tool: Tool, id: str) -> None:
        super().__init__(index)
        self._tool = tool
        self._writer = CallWriter(builder, tool, id)
        self._pieces: list[str] = []
        self._given = ""
        self.open = True
        self.stopped = False

    def start(self, content: dict[str, Any]) -> list[Event]:
        """The input comes in pieces behind an empty one, or here, all at once."""
        given = content.get("input")
        self._given = as_json(given) if isinstance(given, dict) and given else ""
        return self._writer.begin()

    def add(self, delta: Delta) -> list[Event]:
        piece = delta.partial_json
        if not isinstance(piece, str) or not piece or not self.open:
            return []
        self._pieces.append(piece)
        return self._writer.add(piece)

    def stop(self) -> list[Event]:
        self.stopped = True
        return self._end(self._arguments) if self.open and _is_object(self._arguments) else []

    def finish(self) -> list[Event] | Failure:
        if not self.open:
            return []
        arguments = self._arguments
        certain = _is_object(arguments) or (self.stopped and value_of(self._tool, arguments) is not None)
        return self._end(arguments) if certain else finish.CUT_CALL

    @property
    def _arguments(self) -> str:
        return "".join(self._pieces) or self._given

    def _end(self, arguments: str) -> list[Event]:
        self.open = False
        value = value_of(self._tool, arguments)
        return self._writer.end(arguments if value is None else value)


def _is_object(text: str) -> bool:
    try:
        _object.decode(text)
    except (ValueError, RecursionError):
        return False
    return True
