"""One event of a messages stream, decoded.

The fast way is a typed decode that skips every field nobody reads. What it refuses (other shapes, half characters) goes the slow
way, which keeps what it understands. Values are `Any` and judged by their reader, because servers that imitate this API send null,
numbers and objects where the original sends text.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec


class Delta(msgspec.Struct, gc=False):
    """Of a content block, or, at the end, of the message."""

    type: Any = None
    text: Any = None
    partial_json: Any = None
    thinking: Any = None
    signature: Any = None
    stop_reason: Any = None
    stop_details: Any = None


class StreamEvent(msgspec.Struct, gc=False):
    """`content` and `stop_reason` are those of a whole message, where a server does not stream."""

    type: Any = None
    index: Any = None
    delta: Delta | None = None
    content_block: Any = None
    message: Any = None
    usage: Any = None
    error: Any = None
    content: Any = None
    stop_reason: Any = None
    stop_details: Any = None


decode = msgspec.json.Decoder(StreamEvent).decode  # the fast way; raises ValueError or RecursionError


def decode_leniently(data: bytes) -> StreamEvent:
    """The slow way. Raises `ValueError` for what is no JSON object."""
    try:
        value = json.loads(data.decode("utf-8", "replace"))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - to the caller it is one thing: not an event
    known = {name: value.get(name) for name in StreamEvent.__struct_fields__}
    delta = known.pop("delta")
    return StreamEvent(**known, delta=_delta(delta) if isinstance(delta, dict) else None)


def _delta(value: dict[str, Any]) -> Delta:
    return Delta(**{name: value.get(name) for name in Delta.__struct_fields__})
