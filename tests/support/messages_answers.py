"""Answers of the Anthropic Messages API, for a scripted upstream.

    upstream.script(message(thinking("Hm.", "c2ln"), text("I will."), tool_use("shell", {"cmd": "ls"}), stop_reason="tool_use"))

A block is a function of its index, so that a test can list blocks in their order and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from chat_answers import Answer, Step

Block = Callable[[int], list[Step]]


def event(type: str, **fields: Any) -> bytes:
    return f"event: {type}\ndata: {json.dumps({'type': type, **fields})}\n\n".encode()


def started(**usage: int) -> bytes:
    counts = {"input_tokens": 10, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 1, **usage}
    message = {"id": "msg_01", "type": "message", "role": "assistant", "model": "scripted", "content": [], "usage": counts}
    return event("message_start", message={**message, "stop_reason": None, "stop_sequence": None})


def block(content: dict[str, Any], *deltas: dict[str, Any]) -> Block:
    def steps(index: int) -> list[Step]:
        start = event("content_block_start", index=index, content_block=content)
        middle: list[Step] = [event("content_block_delta", index=index, delta=delta) for delta in deltas]
        return [start, event("ping"), *middle, event("content_block_stop", index=index)]

    return steps


def text(*words: str) -> Block:
    return block({"type": "text", "text": ""}, *[{"type": "text_delta", "text": word} for word in words])


def thinking(thought: str, signature: str) -> Block:
    deltas = [{"type": "thinking_delta", "thinking": thought}, {"type": "signature_delta", "signature": signature}]
    return block({"type": "thinking", "thinking": "", "signature": ""}, *deltas)


def tool_use(name: str, input: dict[str, Any], id: str = "toolu_1") -> Block:
    """The input in two pieces, cut in the middle."""
    written = json.dumps(input)
    halves = (written[: len(written) // 2], written[len(written) // 2 :])
    deltas = [{"type": "input_json_delta", "partial_json": half} for half in halves]
    return block({"type": "tool_use", "id": id, "name": name, "input": {}}, *deltas)


def ended(stop_reason: str, output_tokens: int = 5) -> list[Step]:
    delta = {"stop_reason": stop_reason, "stop_sequence": None}
    return [event("message_delta", delta=delta, usage={"output_tokens": output_tokens}), event("message_stop")]


def message(*blocks: Block, stop_reason: str = "end_turn", **usage: int) -> Answer:
    """A whole answer. `usage` are counts of its beginning."""
    said = [step for index, block in enumerate(blocks) for step in block(index)]
    return Answer(started(**usage), *said, *ended(stop_reason))
