"""The two requests of a trial, shaped as Codex shapes its own: a tool is to be called, then its result is to be told. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

TOOL = "open_box"
ARGUMENT = "box"
RESULT = "There is a lantern in the box."

_TASK = f"Call the function `{TOOL}` with the box `blue`. When you have its result, say in one short sentence what is in the box."


def opening(slug: str, effort: str | None) -> dict[str, Any]:
    """The body of the first request. `effort` is one that the model has, None where it has none."""
    return {
        "model": slug,
        "stream": True,
        "store": False,
        "tools": [_tool()],
        "tool_choice": "auto",
        "parallel_tool_calls": True,
        "include": ["reasoning.encrypted_content"],
        "reasoning": {"effort": effort, "summary": "auto"} if effort else {},
        "input": [
            _message("developer", "You are a coding agent. Use the tools you are given."),
            _message("user", _TASK),
        ],
    }


def following(body: dict[str, Any], items: Sequence[dict[str, Any]], call: dict[str, Any]) -> dict[str, Any]:
    """The body of the second: everything so far, all items that came back included, and the result of the call."""
    result = {"type": "function_call_output", "call_id": call["call_id"], "output": RESULT}
    return {**body, "input": [*body["input"], *items, result]}


def is_whole(call: dict[str, Any]) -> bool:
    """Whether Codex could run it: the right name, an id to answer to, and arguments that can be read and hold what is required."""
    try:
        arguments = json.loads(call.get("arguments") or "")
    except (TypeError, ValueError):
        return False
    named = call.get("name") == TOOL and isinstance(call.get("call_id"), str) and bool(call["call_id"])
    return named and isinstance(arguments, dict) and isinstance(arguments.get(ARGUMENT), str)


def _message(role: str, text: str) -> dict[str, Any]:
    return {"type": "message", "role": role, "content": [{"type": "input_text", "text": text}]}


def _tool() -> dict[str, Any]:
    return {
        "type": "function",
        "name": TOOL,
        "description": "Opens a box and tells what is in it.",
        "strict": False,
        "parameters": {
            "type": "object",
            "properties": {ARGUMENT: {"type": "string", "description": "The colour of the box."}},
            "required": [ARGUMENT],
            "additionalProperties": False,
        },
    }
