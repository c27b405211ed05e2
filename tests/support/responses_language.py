"""Responses spoken natively: by a service that knows functions only, or by one that knows Codex's own kinds of tools too."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import responses_answers as answers
from chat_answers import Answer
from responses_answers import Item
from said import Call, Said, Thought, Words, without_thoughts

FREEFORM = "apply_patch"
_CALLS = ("function_call", "custom_tool_call")


class ResponsesLanguage:
    path = "/v1/responses"

    def __init__(self, *, all_tools: bool) -> None:
        self._all_tools = all_tools

    def answer(self, said: Sequence[Said], tokens: int) -> Answer:
        return answers.response(*(self._item(each) for each in said), input_tokens=tokens)

    def own(self, said: Sequence[Said]) -> list[Any]:
        return list(said)

    def foreign(self, said: Sequence[Said]) -> list[Any]:
        return list(without_thoughts(said))

    def said_in(self, body: dict[str, Any]) -> list[Any]:
        read = [self._said(item) for item in body["input"]]
        return [each for each in read if each is not None]

    def results_in(self, body: dict[str, Any]) -> dict[str, str]:
        outputs = [item for item in body["input"] if item["type"].endswith("_output")]
        return {item["call_id"]: _text(item["output"]) for item in outputs}

    def pictures_in(self, body: dict[str, Any]) -> int:
        lists = [item[name] for item in body["input"] for name in ("content", "output") if isinstance(item.get(name), list)]
        return sum(part["type"] == "input_image" for parts in lists for part in parts)

    def _item(self, said: Said) -> Item:
        if isinstance(said, Thought):
            return answers.reasoning(said.text, said.seal)
        if isinstance(said, Words):
            return answers.message(said.text)
        if self._all_tools and said.name == FREEFORM:
            return answers.custom_call(said.name, said.arguments["input"], said.id)
        space, _, name = said.name.rpartition("__") if self._all_tools else ("", "", said.name)
        return answers.function_call(name, said.arguments, said.id, space or None)

    def _said(self, item: dict[str, Any]) -> Said | None:
        if item["type"] == "reasoning":
            return Thought("".join(part["text"] for part in item["summary"]), item["encrypted_content"])
        if item["type"] == "message" and item["role"] == "assistant":
            return Words(_text(item["content"]))
        return self._call(item) if item["type"] in _CALLS else None

    def _call(self, item: dict[str, Any]) -> Call:
        assert self._all_tools or (item["type"] == "function_call" and "namespace" not in item), item
        name = f"{item['namespace']}__{item['name']}" if item.get("namespace") else item["name"]
        if item["type"] == "custom_tool_call":
            return Call(item["call_id"], name, {"input": item["input"]})
        return Call(item["call_id"], name, json.loads(item["arguments"]))


def _text(given: Any) -> str:
    return given if isinstance(given, str) else "".join(part.get("text", "") for part in given)
