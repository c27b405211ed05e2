"""Function calls in a Responses stream → calls of the kinds that the client declared.

Needed only where tools were translated on the way up. Events come in order, one open item at a time.
"""

from __future__ import annotations

from typing import Any

import msgspec

from ....contract.events import Event
from ....contract.tools import Tool, ToolTable
from .. import freeform
from ..call_writer import value_of

_ARGUMENTS = "response.function_call_arguments"
_INPUT = "response.custom_tool_call_input"


class CutCallError(Exception):
    """The upstream called a call done whose text is visibly cut off."""


class _Call:
    """A call while it is open."""

    def __init__(self, tool: Tool, item: dict[str, Any]) -> None:
        self.tool = tool
        self.id = _id(tool, item)
        self.reader = freeform.InputReader()


class Restorer:
    """Turns the events of one answer back."""

    def __init__(self, tools: ToolTable) -> None:
        self._tools = tools
        self._calls: dict[Any, _Call] = {}

    def change(self, event: Event) -> list[Event]:
        """The events in place of this one. Raises `CutCallError`."""
        type = event["type"]
        if type in ("response.output_item.added", "response.output_item.done"):
            return self._item_event(event)
        call = self._calls.get(event.get("item_id"))
        if call is None or not type.startswith(_ARGUMENTS):
            return [event]
        if call.tool.kind == "tool_search_call":
            return []
        if call.tool.kind == "custom_tool_call":
            return self._input(event, call)
        return [event]

    def item(self, item: Any) -> Any:
        """A whole item, as it stands in `output`."""
        if not isinstance(item, dict) or item.get("type") != "function_call":
            return item
        tool = self._tools.resolve(str(item.get("name") or ""))
        value = value_of(tool, str(item.get("arguments") or ""))
        if value is None:
            raise CutCallError
        return _rebuilt(tool, item, value)

    def _item_event(self, event: Event) -> list[Event]:
        item = event.get("item")
        if not isinstance(item, dict) or item.get("type") != "function_call":
            return [event]
        if event["type"].endswith("done"):
            self._calls.pop(item.get("id"), None)
            done = {**event, "item": self.item(item)}
            search = done["item"]["type"] == "tool_search_call"
            return [{**done, "type": "response.output_item.added"}, done] if search else [done]
        call = _Call(self._tools.resolve(str(item.get("name") or "")), item)
        self._calls[item.get("id")] = call
        if call.tool.kind == "tool_search_call":
            return []  # its arguments are an object, which has no beginning
        return [{**event, "item": _rebuilt(call.tool, item, "")}]

    def _input(self, event: Event, call: _Call) -> list[Event]:
        place = {**event, "item_id": call.id}
        if event["type"].endswith(".delta"):
            delta = call.reader.feed(str(event.get("delta") or ""))
            return [{**place, "type": _INPUT + ".delta", "delta": delta}] if delta else []
        arguments = place.pop("arguments", None)
        place.pop("name", None)
        value = value_of(call.tool, str(arguments or ""))
        if value is None:
            raise CutCallError
        return [{**place, "type": _INPUT + ".done", "input": value}]


def _rebuilt(tool: Tool, item: dict[str, Any], value: str) -> dict[str, Any]:
    kept = {name: each for name, each in item.items() if name not in ("type", "id", "name", "namespace", "arguments")}
    named = {"namespace": tool.namespace} if tool.namespace else {}
    head = {"type": tool.kind, "id": _id(tool, item), **kept}
    if tool.kind == "tool_search_call":
        return {**head, "execution": "client", "arguments": _object(value)}
    field = "input" if tool.kind == "custom_tool_call" else "arguments"
    return {**head, "name": tool.name, **named, field: value}


def _id(tool: Tool, item: dict[str, Any]) -> Any:
    """Codex gives back an id only where its prefix is the one for the kind of item."""
    id = item.get("id")
    prefix = {"custom_tool_call": "ctc_", "tool_search_call": "tsc_"}.get(tool.kind)
    return prefix + id.removeprefix("fc_") if prefix and isinstance(id, str) else id


def _object(text: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(text or "{}", type=dict[str, Any])
    except (ValueError, RecursionError):
        return {"query": text}
