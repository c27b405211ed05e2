"""Cursor's own tools: what one is called, what it works on, and how it ended.

Every tool has a key of its own, `readToolCall`, `shellToolCall`, …, and there are more of them with every build; so the name is
what stands before `ToolCall`. The sums of files and outputs in a call are passed over undecoded.
"""

from __future__ import annotations

from typing import Any

import msgspec

from ...contract.body import UNREADABLE
from .agent_events import Outcome

_SUFFIX = "ToolCall"
# How a command can end that was really run.
_RAN = frozenset({"success", "failure", "timeout"})
_REFUSED = frozenset({"rejected", "permissionDenied", "denied", "blocked"})
_ABOUT_LIMIT = 80

# What each of them does, in words. Those that are not here are named as they are.
_LOOKING = {
    "read": "reads",
    "ls": "lists",
    "glob": "looks for files",
    "grep": "searches for",
    "semSearch": "searches for",
    "readLints": "reads the problems of",
    "webSearch": "searches the web for",
    "webFetch": "reads",
    "updateTodos": "updates its list of tasks",
    "getMcpTools": "looks at its MCP tools",
    "createPlan": "makes a plan",
    "task": "starts a task of its own",
}
_CHANGING = frozenset({"mcp", "callMcpTool"})
_CHANGING_PARTS = ("edit", "write", "delete", "shell", "apply", "patch", "terminal")


class _Call(msgspec.Struct):
    args: msgspec.Raw = msgspec.Raw(b"null")
    result: msgspec.Raw = msgspec.Raw(b"null")


class _Function(msgspec.Struct):
    name: Any = None


class _Args(msgspec.Struct):
    """The names under which tools hold what they work on."""

    path: Any = None
    targetFile: Any = None
    file: Any = None
    command: Any = None
    globPattern: Any = None
    pattern: Any = None
    query: Any = None
    searchTerm: Any = None
    url: Any = None
    toolName: Any = None


_calls = msgspec.json.Decoder(dict[str, msgspec.Raw])


def call_in(tool_call: msgspec.Raw) -> tuple[str, _Call | None]:
    """The name of the tool, empty where it has none, and what is known of the call."""
    held = _read(tool_call, dict[str, msgspec.Raw]) or {}
    for key, value in held.items():
        if key.endswith(_SUFFIX) and len(key) > len(_SUFFIX):
            return key.removesuffix(_SUFFIX), _read(value, _Call)
    function = _read(held["function"], _Function) if "function" in held else None
    name = function.name if function and isinstance(function.name, str) else ""
    return name, _read(held["function"], _Call) if "function" in held else None


def outcome_of(name: str, call: _Call | None) -> Outcome:
    ended = _read(call.result, dict[str, msgspec.Raw]) if call else None
    if not ended:
        return "error"
    if "success" in ended or ("shell" in name.lower() and not _RAN.isdisjoint(ended)):
        return "success"
    return "error" if _REFUSED.isdisjoint(ended) else "rejected"


def about(call: _Call | None) -> str:
    """What a tool works on: a path, a command, a pattern. One line, cut short."""
    args = _read(call.args, _Args) if call else None
    values = msgspec.structs.astuple(args) if args else ()
    text = next((value for value in values if isinstance(value, str) and value.strip()), "")
    line = " ".join(text[: 4 * _ABOUT_LIMIT].split())
    return line if len(line) <= _ABOUT_LIMIT else line[: _ABOUT_LIMIT - 1] + "…"


def sentence(name: str, about: str) -> str:
    """What the user reads while the tool runs."""
    verb = _LOOKING.get(name) or f"tries its tool {name or 'of no name'}:"
    return f"Cursor {verb} {about}".rstrip(" :")


def changes(name: str) -> bool:
    """Whether the tool is one that changes something. Tools come under new names (`multiEdit`), so a part of one is enough."""
    low = name.lower()
    return name in _CHANGING or ("todo" not in low and any(part in low for part in _CHANGING_PARTS))


def _read(raw: msgspec.Raw, type: Any) -> Any:
    try:
        return msgspec.json.decode(raw, type=type)
    except UNREADABLE:
        return None
