"""Tools and tool choice: Responses → chat functions."""

from __future__ import annotations

from typing import Any

from .. import offering
from ..base import Notes
from ..tools import Tool, ToolTable


def offer(tool: Tool) -> dict[str, Any]:
    """A declared tool as a chat function."""
    function: dict[str, Any] = {"name": tool.flat}
    if described := offering.description(tool):
        function["description"] = described
    function["parameters"] = offering.parameters(tool)
    if tool.spec and tool.spec.get("strict") is True:
        function["strict"] = True
    return {"type": "function", "function": function}


def choose(choice: Any, tools: ToolTable, notes: Notes) -> tuple[Any, list[Tool]]:
    """The chat `tool_choice` and the tools it leaves on offer."""
    chosen = offering.choose(choice, tools, notes)
    if chosen.tool is not None:
        return {"type": "function", "function": {"name": chosen.tool.flat}}, chosen.offered
    return chosen.mode, chosen.offered
