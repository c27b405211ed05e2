"""The items of `input`, told to a conversation one after the other, whatever its language.

One method per kind of item. An item that has no form upstream is given to the model as marked JSON text in its place, with a
note for the log: a turn must not die of it, and nothing is dropped silently. Refused are only those that stand for text we do not
have (`item_reference`, a `compaction` of someone else's), because to carry on without it would be to forget.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from ...contract.errors import refuse
from ...contract.notes import Notes
from ...contract.tools import Kind, ToolTable
from . import freeform
from .pairs import Pairs, type_of
from .parts import Part, PartReader, as_json, join_text, text_part

_SILENT = frozenset({"additional_tools", "configuration_update"})  # said elsewhere: in `tools`, in the settings
_COMPACTED = "is a history compacted by another model, which this upstream cannot read; start a new thread or switch back"
_LOST = {
    "item_reference": "refers to an item by its id, which only the service that stored it can look up; send the item itself",
    "compaction": _COMPACTED,
    "compaction_summary": _COMPACTED,
    "context_compaction": _COMPACTED,
    "compaction_trigger": "asks for a compaction, which this upstream does not do by itself",
}
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Conversation(Protocol):
    """What is being put together. It keeps the ordering rules of its language; each method adds what happened next."""

    def instruct(self, parts: list[Part]) -> None:
        """A developer or system message."""
        ...

    def user(self, parts: list[Part]) -> None: ...

    def assistant(self, text: str) -> None: ...

    def state(self, fields: Any) -> None:
        """What `restore` gave: opaque state of the model's turn, where it stood in it."""
        ...

    def call(self, id: str, name: str, arguments: str, answered: bool) -> None:
        """A tool call; `arguments` are the text of a JSON object, `answered` says whether `result` will be called for it."""
        ...

    def result(self, id: str, parts: list[Part]) -> None: ...


