"""Chat completions of a provider that wants its model's thinking back, as DeepSeek does."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from chat_answers import DONE, Answer, Step, call, chunk, finish
from said import Call, Said, Thought, Words, without_thoughts


class ChatLanguage:
    path = "/v1/chat/completions"

    def answer(self, said: Sequence[Said], tokens: int) -> Answer:
        steps: list[Step] = []
        for each in said:
            if isinstance(each, Thought):
                steps += [chunk(reasoning_content=half) for half in _halves(each.text + each.seal)]
            elif isinstance(each, Words):
                steps += [chunk(content=half) for half in _halves(each.text)]
            else:
                steps.append(call(each.name, each.arguments, each.id, sum('"tool_calls"' in str(step) for step in steps)))
        stopped = "tool_calls" if any(isinstance(each, Call) for each in said) else "stop"
        return Answer(*steps, finish(stopped, tokens), DONE)

    def own(self, said: Sequence[Said]) -> list[Any]:
        """The text of the thinking is all there is, so the seal is part of it."""
        return [Words("thought: " + each.text + each.seal) if isinstance(each, Thought) else each for each in said]

    def foreign(self, said: Sequence[Said]) -> list[Any]:
        return list(without_thoughts(said))

    def said_in(self, body: dict[str, Any]) -> list[Any]:
        found: list[Any] = []
        for message in body["messages"]:
            if message["role"] == "assistant":
                thought = message.get("reasoning_content") or ""
                found += [Words("thought: " + thought)] if thought.strip() else []
                found += [Words(message["content"])] if message.get("content") else []
                found += [_call(made) for made in message.get("tool_calls", [])]
        return found

    def results_in(self, body: dict[str, Any]) -> dict[str, str]:
        return {message["tool_call_id"]: message["content"] for message in body["messages"] if message["role"] == "tool"}

    def pictures_in(self, body: dict[str, Any]) -> int:
        lists = [message["content"] for message in body["messages"] if isinstance(message.get("content"), list)]
        return sum(part["type"] == "image_url" for parts in lists for part in parts)


def _call(made: dict[str, Any]) -> Call:
    return Call(made["id"], made["function"]["name"], json.loads(made["function"]["arguments"]))


def _halves(text: str) -> tuple[str, str]:
    return text[: len(text) // 2], text[len(text) // 2 :]
