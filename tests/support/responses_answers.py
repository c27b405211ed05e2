"""Answers of a service that speaks Responses itself, for a scripted upstream.

    upstream.script(response(reasoning("Hm.", "blob"), message("Hel", "lo"), function_call("exec_command", {"cmd": "ls"})))

An item is a function of its place in the output, so that a test can list items in their order and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from chat_answers import Answer

Event = dict[str, Any]
Item = Callable[[int], tuple[dict[str, Any], list[Event]]]
"""Gives the finished item, and the events between its beginning and its end."""

HEAD = {"id": "resp_1", "object": "response", "created_at": 1, "model": "scripted", "error": None, "incomplete_details": None}


def message(*words: str) -> Item:
    def item(place: int) -> tuple[dict[str, Any], list[Event]]:
        id, whole = f"msg_{place}", "".join(words)
        at = {"item_id": id, "content_index": 0}
        part = {"type": "output_text", "text": whole, "annotations": []}
        middle: list[Event] = [
            {"type": "response.content_part.added", **at, "part": {**part, "text": ""}},
            *({"type": "response.output_text.delta", **at, "delta": word} for word in words),
            {"type": "response.output_text.done", **at, "text": whole},
            {"type": "response.content_part.done", **at, "part": part},
        ]
        return {"id": id, "type": "message", "role": "assistant", "status": "completed", "content": [part]}, middle

    return item


def reasoning(summary: str, encrypted: str) -> Item:
    def item(place: int) -> tuple[dict[str, Any], list[Event]]:
        id = f"rs_{place}"
        at = {"item_id": id, "summary_index": 0}
        part = {"type": "summary_text", "text": summary}
        middle: list[Event] = [
            {"type": "response.reasoning_summary_part.added", **at, "part": {**part, "text": ""}},
            {"type": "response.reasoning_summary_text.delta", **at, "delta": summary},
            {"type": "response.reasoning_summary_text.done", **at, "text": summary},
            {"type": "response.reasoning_summary_part.done", **at, "part": part},
        ]
        return {"id": id, "type": "reasoning", "summary": [part], "encrypted_content": encrypted}, middle

    return item


def function_call(name: str, arguments: dict[str, Any], call_id: str = "call_1", namespace: str | None = None) -> Item:
    space = {"namespace": namespace} if namespace else {}
    return _call("function_call", "fc", "arguments", json.dumps(arguments), {"call_id": call_id, "name": name, **space})


def custom_call(name: str, text: str, call_id: str = "call_1") -> Item:
    return _call("custom_tool_call", "ctc", "input", text, {"call_id": call_id, "name": name})


def _call(type: str, prefix: str, field: str, text: str, named: dict[str, Any]) -> Item:
    def item(place: int) -> tuple[dict[str, Any], list[Event]]:
        id = f"{prefix}_{place}"
        of = f"response.{'custom_tool_call_input' if field == 'input' else 'function_call_arguments'}"
        middle: list[Event] = [
            {"type": of + ".delta", "item_id": id, "delta": text},
            {"type": of + ".done", "item_id": id, field: text},
        ]
        return {"id": id, "type": type, "status": "completed", **named, field: text}, middle

    return item


def response(*items: Item, input_tokens: int = 10, output_tokens: int = 5) -> Answer:
    """A whole answer."""
    told: list[dict[str, Any]] = []
    begun = {**HEAD, "status": "in_progress", "output": [], "usage": None}
    events: list[Event] = [{"type": "response.created", "response": begun}, {"type": "response.in_progress", "response": begun}]
    for place, make in enumerate(items):
        item, middle = make(place)
        at = {"output_index": place}
        events += [{"type": "response.output_item.added", **at, "item": _empty(item)}, *({**event, **at} for event in middle)]
        events.append({"type": "response.output_item.done", **at, "item": item})
        told.append(item)
    usage = {"input_tokens": input_tokens, "output_tokens": output_tokens, "total_tokens": input_tokens + output_tokens}
    usage |= {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
    events.append({"type": "response.completed", "response": {**HEAD, "status": "completed", "output": told, "usage": usage}})
    return Answer(*(_frame(number, event) for number, event in enumerate(events)))


def _empty(item: dict[str, Any]) -> dict[str, Any]:
    blank = {name: type(item[name])() for name in ("content", "summary", "arguments", "input") if name in item}
    status = {"status": "in_progress"} if "status" in item else {}
    return {name: value for name, value in item.items() if name != "encrypted_content"} | blank | status


def _frame(number: int, event: Event) -> bytes:
    numbered = {"type": event["type"], "sequence_number": number, **event}
    return f"event: {event['type']}\ndata: {json.dumps(numbered)}\n\n".encode()
