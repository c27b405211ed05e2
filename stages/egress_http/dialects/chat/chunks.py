"""One chunk of a chat stream, decoded.

The fast way is a typed decode that skips every field nobody reads. What it refuses (other shapes, half characters) goes the slow
way, which keeps what it understands. Fields that are text at one provider and something else at another are `Any` and judged by
their reader.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from ..surrogates import mend

T = TypeVar("T")


class Function(msgspec.Struct, gc=False):
    name: Any = None
    arguments: Any = None


class ToolDelta(msgspec.Struct, gc=False):
    index: Any = None
    id: Any = None
    function: Function | None = None
    extra_content: Any = None


class Delta(msgspec.Struct, gc=False):
    content: Any = None
    reasoning_content: Any = None
    reasoning: Any = None
    reasoning_details: Any = None
    refusal: Any = None
    tool_calls: list[ToolDelta] | None = None
    function_call: Function | None = None


class Choice(msgspec.Struct, gc=False):
    """`message` stands in place of `delta` where a server answers in one piece."""

    index: Any = None
    delta: Delta | None = None
    message: Delta | None = None
    finish_reason: Any = None
    usage: Any = None
    error: Any = None


class Chunk(msgspec.Struct, gc=False):
    choices: list[Choice] | None = None
    usage: Any = None
    error: Any = None
    data: Any = None
    object: Any = None
    message: Any = None
    x_groq: Any = None


decode = msgspec.json.Decoder(Chunk).decode  # the fast way; raises ValueError or RecursionError


def decode_leniently(data: bytes) -> Chunk:
    """The slow way. Raises `ValueError` for what is no JSON object, and no list that begins with one."""
    try:
        value = json.loads(data.decode("utf-8", "replace"))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if isinstance(value, list) and value:
        value = value[0]
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - to the caller it is one thing: not a chunk
    return from_dict(value)


def from_dict(value: dict[str, Any]) -> Chunk:
    """A decoded chunk, unwrapped where a gateway put it under `data`."""
    inner = value.get("data")
    if isinstance(inner, dict) and "choices" not in value:
        value = {**inner, "error": inner.get("error") or value.get("error")}
    return Chunk(
        choices=_each(value.get("choices"), _choice),
        usage=value.get("usage"),
        error=value.get("error"),
        object=value.get("object"),
        message=value.get("message"),
        x_groq=value.get("x_groq"),
    )


def _choice(value: dict[str, Any]) -> Choice:
    return Choice(
        index=value.get("index"),
        delta=_delta(value.get("delta")),
        message=_delta(value.get("message")),
        finish_reason=value.get("finish_reason"),
        usage=value.get("usage"),
        error=value.get("error"),
    )


def _delta(value: Any) -> Delta | None:
    if not isinstance(value, dict):
        return None
    return Delta(
        content=value.get("content"),
        reasoning_content=value.get("reasoning_content"),
        reasoning=value.get("reasoning"),
        reasoning_details=value.get("reasoning_details"),
        refusal=value.get("refusal"),
        tool_calls=_each(value.get("tool_calls"), _tool),
        function_call=_function(value.get("function_call")),
    )


def _tool(value: dict[str, Any]) -> ToolDelta:
    return ToolDelta(
        index=value.get("index"),
        id=_mended(value.get("id")),
        function=_function(value.get("function")),
        extra_content=value.get("extra_content"),
    )


def _function(value: Any) -> Function | None:
    if not isinstance(value, dict):
        return None
    return Function(name=_mended(value.get("name")), arguments=value.get("arguments"))


def _mended(value: Any) -> Any:
    return mend(value) if isinstance(value, str) else value


def _each(value: Any, read: Callable[[dict[str, Any]], T]) -> list[T] | None:
    return [read(entry) for entry in value if isinstance(entry, dict)] if isinstance(value, list) else None
