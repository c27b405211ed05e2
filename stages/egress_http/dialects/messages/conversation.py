"""The messages of a request, put together so that the API takes them.

`Conversation` is told what happened, in order, and keeps these rules: user and assistant take turns, the user first; a user message
begins with the results of all calls of the message before it, in the order of the calls; text is never blank; thinking stands
where it stood, and never at the end of a message.

What is said later never changes what stands already: prompt caches depend on it, and on newer models the signatures of thinking
blocks do. That is why a later developer message becomes user text in its place and does not change the system prompt.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from ..parts import Part, text_part
from .reasoning import TYPES as THINKING

Block = dict[str, Any]
Message = dict[str, Any]

NO_OUTPUT = "(no output was recorded)"
OPENING = "(The conversation begins with what you said.)"


class _Turn:
    """The assistant message that is being put together, the answers to its calls, and what waits behind them."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.waiting: set[str] = set()
        self.results: dict[str, list[Part]] = {}
        self.later: list[Part] = []

    def said(self) -> list[Block]:
        """Without thinking that led to nothing: a message must not end with it."""
        end = len(self.blocks)
        while end and self.blocks[end - 1]["type"] in THINKING:
            end -= 1
        return self.blocks[:end]

    def answers(self) -> list[Block]:
        return [self._answer(block["id"]) for block in self.blocks if block["type"] == "tool_use"]

    def _answer(self, id: str) -> Block:
        parts = self.results.get(id, [text_part(NO_OUTPUT)])
        return {"type": "tool_result", "tool_use_id": id, **({"content": parts} if parts else {})}


class Conversation:
    """Takes what happened, gives the `system` blocks and the list of messages."""

    def __init__(self) -> None:
        self.system: list[Block] = []
        self._messages: list[Message] = []
        self._turn: _Turn | None = None

    def instruct(self, parts: list[Part]) -> None:
        """A developer or system message: part of the system prompt, or, once the talk has begun, marked text in its place."""
        parts = _visible(parts)
        at_start = not self._messages and self._turn is None
        if at_start and all(part["type"] == "text" for part in parts):
            self.system += parts
        elif parts:
            self.user([text_part("<developer>"), *parts, text_part("</developer>")])

    def user(self, parts: list[Part]) -> None:
        parts = _visible(parts)
        if not parts:
            return
        if self._turn is not None and self._turn.waiting:
            self._turn.later += parts
        else:
            self._close_turn()
            self._say("user", parts)

    def assistant(self, text: str) -> None:
        if text.strip():
            self._open_turn().blocks.append(text_part(text))

    def state(self, fields: Block) -> None:
        """A thinking block."""
        self._open_turn().blocks.append(fields)

    def call(self, id: str, name: str, arguments: str, answered: bool) -> None:
        """The arguments are sent as the bytes they are: a number or a key order that changed would be another call."""
        turn = self._open_turn()
        turn.blocks.append({"type": "tool_use", "id": id, "name": name, "input": msgspec.Raw(arguments.encode())})
        if answered:
            turn.waiting.add(id)

    def result(self, id: str, parts: list[Part]) -> None:
        turn = self._open_turn()
        turn.results[id] = _visible(parts)
        turn.waiting.discard(id)
        if not turn.waiting:
            self._close_turn()

    def end(self) -> list[Message]:
        self._close_turn()
        return self._messages

    def _open_turn(self) -> _Turn:
        if self._turn is None:
            self._turn = _Turn()
        return self._turn

    def _close_turn(self) -> None:
        turn, self._turn = self._turn, None
        if turn is not None:
            self._say("assistant", turn.said())
            self._say("user", [*turn.answers(), *turn.later])

    def _say(self, role: Literal["user", "assistant"], blocks: list[Block]) -> None:
        if not blocks:
            return
        if not self._messages and role == "assistant":
            self._messages.append({"role": "user", "content": [text_part(OPENING)]})
        if self._messages and self._messages[-1]["role"] == role:
            self._messages[-1]["content"] += blocks
        else:
            self._messages.append({"role": role, "content": list(blocks)})


def in_bare_loop(messages: list[Message]) -> bool:
    """The tool calls under way were begun without thinking. `messages` end with the user's."""
    first = None
    for place in range(len(messages) - 1, 0, -2):
        if messages[place]["content"][0]["type"] != "tool_result":
            break
        first = messages[place - 1]
    return first is not None and first["content"][0]["type"] not in THINKING


def _visible(parts: list[Part]) -> list[Part]:
    """Blank text is refused by the API, and says nothing."""
    return [part for part in parts if part["type"] != "text" or part["text"].strip()]
