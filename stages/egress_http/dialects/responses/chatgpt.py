"""A Responses request for the ChatGPT backend, which is stricter than OpenAI's API.

What Codex wrote is right for it, and stays in the bytes it came in but for what stages of ours have put there. Other clients are
helped: what the backend demands is added, what it refuses is left out. Two things are left to nobody's taste: answers are streamed
and not stored.
"""

from __future__ import annotations

from typing import Any

import msgspec

from ....contract import asked
from ....contract.body import Document
from ....contract.notes import Notes
from ....contract.tools import ToolTable
from ..base import Target
from ..pairs import type_of
from .blobs import Blobs
from .items import ItemReader
from .request import NativeRequest, set_items
from .service import Service

SERVICE = Service(openai=True, tools=None)
LEFT_OUT = "all earlier reasoning was left out: the upstream could not verify some of it"

_UNSUPPORTED = (
    "max_output_tokens",
    "max_completion_tokens",
    "temperature",
    "top_p",
    "truncation",
    "user",
    "context_management",
    "prompt_cache_retention",
    "prompt_cache_options",
    "safety_identifier",
    "stream_options",
    "previous_response_id",
    "metadata",
)
_TIERS = ("priority", "fast")
_NOT_FOR_COMPACTION = ("stream", "store", "include", "tool_choice", "client_metadata")
_STATE = "reasoning.encrypted_content"
_PREVIEW = "web_search_preview"


def translate(body: dict[str, Any], raw: bytes, target: Target) -> NativeRequest:
    """A request for an answer. Raises `HopError` (400) with a sentence where it holds what the backend cannot read."""
    document, notes = _common(body, raw, target)
    _require(document, body, "stream", True)
    _require(document, body, "store", False)
    if not target.from_codex:
        _ask_for_state(document, body)
    return NativeRequest(payload=document.encode(), service=SERVICE, tools=None, notes=notes.all())


def translate_compaction(body: dict[str, Any], raw: bytes, target: Target) -> NativeRequest:
    """A request of `/responses/compact`, which is answered in one piece. Raises as `translate` does."""
    document, notes = _common(body, raw, target)
    for name in _NOT_FOR_COMPACTION:
        document.drop(name)
    return NativeRequest(payload=document.encode(), service=SERVICE, tools=None, notes=notes.all())


def without_reasoning(payload: bytes) -> bytes | None:
    """The same request without what the model thought; None where there is nothing of it."""
    document = Document.parse(payload)
    items = document.get("input", list[msgspec.Raw]) or []
    kept = [item for item in items if type_of(msgspec.json.decode(item)) != "reasoning"]
    if len(kept) == len(items):
        return None
    document.set("input", kept)
    return document.encode()


def _common(body: dict[str, Any], raw: bytes, target: Target) -> tuple[Document, Notes]:
    document, notes, items = Document.parse(raw), Notes(), asked.items_of(body)
    _require(document, body, "model", target.model)
    if not isinstance(body.get("input"), list):
        document.set("input", items)
    _leave_out(document, body, notes)
    _mend_tools(document, body, items, target)
    if not target.from_codex and not isinstance(body.get("instructions"), str):
        document.set("instructions", "")
    set_items(document, items, _Items(target, notes))
    return document, notes


def _require(document: Document, body: dict[str, Any], name: str, value: Any) -> None:
    """Nothing is written anew that is right already. The types count too: 1 is equal to True, and no boolean in JSON."""
    if (type(body.get(name)), body.get(name)) != (type(value), value):
        document.set(name, value)


def _leave_out(document: Document, body: dict[str, Any], notes: Notes) -> None:
    for name in _UNSUPPORTED:
        if name in document:
            document.drop(name)
            if body[name] is not None:
                notes.add(f"`{name}` was not sent: this upstream refuses it")
    tier = body.get("service_tier")
    if "service_tier" in document and tier not in _TIERS:
        document.drop("service_tier")
        if tier not in (None, "auto", "default"):
            notes.add(f"the service tier {tier} was not sent: this upstream has none of that name")


def _mend_tools(document: Document, body: dict[str, Any], items: list[Any], target: Target) -> None:
    tools = body.get("tools")
    tools = tools if isinstance(tools, list) else []
    parallel = body.get("parallel_tool_calls") or not target.from_codex
    if parallel and not tools and not any(type_of(item) == "additional_tools" for item in items):
        document.drop("parallel_tool_calls")  # also where a stage of the user's took the tools out
    if target.from_codex:
        return
    renamed = [_current(tool) for tool in tools]
    if renamed != tools:
        document.set("tools", renamed)
    choice = body.get("tool_choice")
    if choice != _current(choice):
        document.set("tool_choice", _current(choice))


def _current(tool: Any) -> Any:
    """A tool, or the choice of one, by its present name."""
    type = type_of(tool) if isinstance(tool, dict) else None
    return {**tool, "type": "web_search"} if type is not None and type.startswith(_PREVIEW) else tool


def _ask_for_state(document: Document, body: dict[str, Any]) -> None:
    """Nothing is stored, so that what the model thought has to come along, to be given back."""
    include = body.get("include")
    include = include if isinstance(include, list) else []
    if _STATE not in include:
        document.set("include", [*include, _STATE])


class _Items(ItemReader):
    """Items as the backend takes them. What Codex wrote it takes."""

    def __init__(self, target: Target, notes: Notes) -> None:
        super().__init__(SERVICE, Blobs(target, SERVICE), ToolTable(), notes, stored=False)
        self._from_codex = target.from_codex

    def read(self, index: int, item: Any) -> Any:
        read = super().read(index, item)
        if self._from_codex or not isinstance(read, dict):
            return read
        fitting = _fitting(read)
        return item if fitting == item else fitting


def _fitting(item: dict[str, Any]) -> dict[str, Any]:
    if type_of(item) == "reasoning":
        # Its blob is bound to the shape it came in: a `content` that is empty already stays as it is.
        fitting = {name: value for name, value in item.items() if name != "status"}
        return {**fitting, "content": []} if item.get("content") else fitting
    if item.get("role") == "system":
        item = {**item, "role": "developer"}
    content = item.get("content")
    if isinstance(content, list) and any(isinstance(part, dict) and "prompt_cache_breakpoint" in part for part in content):
        return {**item, "content": [_without_breakpoint(part) for part in content]}
    return item


def _without_breakpoint(part: Any) -> Any:
    return {name: value for name, value in part.items() if name != "prompt_cache_breakpoint"} if isinstance(part, dict) else part
