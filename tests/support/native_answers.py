"""Answers of an upstream that speaks Responses or Gemini itself, as steps for the scripted upstream."""

from __future__ import annotations

import json
from typing import Any

from chat_answers import Answer

USAGE = {
    "input_tokens": 20,
    "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 0},
    "output_tokens": 7,
    "output_tokens_details": {"reasoning_tokens": 2},
    "total_tokens": 27,
}
_RESPONSE = {"id": "resp_theirs", "object": "response", "created_at": 1, "status": "in_progress", "model": "theirs", "output": []}


def frame(event: dict[str, Any]) -> bytes:
    """With spaces in the JSON, as a sign that nobody wrote it anew."""
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


def native_frames(*items: dict[str, Any], text: str = "") -> list[bytes]:
    """A complete stream of whole items, and of one message where there is text."""
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "content": [{"type": "output_text", "text": text, "annotations": []}],
    }
    events: list[dict[str, Any]] = [{"type": "response.created", "response": _RESPONSE}]
    output = [*items, *([message] if text else [])]
    for index, item in enumerate(output):
        opened = {**item, "content": []} if item["type"] == "message" else item
        events.append({"type": "response.output_item.added", "output_index": index, "item": opened})
        if item is message:
            events.append(
                {"type": "response.output_text.delta", "item_id": "msg_1", "output_index": index, "content_index": 0, "delta": text}
            )
        events.append({"type": "response.output_item.done", "output_index": index, "item": item})
    events.append(
        {"type": "response.completed", "response": {**_RESPONSE, "status": "completed", "output": output, "usage": USAGE}}
    )
    return [frame({**event, "sequence_number": number}) for number, event in enumerate(events)]


def native(*items: dict[str, Any], text: str = "", headers: dict[str, str] | None = None) -> Answer:
    return Answer(*native_frames(*items, text=text), headers=headers)


def gemini(*parts: dict[str, Any], finish: str = "STOP") -> Answer:
    """A complete answer of Gemini's, one chunk per part."""
    chunks: list[dict[str, Any]] = [{"candidates": [{"content": {"role": "model", "parts": [part]}}]} for part in parts]
    usage = {"promptTokenCount": 100, "cachedContentTokenCount": 40, "candidatesTokenCount": 7, "thoughtsTokenCount": 5}
    chunks.append({"candidates": [{"finishReason": finish}], "usageMetadata": usage})
    return Answer(*chunks)
