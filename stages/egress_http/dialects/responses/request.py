"""A Responses request for an upstream that speaks Responses: the bytes that came, but for what it cannot take.

Always changed: `model`, and `stream` where the client wants one object (it is put together from the stream). The rest is touched
only where the service needs it, value by value; key order and every other byte stay, because prompt caches depend on it.
"""

from __future__ import annotations

from typing import Any

import msgspec

from ....contract import asked
from ....contract.body import Document
from ....contract.choosing import choose
from ....contract.notes import Notes
from ....contract.tools import Tool, ToolTable
from ..base import Target
from ..offering import description, parameters
from .blobs import Blobs
from .items import ItemReader
from .service import Service, service_of


class NativeRequest(msgspec.Struct, frozen=True, kw_only=True):
    """`tools` is there only where names or kinds in the answer have to be turned back."""

    payload: bytes
    service: Service
    tools: ToolTable | None
    notes: list[str]


def translate(body: dict[str, Any], raw: bytes, target: Target) -> NativeRequest:
    """Raises `HopError` (400) with a sentence where the request holds what this upstream cannot read."""
    document, notes, service = Document.parse(raw), Notes(), service_of(target)
    document.set("model", target.model)
    if body.get("stream") is not True:
        document.set("stream", True)
    if not service.openai:
        document.drop("client_metadata")
    _limit_output(document, body, target)
    items = body.get("input")
    items = items if isinstance(items, list) else []
    table = _set_tools(document, body, items, service.tools, notes) if service.tools is not None else ToolTable()
    stored = body.get("store") is not False and service.openai
    reader = ItemReader(service, Blobs(target, service), table, notes, stored=stored, images=target.images)
    set_items(document, items, reader)
    translated = table if any(_is_translated(tool) for tool in table.known) else None
    return NativeRequest(payload=document.encode(), service=service, tools=translated, notes=notes.all())


def _limit_output(document: Document, body: dict[str, Any], target: Target) -> None:
    wanted = body.get("max_output_tokens")
    if isinstance(wanted, int) and target.max_output_tokens is not None and wanted > target.max_output_tokens:
        document.set("max_output_tokens", target.max_output_tokens)


def set_items(document: Document, items: list[Any], reader: ItemReader) -> None:
    """Each item as `reader` gives it back; the bytes of those it leaves alone stay."""
    changed = [reader.read(index, item) for index, item in enumerate(items)]
    if all(new is old for new, old in zip(changed, items, strict=True)):
        return
    sources = document.get("input", list[msgspec.Raw]) or []
    kept = [
        source if new is old else msgspec.Raw(msgspec.json.encode(new))
        for new, old, source in zip(changed, items, sources, strict=True)
        if new is not None
    ]
    document.set("input", kept)


def _set_tools(document: Document, body: dict[str, Any], items: list[Any], known: frozenset[str], notes: Notes) -> ToolTable:
    """Tools of the kinds that are known stay as they are, the others become functions behind them."""
    listed = body.get("tools")
    listed = listed if isinstance(listed, list) else []
    native = [spec for spec in listed if _kind(spec) in known and _kind(spec) != "function"]
    table = asked.tools_of({"tools": [spec for spec in listed if spec not in native]}, items, notes)
    choice = choose(body.get("tool_choice"), table, notes) if isinstance(body.get("tool_choice"), dict) else None
    tools = [*(_function(tool) for tool in (choice.offered if choice else table.offered)), *native]
    if tools != listed:
        document.set("tools", tools)
    if choice is not None:
        document.set("tool_choice", {"type": "function", "name": choice.tool.flat} if choice.tool else choice.mode)
    return table


def _kind(spec: Any) -> Any:
    return spec.get("type") if isinstance(spec, dict) else None


def _function(tool: Tool) -> dict[str, Any]:
    spec = tool.spec or {}
    if not _is_translated(tool) and spec.get("parameters") == parameters(tool):
        return spec
    described = {"description": text} if (text := description(tool)) else {}
    made = {"type": "function", "name": tool.flat, **described, "parameters": parameters(tool)}
    return {**made, "strict": spec.get("strict") is True}  # said in any case: this language takes silence for yes


def _is_translated(tool: Tool) -> bool:
    return tool.kind != "function_call" or tool.namespace is not None or tool.flat != tool.name
