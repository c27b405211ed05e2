"""Chat messages, put together so that even strict servers take them.

`Conversation` is told what happened, in order, and keeps these rules: one leading system message; parallel calls stand in one
assistant message; each of them is answered right behind it, in the order of the calls, before anything else is said; images from
tool results follow in one user message.

What the client or the model says later never changes an earlier message, so that providers' prompt caches keep working. That is why
a later developer message becomes user text in its place and is not added to the leading one.
"""

from __future__ import annotations

from typing import Any

from ..parts import Part, join_text, text_part
from .parts import collapse

Message = dict[str, Any]

NO_OUTPUT = "(no output was recorded)"


class _Turn:
    """The assistant message that is being put together, and the answers to its calls."""

    def __init__(self) -> None:
        self.text: list[str] = []
        self.state: dict[str, Any] = {}
        self.calls: list[dict[str, Any]] = []
        self.waiting: set[str] = set()
        self.results: dict[str, list[Part]] = {}
        self.later: list[Message] = []

    def messages(self) -> list[Message]:
        message: Message = {"role": "assistant", "content": "\n\n".join(self.text), **self.state}
        if self.calls:
            message["tool_calls"] = self.calls
        if not self.text and not self.calls:
            return self.later
        images: list[Part] = []
        answers = [self._answer(call, images) for call in self.calls]
        shown = [{"role": "user", "content": images}] if images else []
        return [message, *answers, *shown, *self.later]

    def _answer(self, call: dict[str, Any], images: list[Part]) -> Message:
        id = call["id"]
        text: list[Part] = []
        for part in self.results.get(id, [text_part(NO_OUTPUT)]):
            if part["type"] == "text":
                text.append(part)
            else:
                label = f"[image {len(images) // 2 + 1}, from {call['function']['name']} {id}]"
                text.append(text_part(label))
                images += [text_part(label), part]
        return {"role": "tool", "tool_call_id": id, "content": join_text(text)}


class Conversation:
    """Takes what happened, gives the list of messages."""

    def __init__(self) -> None:
        self._system: list[str] = []
        self._messages: list[Message] = []
        self._turn: _Turn | None = None

    def instruct(self, parts: list[Part]) -> None:
        """A developer or system message: part of the leading one, or, once the talk has begun, marked text in its place."""
        at_start = not self._messages and self._turn is None
        if at_start and all(part["type"] == "text" for part in parts):
            self._system += [part["text"] for part in parts]
        elif parts:
            self.user([text_part("<developer>"), *parts, text_part("</developer>")])

    def user(self, parts: list[Part]) -> None:
        if not parts:
            return
        message = {"role": "user", "content": collapse(parts)}
        if self._turn is not None and self._turn.waiting:
            self._turn.later.append(message)
        else:
            self._close_turn()
            self._messages.append(message)

    def assistant(self, text: str) -> None:
        if text:
            self._open_turn().text.append(text)

    def state(self, fields: dict[str, Any]) -> None:
        """Fields that belong to the assistant message that follows, or that is being put together."""
        self._open_turn().state.update(fields)

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

    def end(self) -> list[Message]:
        self._close_turn()
        system = [{"role": "system", "content": "\n\n".join(self._system)}] if self._system else []
        return [*system, *self._messages]

    def _open_turn(self) -> _Turn:
        if self._turn is None:
            self._turn = _Turn()
        return self._turn

    def _close_turn(self) -> None:
        if self._turn is not None:
            self._messages += self._turn.messages()
            self._turn = None
