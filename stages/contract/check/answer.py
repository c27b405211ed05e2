"""An answer that is no stream, and the head of any answer. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from .violation import Violation

EVENT_STREAM, JSON = "text/event-stream", "application/json"


def kind_of(content_type: str | None) -> str:
    """Without its parameters, in lower case."""
    return (content_type or "").partition(";")[0].strip().lower()


def judge_head(status: int, content_type: str | None, *, stream: bool) -> list[Violation]:
    """`stream` tells whether the request has asked for one."""
    kind = kind_of(content_type)
    wanted = EVENT_STREAM if stream and status == 200 else JSON
    if kind == wanted or (wanted == JSON and kind.endswith("+json")):
        return []
    sentence = f"an answer with status {status} has the content type {kind or 'of nothing'} instead of {wanted}"
    return [Violation("content-type", "content-type", sentence)]


def judge_body(status: int, body: bytes) -> list[Violation]:
    """The whole of an answer in one piece."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        value = None
    if status == 200:
        return [] if isinstance(value, dict) else [Violation("json-answer", "body", "the answer is no JSON object")]
    return _error(status, value)


def _error(status: int, value: Any) -> list[Violation]:
    error = value.get("error") if isinstance(value, dict) else None
    if not isinstance(error, dict):
        sentence = f"an answer with status {status} is not " + '{"error": {"message", "type", "code", "param"}}'
        return [Violation("error-shape", "error", sentence)]
    if not isinstance(error.get("message"), str) or not error["message"]:
        return [Violation("error-shape", "error.message", f"the error of an answer with status {status} has no message")]
    if not isinstance(error.get("code"), str | None):
        return [Violation("error-shape", "error.code", f"the error of an answer with status {status} has a code that is no text")]
    return []
