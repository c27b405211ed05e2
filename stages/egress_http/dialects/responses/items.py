"""One item of `input` as the upstream can take it: the very same object where nothing has to change.

OpenAI's own service takes all items that Codex sends. The others know messages, functions and reasoning: a freeform call becomes a
function call, a namespace part of the name, and what has no form there is said as text in its place.
"""

from __future__ import annotations

from typing import Any

from ....contract import summary
from ....contract.envelope import is_ours
from ....contract.errors import refuse
from ....contract.notes import Notes
from ....contract.tools import Kind, ToolTable
from .. import freeform
from ..pairs import type_of
from ..parts import NO_IMAGES, as_json
from .blobs import Blobs
from .service import Service

_EVERYWHERE = frozenset({"message", "function_call", "function_call_output", "item_reference"})
_METADATA = "internal_chat_message_metadata_passthrough"  # what Codex adds for OpenAI's service alone
_FOREIGN = "is a history compacted by another service, which this upstream cannot read; start a new thread or switch back"


class ItemReader:
    """Reads items for one upstream."""

    def __init__(
        self, service: Service, blobs: Blobs, tools: ToolTable, notes: Notes, *, stored: bool, images: bool = True
    ) -> None:
        self._service = service
        self._blobs = blobs
        self._tools = tools
        self._notes = notes
        self._stored = stored
        self._images = images

    def read(self, index: int, item: Any) -> Any:
        """None for an item that is not sent."""
        read = self._read(index, item)
        return read if self._images or not isinstance(read, dict) else self._in_words(read)

    def _read(self, index: int, item: Any) -> Any:
        type = type_of(item)
        if not isinstance(item, dict) or type is None:
            return item
        if type in summary.ITEM_TYPES:
            return self._compaction(index, item)
        if not self._service.openai and _METADATA in item:
            item = {name: value for name, value in item.items() if name != _METADATA}
        if type == "reasoning":
            return self._reasoning(item)
        return item if self._service.tools is None else self._plain(type, item, self._service.tools)

    def _compaction(self, index: int, item: dict[str, Any]) -> Any:
        """Readable ones of ours are messages by now."""
        if is_ours(item.get("encrypted_content")) or not self._service.openai:
            raise refuse(f"input[{index}] {_FOREIGN}", param="input")
        return item

    def _reasoning(self, item: dict[str, Any]) -> Any:
        restored = self._blobs.restore(item, stored=self._stored)
        if restored is None:
            self._notes.add("earlier reasoning was left out: it holds nothing that this upstream could take back")
        return item if restored == item else restored

    def _plain(self, type: str, item: dict[str, Any], known: frozenset[str]) -> Any:
        """For a service that knows only some kinds of tools."""
        if type in _EVERYWHERE:
            flat = item.get("namespace") and "namespace" not in known
            return self._flat(item, item.get("arguments")) if flat else item
        if type.removesuffix("_output").removesuffix("_call").removesuffix("_tool") in known:
            return item
        if type in _TRANSLATED:
            return _TRANSLATED[type](self, item)
        if type not in ("additional_tools", "configuration_update"):
            self._notes.add(f"an item of the type {type} has no form upstream and was passed on as JSON text")
            return _as_text(type, item)
        return None

    def _flat(self, item: dict[str, Any], arguments: Any, kind: Kind = "function_call", name: str = "") -> dict[str, Any]:
        name, space = str(item.get("name") or name), item.get("namespace")
        flat = self._tools.flat_name(kind, name, space if isinstance(space, str) else None)
        return {"type": "function_call", "call_id": item.get("call_id"), "name": flat, "arguments": arguments}

    def _custom_call(self, item: dict[str, Any]) -> Any:
        return self._flat(item, freeform.wrap(str(item.get("input") or "")), "custom_tool_call")

    def _search_call(self, item: dict[str, Any]) -> Any:
        return self._flat(item, as_json(item.get("arguments") or {}), "tool_search_call", "tool_search")

    def _output(self, item: dict[str, Any]) -> Any:
        return {"type": "function_call_output", "call_id": item.get("call_id"), "output": item.get("output")}

    def _generated(self, item: dict[str, Any]) -> Any:
        """The image itself as an image, what was said about it as JSON."""
        about = {key: value for key, value in item.items() if key != "result"}
        message = _as_text(item["type"], about)
        if isinstance(item.get("result"), str) and item["result"]:
            url = f"data:image/{item.get('output_format') or 'png'};base64,{item['result']}"
            message["content"].append({"type": "input_image", "image_url": url})
        return message

    def _in_words(self, item: dict[str, Any]) -> dict[str, Any]:
        """For a model that takes text only. The very same object where there is no image."""
        for field in ("content", "output"):
            parts = item.get(field)
            if isinstance(parts, list) and any(_is_image(part) for part in parts):
                self._notes.add("images were left out: this model takes text only")
                item = {**item, field: [{"type": "input_text", "text": NO_IMAGES} if _is_image(part) else part for part in parts]}
        return item

    def _search_output(self, item: dict[str, Any]) -> Any:
        """The tools a search found are offered beside the others; here stand their names."""
        tools = item.get("tools")
        specs = [tool for tool in tools if isinstance(tool, dict)] if isinstance(tools, list) else []
        names = ", ".join(str(spec.get("name")) for spec in specs) or "none"
        return {"type": "function_call_output", "call_id": item.get("call_id"), "output": f"Tools that can be called now: {names}"}


_TRANSLATED = {
    "custom_tool_call": ItemReader._custom_call,
    "custom_tool_call_output": ItemReader._output,
    "tool_search_call": ItemReader._search_call,
    "tool_search_output": ItemReader._search_output,
    "image_generation_call": ItemReader._generated,
}


def _is_image(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") == "input_image"


def _as_text(type: str, item: dict[str, Any]) -> dict[str, Any]:
    text = f"<{type}>\n{as_json(item)}\n</{type}>"
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
