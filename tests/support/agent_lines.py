"""What `cursor-agent --output-format stream-json --stream-partial-output` writes, line by line.

b"".join([init(), delta("Hel"), delta("lo"), snapshot("Hello"), result("Hello")])
"""

from __future__ import annotations

import json
from typing import Any

SESSION = "00000000-0000-4000-8000-000000000001"


def line(**fields: Any) -> bytes:
    return json.dumps(fields, ensure_ascii=False).encode() + b"\n"


def init(source: str = "login") -> bytes:
    named = {"cwd": "/work", "session_id": SESSION, "model": "Composer 2.5", "permissionMode": "default"}
    return line(type="system", subtype="init", apiKeySource=source, **named)


def echo(prompt: str) -> bytes:
    return line(type="user", message=_message("user", prompt), session_id=SESSION)


def delta(text: str) -> bytes:
    return line(type="assistant", message=_message("assistant", text), session_id=SESSION, timestamp_ms=1_800_000_000_000)


def snapshot(text: str, before_tool: bool = False) -> bytes:
    """The whole of a segment: before a tool with the id of the call, at the end without a time."""
    marks = {"timestamp_ms": 1_800_000_000_000, "model_call_id": "model-1"} if before_tool else {}
    return line(type="assistant", message=_message("assistant", text), session_id=SESSION, **marks)


def thinking(text: str) -> bytes:
    return line(type="thinking", subtype="delta", text=text, session_id=SESSION, timestamp_ms=1_800_000_000_000)


def thought() -> bytes:
    return line(type="thinking", subtype="completed", session_id=SESSION, timestamp_ms=1_800_000_000_000)


def tool_started(name: str, id: str = "call-1\nfc_1", **args: Any) -> bytes:
    call = {f"{name}ToolCall": {"args": args}, "hookAdditionalContexts": [], "toolCallId": id}
    return line(type="tool_call", subtype="started", call_id=id, tool_call=call, model_call_id="model-1", session_id=SESSION)


def tool_ended(name: str, end: str = "success", id: str = "call-1\nfc_1", **more: Any) -> bytes:
    call = {f"{name}ToolCall": {"result": {end: more}}, "toolCallId": id}
    return line(type="tool_call", subtype="completed", call_id=id, tool_call=call, model_call_id="model-1", session_id=SESSION)


def result(text: str, is_error: bool = False, usage: bool = True) -> bytes:
    counted = {"inputTokens": 100, "outputTokens": 20, "cacheReadTokens": 1000, "cacheWriteTokens": 10}
    end = {"duration_ms": 5, "duration_api_ms": 5, "is_error": is_error, "result": text, "session_id": SESSION}
    return line(type="result", subtype="success", **end, **({"usage": counted} if usage else {}))


def _message(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "content": [{"type": "text", "text": text}]}
