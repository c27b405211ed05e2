"""One tool call on its way to the client.

While the call is open its pieces are shown; `end` states the whole of it. The kind of the item is the kind of the tool it names:
Codex answers a freeform tool that is called as a function with "aborted".
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from ...contract.events import Event, ResponseBuilder
from ...contract.tools import Tool
from . import freeform
from .parts import as_json

_POINT_ZERO = re.compile(r"\d\.0+(?!\d)")


class CallWriter:
    """Writes one call. `begin` may be left out for a tool search, which has no deltas."""

    def __init__(self, builder: ResponseBuilder, tool: Tool, call_id: str) -> None:
        self._builder = builder
        self._tool = tool
        self.id = call_id
        self._reader = freeform.InputReader() if tool.kind == "custom_tool_call" else None
        self._shown: list[str] = []

    def begin(self) -> list[Event]:
        if self._tool.kind == "tool_search_call":
            return []
        return self._builder.call(self._tool.kind, self.id, self._tool.name, self._tool.namespace)

    def add(self, piece: str) -> list[Event]:
        if self._tool.kind == "tool_search_call":
            return []
        return self._show(self._reader.feed(piece) if self._reader else piece)

    def end(self, value: str) -> list[Event]:
        """`value` is what `value_of` made of the arguments."""
        if self._tool.kind == "tool_search_call":
            return self._builder.item(self._search(value))
        shown = "".join(self._shown)
        rest = value[len(shown) :] if value.startswith(shown) else ""
        return [*self._show(rest), *self._builder.end_call(value)]

    def _show(self, text: str) -> list[Event]:
        if not text:
            return []
        self._shown.append(text)
        return self._builder.call_delta(text)

    def _search(self, value: str) -> dict[str, Any]:
        arguments = _decoded(value)
        return {
            "type": "tool_search_call",
            "id": f"tsc_{self.id}",
            "call_id": self.id,
            "execution": "client",
            "status": "completed",
            "arguments": arguments if isinstance(arguments, dict) else {"query": value},
        }


def value_of(tool: Tool, arguments: str) -> str | None:
    """The arguments or input of a finished call as the client shall have them; None where they are visibly cut off.

    Arguments that are no JSON are handed on: Codex tells the model so, and the model mends them.
    """
    if tool.kind == "custom_tool_call":
        text = freeform.unwrap(arguments)
        return None if text is None else freeform.tidy(tool.name, text)
    if not arguments.strip():
        return "{}"
    return _whole_numbers(arguments) if _POINT_ZERO.search(arguments) else arguments


def _whole_numbers(arguments: str) -> str:
    """`1000.0` → `1000`: Codex refuses a float for a count, and some models write every number as one."""
    value = _decoded(arguments)
    mended = _without_fractions(value)
    return as_json(mended) if isinstance(value, dict) and _differs(value, mended) else arguments


def _without_fractions(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, list):
        return [_without_fractions(entry) for entry in value]
    if isinstance(value, dict):
        return {key: _without_fractions(entry) for key, entry in value.items()}
    return value


def _differs(old: Any, new: Any) -> bool:
    """`1.0 == 1` in Python, so the texts are compared."""
    return as_json(old) != as_json(new)


def _decoded(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return None
