"""Chat messages, put together so that even strict servers take them.

`Conversation` is told what happened, in order, and keeps these rules: one leading system message; parallel calls stand in one
assistant message; each of them is answered right behind it, in the order of the calls, before anything else is said; images from
tool results follow in one user message.

What the client or the model says later never changes an earlier message, so that providers' prompt caches keep working. That is why
a later developer message becomes user text in its place and is not added to the leading one.
"""

from __future__ import annotations

from typing import Any

from ...config import Quirks
from ..parts import Part, join_text, text_part
from .parts import collapse
from .reasoning import Kept
from .turn import Message, Turn


class Conversation:
    """Takes what happened, gives the list of messages."""

    def __init__(self, quirks: Quirks) -> None:
        self._quirks = quirks
        self._role = "developer" if quirks.developer_role else "system"
        self._system: list[str] = []
        self._messages: list[Message] = []
        self._turn: Turn | None = None

    def instruct(self, parts: list[Part]) -> None:
        """A developer or system message: part of the leading one, or, once the talk has begun, marked text in its place."""
        is_text = all(part["type"] == "text" for part in parts)
        if is_text and not self._messages and self._turn is None:
            self._system += [part["text"] for part in parts]
        elif is_text and parts and self._quirks.late_instructions == "same":
            self._say({"role": self._role, "content": join_text(parts)})
        elif parts:
            self.user([text_part("<developer>"), *parts, text_part("</developer>")])

    def user(self, parts: list[Part]) -> None:
        if parts:
            self._say({"role": "user", "content": collapse(parts)})

    def assistant(self, text: str) -> None:
        if text:
            self._open_turn().pieces.append(text)

    def state(self, fields: Kept) -> None:
        """Belongs to the assistant message that follows, or that is being put together."""
        self._open_turn().pieces.append(fields)

    def call(self, id: str, name: str, arguments: str, answered: bool) -> None:
        """`answered` says whether `result` will be called for it."""
        turn = self._open_turn()
        turn.calls.append({"id": id, "type": "function", "function": {"name": name, "arguments": arguments}})
        if answered:
            turn.waiting.add(id)

    def result(self, id: str, parts: list[Part]) -> None:
        turn = self._open_turn()
        turn.results[id] = parts
        turn.waiting.discard(id)
        if not turn.waiting:
            self._close_turn()

    def end(self, instructions: str = "") -> list[Message]:
        """All messages. `instructions` are those of this request alone, and stand at the end of the leading ones."""
        self._close_turn()
        system = [*self._system, *([instructions] if instructions else [])]
        leading = [{"role": self._role, "content": "\n\n".join(system)}] if system else []
        return [*leading, *(_alternating(self._messages) if self._quirks.alternate else self._messages)]

    def _say(self, message: Message) -> None:
        if self._turn is not None and self._turn.waiting:
            self._turn.later.append(message)
        else:
            self._close_turn()
            self._messages.append(message)

    def _open_turn(self) -> Turn:
        if self._turn is None:
            self._turn = Turn(self._quirks)
        return self._turn

    def _close_turn(self) -> None:
        if self._turn is not None:
            self._messages += self._turn.messages()
            self._turn = None


def _alternating(messages: list[Message]) -> list[Message]:
    """Neighbours that say the same role are one message, for templates that count on taking turns."""
    joined: list[Message] = []
    for message in messages:
        if joined and message["role"] == "user" == joined[-1]["role"]:
            joined[-1] = {"role": "user", "content": _joined(joined[-1]["content"], message["content"])}
        else:
            joined.append(message)
    return joined


def _joined(first: Any, second: Any) -> Any:
    if isinstance(first, str) and isinstance(second, str):
        return f"{first}\n\n{second}"
    return [part for content in (first, second) for part in ([text_part(content)] if isinstance(content, str) else content)]
