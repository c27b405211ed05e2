"""Gemini's own API: each signature must come back on the very part it came on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from chat_answers import Answer
from said import Call, Said, Thought, Words, without_thoughts

LOST = "skip_thought_signature_validator"  # what Google wants on calls whose signature nobody has


class GeminiLanguage:
    def __init__(self, model: str) -> None:
        self.path = f"/v1/models/{model}:streamGenerateContent?alt=sse"

    def answer(self, said: Sequence[Said], tokens: int) -> Answer:
        """The thoughts, then the parts as they come back, one to a frame."""
        thoughts = [{"text": each.text, "thought": True} for each in said if isinstance(each, Thought)]
        frames = [{"candidates": [{"content": {"role": "model", "parts": [part]}}]} for part in [*thoughts, *self.own(said)]]
        usage = {"promptTokenCount": tokens, "candidatesTokenCount": 5, "totalTokenCount": tokens + 5}
        stop = {"candidates": [{"content": {"role": "model", "parts": []}, "finishReason": "STOP"}], "usageMetadata": usage}
        return Answer(*frames, stop)

    def own(self, said: Sequence[Said]) -> list[Any]:
        """A thought signs the first of the calls behind it, or where there is none, the end of the text."""
        seal = next((each.seal for each in said if isinstance(each, Thought)), None)
        called = any(isinstance(each, Call) for each in said)
        parts: list[dict[str, Any]] = []
        for each in without_thoughts(said):
            signs = seal is not None and isinstance(each, Call) == called
            *before, last = _parts(each, in_two=signs)
            parts += [*before, {**last, "thoughtSignature": seal} if signs else last]
            seal = None if signs else seal
        return parts

    def foreign(self, said: Sequence[Said]) -> list[Any]:
        parts = [_call(each) if isinstance(each, Call) else {"text": each.text} for each in without_thoughts(said)]
        first = next((part for part in parts if "functionCall" in part), {})
        return [{**part, "thoughtSignature": LOST} if part is first else part for part in parts]

    def said_in(self, body: dict[str, Any]) -> list[Any]:
        return [part for content in body["contents"] if content["role"] == "model" for part in content["parts"]]

    def results_in(self, body: dict[str, Any]) -> dict[str, str]:
        answers = [part["functionResponse"] for part in self._of_user(body) if "functionResponse" in part]
        return {answer["id"]: answer["response"]["output"] for answer in answers}

    def pictures_in(self, body: dict[str, Any]) -> int:
        return sum("inlineData" in part for part in self._of_user(body))

    def _of_user(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        return [part for content in body["contents"] if content["role"] == "user" for part in content["parts"]]


def _parts(said: Words | Call, *, in_two: bool) -> list[dict[str, Any]]:
    """A signed text in two pieces, of which only the second has the signature. Others may be put together again."""
    if isinstance(said, Call):
        return [_call(said)]
    if not in_two:
        return [{"text": said.text}]
    half = len(said.text) // 2
    return [{"text": said.text[:half]}, {"text": said.text[half:]}]


def _call(call: Call) -> dict[str, Any]:
    return {"functionCall": {"id": call.id, "name": call.name, "args": json.loads(json.dumps(call.arguments))}}
