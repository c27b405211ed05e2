"""Tools and tool choice: Responses → chat functions, as far as the server at hand takes them."""

from __future__ import annotations

from typing import Any

from ....contract import choosing
from ....contract.choosing import Choice
from ....contract.notes import Notes
from ....contract.tools import Tool, ToolTable
from ...config import Quirks
from .. import offering
from .subset import fit

Payload = dict[str, Any]


def tool_settings(body: Payload, tools: ToolTable, quirks: Quirks, notes: Notes) -> Payload:
    """All of `tools`, `tool_choice` and `parallel_tool_calls`, or none of them: without tools the others are refused."""
    chosen = choosing.choose(body.get("tool_choice"), tools, notes)
    choice, offered = choose(chosen, quirks, notes)
    if not offered:
        return {}
    strict = _strict(offered, quirks)
    settings: Payload = {"tools": [offer(tool, quirks, strict) for tool in offered], "tool_choice": choice}
    parallel = body.get("parallel_tool_calls")
    if isinstance(parallel, bool) and _sends(parallel, quirks):
        settings["parallel_tool_calls"] = parallel
    elif parallel is False:
        notes.add("the model was not kept from calling several tools at once: this upstream has no such setting")
    if not strict and any(_is_strict(tool) for tool in offered):
        notes.add("`strict` of a tool was not sent: this upstream does not know it, or wants it of all tools")
    return settings


def offer(tool: Tool, quirks: Quirks, strict: bool) -> Payload:
    """A declared tool as a chat function."""
    function: Payload = {"name": tool.flat}
    if described := offering.description(tool):
        function["description"] = described
    function["parameters"] = fit(offering.parameters(tool), quirks)
    if strict and _is_strict(tool):
        function["strict"] = True
    return {"type": "function", "function": function}


def choose(chosen: Choice, quirks: Quirks, notes: Notes) -> tuple[Any, list[Tool]]:
    """The chat `tool_choice` and the tools it leaves on offer."""
    if chosen.tool is not None and quirks.tool_choice_named == "send":
        return {"type": "function", "function": {"name": chosen.tool.flat}}, chosen.offered
    mode = quirks.tool_choice_required if chosen.mode == "required" else chosen.mode
    if chosen.mode == "required" and mode == "auto":
        notes.add("this upstream cannot be told that a tool must be called; the choice was left to the model")
    return mode, [chosen.tool] if chosen.tool is not None else chosen.offered


def _strict(offered: list[Tool], quirks: Quirks) -> bool:
    """Some servers want it of every tool or of none."""
    if quirks.strict == "all_or_none":
        return all(_is_strict(tool) for tool in offered)
    return quirks.strict == "send"


def _is_strict(tool: Tool) -> bool:
    return tool.spec is not None and tool.spec.get("strict") is True


def _sends(parallel: bool, quirks: Quirks) -> bool:
    return {"send": True, "drop": False, "only_true": parallel, "only_false": not parallel}[quirks.parallel_tool_calls]