class History:
    """Reads items into a conversation. `restore` finds what this upstream can take back in a reasoning item, or None."""

    def __init__(
        self,
        conversation: Conversation,
        tools: ToolTable,
        pairs: Pairs,
        parts: PartReader,
        notes: Notes,
        restore: Callable[[dict[str, Any]], Any],
    ) -> None:
        self._conversation = conversation
        self._tools = tools
        self._pairs = pairs
        self._parts = parts
        self._notes = notes
        self._restore = restore

    def read(self, items: list[Any]) -> None:
        for index, item in enumerate(items):
            if not isinstance(item, dict):
                raise refuse(f"input[{index}] is not an object", param="input")
            self._read_one(index, item)

    def _read_one(self, index: int, item: dict[str, Any]) -> None:
        type = type_of(item)
        if type in _LOST:
            raise refuse(f"input[{index}] {_LOST[type]}", param="input")
        if type in _SILENT:
            return
        reader = _READERS.get(type or "")
        if reader is None:
            self._unknown(item, type)
        else:
            reader(self, index, item)

    def _message(self, index: int, item: dict[str, Any]) -> None:
        role = item.get("role")
        parts = self._parts.read(item.get("content"), f"input[{index}].content")
        if role == "assistant":
            self._conversation.assistant(self._own_words(parts))
        elif role in ("developer", "system"):
            self._conversation.instruct(parts)
        else:
            self._conversation.user(parts)

    def _own_words(self, parts: list[Part]) -> str:
        texts = [part for part in parts if part["type"] == "text"]
        if len(texts) < len(parts):
            self._notes.add("images in the model's own messages were left out: there is no place for them")
        return join_text(texts, "")

    def _reasoning(self, index: int, item: dict[str, Any]) -> None:
        fields = self._restore(item)
        if fields is None:
            self._notes.add("earlier reasoning was left out: it holds nothing that this upstream could take back")
        else:
            self._conversation.state(fields)

    def _function_call(self, index: int, item: dict[str, Any]) -> None:
        self._call(index, "function_call", item, _object_text(item.get("arguments")))

    def _custom_tool_call(self, index: int, item: dict[str, Any]) -> None:
        text = item.get("input")
        self._call(index, "custom_tool_call", item, freeform.wrap(text if isinstance(text, str) else as_json(text)))

    def _tool_search_call(self, index: int, item: dict[str, Any]) -> None:
        self._call(index, "tool_search_call", {"name": "tool_search"}, _object_text(item.get("arguments")))

    def _shell_call(self, index: int, item: dict[str, Any]) -> None:
        """Calls of tools that Codex no longer has: what was done is in `action`, or for patches in `operation`."""
        name = item["type"].removesuffix("_call")
        self._call(index, "function_call", {"name": name}, _object_text(item.get("action", item.get("operation"))))

    def _call(self, index: int, kind: Kind, item: dict[str, Any], arguments: str) -> None:
        name, namespace = item.get("name"), item.get("namespace")
        if not isinstance(name, str) or not name:
            raise refuse(f"input[{index}] is a call without a name", param="input")
        flat = self._tools.flat_name(kind, name, namespace if isinstance(namespace, str) else None)
        self._conversation.call(self._pairs.id(index) or "", flat, arguments, self._pairs.answered(index))

    def _output(self, index: int, item: dict[str, Any]) -> None:
        self._answer(index, item, self._parts.read(item.get("output"), f"input[{index}].output"))

    def _tool_search_output(self, index: int, item: dict[str, Any]) -> None:
        tools = item.get("tools")
        found = [
            line for tool in (tools if isinstance(tools, list) else []) if isinstance(tool, dict) for line in self._found(tool)
        ]
        text = "\n".join(["These tools can be called now:", *found]) if found else "No tools were found."
        self._answer(index, item, [text_part(text)])

    def _found(self, spec: dict[str, Any]) -> list[str]:
        """A line for each tool a search found. The tools themselves are offered beside the others."""
        space = spec.get("name") if spec.get("type") == "namespace" else None
        members = (spec.get("tools") or []) if space else [spec]
        named = [member for member in members if isinstance(member, dict) and isinstance(member.get("name"), str)]
        return [f"- {self._tools.flat_name('function_call', tool['name'], space)}{_about(tool)}" for tool in named]

    def _answer(self, index: int, item: dict[str, Any], parts: list[Part]) -> None:
        id = self._pairs.id(index)
        if id is not None:
            self._conversation.result(id, parts)
        else:
            self._notes.add("the output of a call that is not in the history was passed on as user text")
            self._conversation.user(_marked(item["type"], parts))

    def _agent_message(self, index: int, item: dict[str, Any]) -> None:
        head = f"agent_message author={as_json(item.get('author'))} recipient={as_json(item.get('recipient'))}"
        self._conversation.user(_marked(head, self._parts.read(item.get("content"), f"input[{index}].content")))

    def _image_generation_call(self, index: int, item: dict[str, Any]) -> None:
        """The image itself as an image, what was said about it as JSON."""
        about = {key: value for key, value in item.items() if key != "result"}
        parts = [text_part(as_json(about))]
        if isinstance(item.get("result"), str) and item["result"]:
            parts.append(self._parts.image(f"data:image/{item.get('output_format') or 'png'};base64,{item['result']}"))
        self._conversation.user(_marked(item["type"], parts))

    def _unknown(self, item: dict[str, Any], type: str | None) -> None:
        self._notes.add(f"an item of the type {type} has no form upstream and was passed on as JSON text")
        self._conversation.user(_marked(type or "item", [text_part(as_json(item))]))


_READERS = {
    "message": History._message,
    "reasoning": History._reasoning,
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
    "image_generation_call": History._image_generation_call,
}


def _about(tool: dict[str, Any]) -> str:
    return f": {tool['description']}" if tool.get("description") else ""


def _marked(head: str, parts: list[Part]) -> list[Part]:
    return [text_part(f"<{head}>"), *parts, text_part(f"</{head.partition(' ')[0]}>")]


def _object_text(value: Any) -> str:
    """Arguments as the text of a JSON object, which chat templates parse: text that is none would spoil the thread for good."""
    if not isinstance(value, str):
        value = as_json({} if value is None else value)
    try:
        _object.decode(value or "{}")
    except (ValueError, RecursionError):
        return freeform.wrap(value)
    return value or "{}"
