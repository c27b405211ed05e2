"""The Anthropic Messages API: signed thinking blocks, which must come back byte for byte, in their place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chat_answers import Answer
from messages_answers import message, text, thinking, tool_use
from said import Call, Said, Thought, Words, without_thoughts


class MessagesLanguage:
    path = "/v1/messages"

    def answer(self, said: Sequence[Said], tokens: int) -> Answer:
        blocks = [
            thinking(each.text, each.seal)
            if isinstance(each, Thought)
            else text(each.text)
            if isinstance(each, Words)
            else tool_use(each.name, each.arguments, each.id)
            for each in said
        ]
        called = any(isinstance(each, Call) for each in said)
        return message(*blocks, stop_reason="tool_use" if called else "end_turn", input_tokens=tokens)

    def own(self, said: Sequence[Said]) -> list[Any]:
        return [_block(each) for each in said]

    def foreign(self, said: Sequence[Said]) -> list[Any]:
        return self.own(without_thoughts(said))

    def said_in(self, body: dict[str, Any]) -> list[Any]:
        return [block for turn in self._turns(body) if turn["role"] == "assistant" for block in turn["content"]]

    def results_in(self, body: dict[str, Any]) -> dict[str, str]:
        return {block["tool_use_id"]: _text(block["content"]) for block in self._of_user(body) if block["type"] == "tool_result"}

    def pictures_in(self, body: dict[str, Any]) -> int:
        shown = self._of_user(body)
        results = [part for block in shown if block["type"] == "tool_result" for part in block["content"]]
        return sum(part["type"] == "image" for part in [*shown, *results])

    def _turns(self, body: dict[str, Any]) -> list[Any]:
        return [{**turn, "content": [_unmarked(block) for block in turn["content"]]} for turn in body["messages"]]

    def _of_user(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        return [block for turn in self._turns(body) if turn["role"] == "user" for block in turn["content"]]


def _block(said: Said) -> dict[str, Any]:
    if isinstance(said, Thought):
        return {"type": "thinking", "thinking": said.text, "signature": said.seal}
    if isinstance(said, Words):
        return {"type": "text", "text": said.text}
    return {"type": "tool_use", "id": said.id, "name": said.name, "input": said.arguments}


def _text(parts: list[dict[str, Any]]) -> str:
    return "".join(part.get("text", "") for part in parts)


def _unmarked(block: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in block.items() if name != "cache_control"}
