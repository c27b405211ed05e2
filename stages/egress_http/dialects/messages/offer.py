"""Tools and tool choice: Responses → messages."""

from __future__ import annotations

from typing import Any

from ....contract.choosing import Choice
from ....contract.notes import Notes
from ....contract.tools import Tool
from .. import offering
from .models import Traits
from .thinking import can_be_forced

_CHOICES = {"none": "none", "auto": "auto", "required": "any"}
_ROOT_UNIONS = ("anyOf", "oneOf", "allOf")


def offer(tool: Tool, traits: Traits, notes: Notes) -> dict[str, Any]:
    """A tool as the API declares it. One that only the history knows is declared by its name."""
    offered: dict[str, Any] = {"name": tool.flat}
    if described := offering.description(tool):
        offered["description"] = described
    offered["input_schema"] = _plain_root(offering.parameters(tool))
    if tool.spec and tool.spec.get("strict") is True:
        if traits.schema:
            offered["strict"] = True
        else:
            notes.add("`strict` of a tool was not sent: this model does not know it")
    return offered


def possible(choice: Choice, traits: Traits, notes: Notes) -> Choice:
    """The choice as far as this model takes it."""
    if choice.mode != "required" or can_be_forced(traits):
        return choice
    notes.add("a tool call cannot be demanded of this model; the choice was left to it")
    return Choice(mode="auto", offered=choice.offered)


def wire_choice(choice: Choice, parallel: Any) -> dict[str, Any] | None:
    """None where it says no more than what holds without it."""
    wire: dict[str, Any] = {"type": "tool", "name": choice.tool.flat} if choice.tool else {"type": _CHOICES[choice.mode]}
    if parallel is False and choice.mode != "none":
        wire["disable_parallel_tool_use"] = True
    return None if wire == {"type": "auto"} else wire


def _plain_root(schema: dict[str, Any]) -> dict[str, Any]:
    """The API refuses alternatives at the root of a schema: their properties are offered together."""
    branches = [branch for key in _ROOT_UNIONS for branch in _dicts(schema.get(key))]
    if not any(key in schema for key in _ROOT_UNIONS):
        return schema
    plain = {key: value for key, value in schema.items() if key not in _ROOT_UNIONS}
    for branch in branches:
        extra = branch.get("properties")
        if isinstance(extra, dict):
            plain["properties"] = {**extra, **plain["properties"]}
    return plain


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []
