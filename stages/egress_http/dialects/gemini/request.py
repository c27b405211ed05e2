"""A Responses request → a Gemini request.

Sent: `contents`, `systemInstruction`, `tools`, `toolConfig`, and in `generationConfig` the thinking, the output limit, the sampling
and the schema of the answer. What else Responses has is for OpenAI's own service and never sent.
"""

from __future__ import annotations

from typing import Any

import msgspec

from ....contract import choosing
from ....contract.asked import items_of, limit, setting, tools_of
from ....contract.choosing import Choice
from ....contract.errors import refuse
from ....contract.notes import Notes
from ....contract.tools import Tool, ToolTable
from .. import offering
from ..base import Target
from ..history import History
from ..pairs import Pairs
from ..parts import as_json
from . import models, schema
from .contents import Contents
from .parts import PartReader
from .signatures import Signatures

_MODES = {"none": "NONE", "auto": "AUTO", "required": "ANY"}


class GeminiRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The payload, and what the reader of the answer must know of it."""

    payload: dict[str, Any]
    tools: ToolTable
    call_ids: set[str]
    notes: list[str]


def translate(body: dict[str, Any], target: Target) -> GeminiRequest:
    """Raises `HopError` (400) with a sentence where the request cannot be said in this language."""
    notes = Notes()
    items = items_of(body)
    tools = tools_of(body, items, notes)
    pairs = Pairs(items)
    contents = _tell(body, items, tools, pairs, target, notes)
    choice = choosing.choose(body.get("tool_choice"), tools, notes)
    settings, words = _settings(body, items, target, bool(choice.offered), notes)
    told = contents.end()
    if not told:
        raise refuse("the request holds nothing to answer: `input` is empty", param="input")
    payload = {
        "systemInstruction": contents.system(*words),
        "tools": [{"functionDeclarations": [_declared(tool) for tool in choice.offered]}] if choice.offered else None,
        "toolConfig": _tool_config(choice) if choice.offered else None,
        "contents": told,
        "generationConfig": settings or None,
    }
    payload = {name: value for name, value in payload.items() if value is not None}
    return GeminiRequest(payload=payload, tools=tools, call_ids=pairs.call_ids, notes=notes.all())


def _tell(body: dict[str, Any], items: list[Any], tools: ToolTable, pairs: Pairs, target: Target, notes: Notes) -> Contents:
    contents, parts = Contents(skip=models.checks_signatures(target.model)), PartReader(target, notes)
    contents.instruct(parts.read(body.get("instructions"), "instructions"))
    History(contents, tools, pairs, parts, notes, Signatures(target).restore).read(items)
    return contents


def _declared(tool: Tool) -> dict[str, Any]:
    declared: dict[str, Any] = {"name": tool.flat}
    if described := offering.description(tool):
        declared["description"] = described
    parameters = schema.convert(offering.parameters(tool))
    return {**declared, "parameters": parameters} if "properties" in parameters else declared


def _tool_config(choice: Choice) -> dict[str, Any] | None:
    """None for what holds without it."""
    if choice.mode == "auto":
        return None
    named = {"allowedFunctionNames": [choice.tool.flat]} if choice.tool else {}
    return {"functionCallingConfig": {"mode": _MODES[choice.mode], **named}}


def _settings(
    body: dict[str, Any], items: list[Any], target: Target, tools: bool, notes: Notes
) -> tuple[dict[str, Any], list[str]]:
    """`generationConfig`, and what has to be said in words instead."""
    effort = setting(body, items, "reasoning").get("effort")
    effort = target.quirks.efforts.get(effort, effort) if isinstance(effort, str) else None
    format = setting(body, items, "text").get("format")
    answer, words = _answer_format(format if isinstance(format, dict) else {}, target, tools, notes)
    _note_unsent(body, items, effort, target, tools, notes)
    settings = {
        "maxOutputTokens": limit(body.get("max_output_tokens"), target.max_output_tokens),
        "temperature": body.get("temperature"),
        "topP": body.get("top_p"),
        "thinkingConfig": models.thinking(target.model, effort),
        **answer,
    }
    return {name: value for name, value in settings.items() if value is not None}, words


def _note_unsent(body: dict[str, Any], items: list[Any], effort: Any, target: Target, tools: bool, notes: Notes) -> None:
    """Settings that would change the answer and have no counterpart."""
    if setting(body, items, "text").get("verbosity") is not None:
        notes.add("the verbosity was not sent: it is a setting of OpenAI's own models")
    if body.get("service_tier") not in (None, "auto", "default"):
        notes.add("the service tier was not sent: this upstream has no such setting")
    if tools and body.get("parallel_tool_calls") is False:
        notes.add("the model was not kept from calling several tools at once: this upstream has no such setting")
    if effort not in (None, "", "none") and models.thinking(target.model, effort) is None:
        notes.add("the reasoning effort was not sent: this model does not think before it answers")


def _answer_format(format: dict[str, Any], target: Target, tools: bool, notes: Notes) -> tuple[dict[str, Any], list[str]]:
    type = format.get("type")
    if type not in ("json_schema", "json_object"):
        return {}, []
    if tools and not models.takes_schema_beside_tools(target.model):
        notes.add("the format of the answer was asked for in words: this model takes no schema beside tools")
        return {}, [
            f"Answer with JSON only, and without a fence around it. It must match this schema:\n{as_json(format.get('schema', {}))}"
        ]
    wanted = {"responseMimeType": "application/json"}
    return ({**wanted, "responseJsonSchema": format["schema"]} if isinstance(format.get("schema"), dict) else wanted), []
