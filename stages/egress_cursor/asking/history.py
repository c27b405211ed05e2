"""The items of `input` as text that no content can imitate: every entry stands in a tag that carries the nonce.

    <user-NONCE>
    What does main.py do?
    </user-NONCE>
    <call-NONCE name="exec_command" id="call_1">{"cmd":"cat main.py"}</call-NONCE>
    <output-NONCE id="call_1" name="exec_command">
    …

An entry depends on nothing behind it, so the text of a longer history begins with that of a shorter one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ...contract.errors import refuse
from ...contract.notes import Notes
from ...contract.tools import Kind, ToolTable
from .. import tags
from .content import as_json, shortened, text_of
from .offer import describe

_COMPACTED = "is a history compacted by another model, which Cursor cannot read; start a new thread or switch back"
_LOST = {
    "item_reference": "refers to an item by its id, which only the service that stored it can look up; send the item itself",
    "compaction": _COMPACTED,
    "compaction_summary": _COMPACTED,
    "context_compaction": _COMPACTED,
    "compaction_trigger": "asks for a compaction in the middle of a conversation; it has to be the last item",
}
_NO_ID = re.compile(r"[^\w.:-]")


class History:
    """Reads items into `entries`. `ends_in_output` says that the model is to go on after a tool, not to answer its user."""

    def __init__(self, nonce: str, tools: ToolTable, notes: Notes) -> None:
        self.entries: list[str] = []
        self.ends_in_output = False
        self._nonce = nonce
        self._tools = tools
        self._notes = notes
        self._names: dict[str, str] = {}
        self._described: set[str] = set()

    def instruct(self, text: str) -> None:
        self._entry("developer", text)

    def offer(self, specs: Any, head: str) -> None:
        """Describe the tools of a declaration, each the first time it is declared."""
        table = ToolTable()
        table.declare(specs if isinstance(specs, list) else [], Notes())
        known = [self._tools.find(tool.namespace, tool.name) for tool in table.offered]
        new = [tool for tool in known if tool is not None and tool.flat not in self._described]
        self._described.update(tool.flat for tool in new)
        if new:
            self._entry("tools", "\n\n".join([head, *(describe(tool) for tool in new)]))

    def read(self, items: list[Any]) -> None:
        for index, item in enumerate(items):
            if not isinstance(item, dict):
                raise refuse(f"input[{index}] is not an object", param="input")
            type = item.get("type") or ("message" if "role" in item else "")
            if type in _LOST:
                raise refuse(f"input[{index}] {_LOST[type]}", param="input")
            _READERS.get(type, History._unknown)(self, index, item)

    # -- items ------------------------------------------------------------------------------------------------------

    def _message(self, index: int, item: dict[str, Any]) -> None:
        role = item.get("role")
        role = "developer" if role == "system" else role if role in ("developer", "assistant") else "user"
        self._entry(role, text_of(item.get("content"), self._notes))

    def _reasoning(self, index: int, item: dict[str, Any]) -> None:
        self._notes.add("earlier reasoning was left out: Cursor cannot take it back")

    def _silent(self, index: int, item: dict[str, Any]) -> None:
        """Said elsewhere."""

    def _additional_tools(self, index: int, item: dict[str, Any]) -> None:
        self.offer(item.get("tools"), "More tools of Codex:")

    def _function_call(self, index: int, item: dict[str, Any]) -> None:
        self._call(index, "function_call", item, item.get("arguments"))

    def _custom_tool_call(self, index: int, item: dict[str, Any]) -> None:
        self._call(index, "custom_tool_call", item, item.get("input"))

    def _tool_search_call(self, index: int, item: dict[str, Any]) -> None:
        self._call(index, "tool_search_call", {**item, "name": "tool_search"}, item.get("arguments"))

    def _shell_call(self, index: int, item: dict[str, Any]) -> None:
        """Calls of tools that Codex no longer has: what was done is in `action`, or for patches in `operation`."""
        name = item["type"].removesuffix("_call")
        self._call(index, "function_call", {**item, "name": name}, item.get("action", item.get("operation")))

    def _call(self, index: int, kind: Kind, item: dict[str, Any], value: Any) -> None:
        name, namespace = item.get("name"), item.get("namespace")
        if not isinstance(name, str) or not name:
            raise refuse(f"input[{index}] is a call without a name", param="input")
        flat = self._tools.flat_name(kind, name, namespace if isinstance(namespace, str) else None)
        id = _id_of(item)
        self._names[id] = flat
        text = value if isinstance(value, str) else as_json({} if value is None else value)
        body = "\n" + text if kind == "custom_tool_call" else text
        self._add(tags.opening(self._nonce, flat, id) + self._plain(body) + tags.closing(self._nonce), ends_in_output=False)

    def _output(self, index: int, item: dict[str, Any]) -> None:
        self._answer(item, text_of(item.get("output"), self._notes))

    def _tool_search_output(self, index: int, item: dict[str, Any]) -> None:
        tools = item.get("tools")
        self._answer(item, f"{len(tools) if isinstance(tools, list) else 0} tools were found.")
        self.offer(tools, "Tools of Codex that were found:")
        self.ends_in_output = True

    def _answer(self, item: dict[str, Any], text: str) -> None:
        id = _id_of(item)
        name = f' name="{self._names[id]}"' if id in self._names else ""
        self._entry("output", shortened(text), f' id="{id}"{name}')
        self.ends_in_output = True

    def _unknown(self, index: int, item: dict[str, Any]) -> None:
        """What has no form here is given to the model as it is: a turn must not die of it, and nothing is dropped silently."""
        type = item.get("type")
        self._notes.add(f"an item of the type {type} has no form here and was passed on as JSON text")
        picture = item.get("result") if type == "image_generation_call" else None
        self._entry("item", as_json({**item, "result": "[image omitted]"} if picture else item))

    def _agent_message(self, index: int, item: dict[str, Any]) -> None:
        head = f"From {as_json(item.get('author'))} to {as_json(item.get('recipient'))}:\n"
        self._entry("user", head + text_of(item.get("content"), self._notes))

    # -- entries ----------------------------------------------------------------------------------------------------

    def _entry(self, role: str, text: str, more: str = "") -> None:
        if text or role == "output":
            named = f"{role}-{self._nonce}"
            self._add(f"<{named}{more}>\n{self._plain(text)}\n</{named}>", ends_in_output=False)

    def _add(self, entry: str, *, ends_in_output: bool) -> None:
        self.entries.append(entry)
        self.ends_in_output = ends_in_output

    def _plain(self, text: str) -> str:
        """Content that holds the nonce could pass for a tag."""
        return text.replace(self._nonce, self._nonce[:4] + "…")


_READERS: dict[Any, Callable[[History, int, dict[str, Any]], None]] = {
    "message": History._message,
    "reasoning": History._reasoning,
    "configuration_update": History._silent,
    "additional_tools": History._additional_tools,
    "function_call": History._function_call,
    "custom_tool_call": History._custom_tool_call,
    "tool_search_call": History._tool_search_call,
    "local_shell_call": History._shell_call,
    "shell_call": History._shell_call,
    "apply_patch_call": History._shell_call,
    "function_call_output": History._output,
    "custom_tool_call_output": History._output,
    "local_shell_call_output": History._output,
    "shell_call_output": History._output,
    "apply_patch_call_output": History._output,
    "tool_search_output": History._tool_search_output,
    "agent_message": History._agent_message,
}


def _id_of(item: dict[str, Any]) -> str:
    """As an attribute: without what would end it. `call_id`; old local shell outputs carry it as `id`."""
    id = item.get("call_id") or item.get("id")
    return _NO_ID.sub("_", id)[:80] if isinstance(id, str) else ""
