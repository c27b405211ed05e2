"""How free the model is to choose among the tools of a request, before a language puts it in its own form."""

from __future__ import annotations

from typing import Any, Literal, get_args

import msgspec

from .notes import Notes
from .tools import Tool, ToolTable

Mode = Literal["none", "auto", "required"]
_MODES = get_args(Mode)


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """`tool` is the one that must be called, where one was named; `mode` is then `required`."""

    mode: Mode
    offered: list[Tool]
    tool: Tool | None = None


def choose(choice: Any, tools: ToolTable, notes: Notes) -> Choice:
    """The `tool_choice` of a request. What cannot be asked for is left to the model, with a note."""
    offered = tools.offered
    if isinstance(choice, dict) and choice.get("type") == "allowed_tools":
        mode: Any = choice.get("mode")
        return Choice(mode=mode if mode in _MODES else "auto", offered=_allowed(choice.get("tools"), tools, notes))
    if isinstance(choice, dict):
        tool = _named(choice, tools)
        if tool is not None:
            return Choice(mode="required", tool=tool, offered=offered)
    elif choice in _MODES:
        return Choice(mode=choice, offered=offered)
    if choice is not None:
        notes.add(f"the tool choice {_shown(choice)} cannot be asked of this upstream; the choice was left to the model")
    return Choice(mode="auto", offered=offered)


def _allowed(specs: Any, tools: ToolTable, notes: Notes) -> list[Tool]:
    allowed: set[str] = set()
    for spec in specs if isinstance(specs, list) else []:
        tool = _named(spec, tools) if isinstance(spec, dict) else None
        if tool is None:
            notes.add(f"the allowed tool {_shown(spec)} is not one that was offered")
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


def _shown(value: Any) -> str:
    return msgspec.json.encode(value).decode()
