"""What a Responses request asks, read the same way for every language: its items, its tools, its settings."""

from __future__ import annotations

from typing import Any

from .errors import refuse
from .notes import Notes
from .tools import ToolTable

_STATEFUL = {
    "previous_response_id": "this upstream keeps no responses; send the whole history in `input` instead of `previous_response_id`",
    "conversation": "this upstream keeps no conversations; send the whole history in `input` instead of `conversation`",
    "prompt": "this upstream keeps no prompt templates; send the text itself instead of `prompt`",
}


def items_of(body: dict[str, Any]) -> list[Any]:
    """The items of `input`. Raises `HopError` (400) where the request leans on something only OpenAI's service has stored."""
    for field, sentence in _STATEFUL.items():
        if body.get(field) is not None:
            raise refuse(sentence, param=field)
    input = body.get("input")
    if isinstance(input, str):
        return [{"type": "message", "role": "user", "content": input}]
    if input is None or isinstance(input, list):
        return input or []
    raise refuse("`input` must be a text or a list of items", param="input")


def tools_of(body: dict[str, Any], items: list[Any], notes: Notes) -> ToolTable:
    """From wherever they are declared. What `input` adds comes last, so that the list only ever grows at its end."""
    table = ToolTable()
    table.declare(_listed(body), notes)
    for item in items:
        if isinstance(item, dict) and item.get("type") in ("additional_tools", "tool_search_output"):
            table.declare(_listed(item), notes)
    return table


def setting(body: dict[str, Any], items: list[Any], field: str) -> dict[str, Any]:
    """A group of settings (`reasoning`, `text`), as later `configuration_update` items left it."""
    current = body[field] if isinstance(body.get(field), dict) else {}
    for item in items:
        if isinstance(item, dict) and item.get("type") == "configuration_update" and isinstance(item.get(field), dict):
            current = {**current, **item[field]}
    return current


def limit(asked: Any, known: int | None) -> int | None:
    """The smaller of what the client asked for and what the model can do."""
    limits = [limit for limit in (asked, known) if isinstance(limit, int)]
    return min(limits, default=None)


def _listed(holder: dict[str, Any]) -> list[Any]:
    tools = holder.get("tools")
    return tools if isinstance(tools, list) else []
