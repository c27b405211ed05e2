"""Where the provider is asked to remember the prompt.

At most four marks are allowed. They stand where a later request is sure to agree: behind the tools, behind the system prompt,
behind the last user message, and behind the one before, which is where the request before this one had its last. Everything else
of the request is the same with and without them.
"""

from __future__ import annotations

from typing import Any

MARK = {"type": "ephemeral"}
LIMIT = 4


def mark(payload: dict[str, Any]) -> None:
    """Adds the marks to a payload whose lists are its own."""
    for block in (_last(payload.get("tools")), _last(payload.get("system")), *_turns(payload["messages"])):
        if block is not None:
            block["cache_control"] = MARK


def _turns(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    users = [message for message in messages[-3:] if message["role"] == "user"]
    return [message["content"][-1] for message in users]


def _last(blocks: list[dict[str, Any]] | None) -> dict[str, Any] | None:
    return blocks[-1] if blocks else None
