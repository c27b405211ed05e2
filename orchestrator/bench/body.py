"""A request such as Codex sends, of the size that is asked for. Pure, and always the same bytes for the same size.

A turn in the middle of work: a developer prompt, a dozen tools, the user's wish, then calls and their outputs. Tools and prompt do
not grow with the conversation; its items do.
"""

from __future__ import annotations

from typing import Any

import msgspec

_SENTENCE = "Read before you write, keep to the style you find, and say briefly what you have done. "
_OUTPUT = "src/parser/state.py:117:    def advance(self, token: Token) -> State:  # keeps the lookahead\n"
_OUTPUT_BYTES = 3000
_encode = msgspec.json.encode


def request_body(size: int, model: str) -> bytes:
    """`size` bytes, or the least that such a request needs."""
    spare = size - len(_encode(_request(model, [], 0, 1)))
    tools = 12 if spare > 8000 else 1
    prompt = max(0, min(spare // 4, 12_000))
    items: list[dict[str, Any]] = []
    left = size - len(_encode(_request(model, items, prompt, tools)))
    while left > 400:
        pair = _turn(len(items) // 2, min(_OUTPUT_BYTES, left - 330))
        items += pair
        left -= len(_encode(pair))
    return _filled(_request(model, items, prompt, tools), size)


def _filled(request: dict[str, Any], size: int) -> bytes:
    """The last bytes come from the user's message, so that the size is exact."""
    missing = size - len(_encode(request))
    text = request["input"][1]["content"][0]
    text["text"] += "." * max(0, missing)
    return _encode(request)


def _request(model: str, items: list[dict[str, Any]], prompt: int, tools: int) -> dict[str, Any]:
    return {
        "model": model,
        "instructions": "You are Codex.",
        "input": [_message("developer", _text(_SENTENCE, prompt)), _message("user", "Find out why the parser loops. "), *items],
        "tools": [_tool(number) for number in range(tools)],
        "tool_choice": "auto",
        "parallel_tool_calls": True,
        "reasoning": {"effort": "medium", "summary": "auto"},
        "store": False,
        "stream": True,
        "include": ["reasoning.encrypted_content"],
        "prompt_cache_key": "00000000-0000-4000-8000-000000000000",
    }


def _message(role: str, text: str) -> dict[str, Any]:
    return {"type": "message", "role": role, "content": [{"type": "input_text", "text": text}]}


def _turn(number: int, size: int) -> list[dict[str, Any]]:
    call_id = f"call_{number:06d}"
    arguments = _encode({"cmd": f"rg -n advance src | sed -n {number},{number + 40}p"}).decode()
    return [
        {"type": "function_call", "call_id": call_id, "name": "tool_0", "arguments": arguments},
        {"type": "function_call_output", "call_id": call_id, "output": _text(_OUTPUT, size)},
    ]


def _tool(number: int) -> dict[str, Any]:
    properties = {"cmd": {"type": "string", "description": _SENTENCE}, "workdir": {"type": "string"}}
    parameters = {"type": "object", "properties": properties, "required": ["cmd"], "additionalProperties": False}
    return {"type": "function", "name": f"tool_{number}", "description": _SENTENCE, "strict": False, "parameters": parameters}


def _text(sentence: str, size: int) -> str:
    return (sentence * (size // len(sentence) + 1))[: max(0, size)]
