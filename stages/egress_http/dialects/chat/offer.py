"""Tools and tool choice: Responses → chat functions."""

from __future__ import annotations

from typing import Any

from .. import freeform, schema
from ..base import Notes
from ..parts import as_json
from ..tools import Tool, ToolTable

_MODES = ("none", "auto", "required")


def offer(tool: Tool) -> dict[str, Any]:
    """A declared tool as a chat function."""
    spec = tool.spec or {}
    function: dict[str, Any] = {"name": tool.flat}
    description = freeform.describe(spec) if tool.kind == "custom_tool_call" else spec.get("description")
    described = "\n\n".join(text for text in (tool.preface, description) if isinstance(text, str) and text)
    if described:
        function["description"] = described
    function["parameters"] = freeform.PARAMETERS if tool.kind == "custom_tool_call" else schema.parameters(spec.get("parameters"))
    if spec.get("strict") is True:
        function["strict"] = True
    return {"type": "function", "function": function}


def choose(choice: Any, tools: ToolTable, notes: Notes) -> tuple[Any, list[Tool]]:
    """The chat `tool_choice` and the tools it leaves on offer."""
    offered = tools.offered
    if isinstance(choice, dict) and choice.get("type") == "allowed_tools":
        mode = choice.get("mode")
        return mode if mode in _MODES else "auto", _allowed(choice.get("tools"), tools, notes)
    if isinstance(choice, dict):
        tool = _named(choice, tools)
        if tool is not None:
            return {"type": "function", "function": {"name": tool.flat}}, offered
    elif choice in _MODES:
        return choice, offered
    if choice is not None:
        notes.add(f"the tool choice {as_json(choice)} cannot be asked of this upstream; the choice was left to the model")
    return "auto", offered


def _allowed(specs: Any, tools: ToolTable, notes: Notes) -> list[Tool]:
    allowed: set[str] = set()
    for spec in specs if isinstance(specs, list) else []:
        tool = _named(spec, tools) if isinstance(spec, dict) else None
        if tool is None:
            notes.add(f"the allowed tool {as_json(spec)} is not one that was offered")
        else:
            allowed.add(tool.flat)
    return [tool for tool in tools.offered if tool.flat in allowed]


def _named(spec: dict[str, Any], tools: ToolTable) -> Tool | None:
    name = spec.get("name") or spec.get("type")
    namespace = spec.get("namespace")
    found = tools.find(namespace if isinstance(namespace, str) else None, name) if isinstance(name, str) else None
    if found is None and isinstance(name, str):
        found = tools.resolve(name)
    return found if found is not None and found.spec is not None else None
