"""The name of the model that has answered, where an event tells it among headers. Pure.

Observed on Codex 0.169.0: whatever the type of an event, `openai-model` among its `headers` or those of its `response` is compared
with the slug that was asked for, and another name makes Codex warn its user of a reroute for high-risk activity.
"""

from __future__ import annotations

from typing import Any

import msgspec

_NAMES = frozenset({"openai-model", "x-openai-model"})


def without_model(data: bytes) -> bytes:
    """The same event, byte for byte where it holds no such name. What is quoted in a text is escaped, and so no match."""
    if b'"headers"' not in data:
        return data
    event = msgspec.json.decode(data)
    found = [_drop(holder) for holder in (event, event.get("response")) if isinstance(holder, dict)]
    return msgspec.json.encode(event) if any(found) else data


def _drop(holder: dict[str, Any]) -> bool:
    headers = holder.get("headers")
    named = [name for name in headers if name.lower() in _NAMES] if isinstance(headers, dict) else []
    for name in named:
        del holder["headers"][name]
    return bool(named)
