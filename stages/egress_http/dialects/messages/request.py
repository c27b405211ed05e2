"""A Responses request → a Messages request.

Sent: `model`, `max_tokens`, `system`, `messages`, `tools`, `tool_choice`, `thinking`, `output_config`, `service_tier`, `stream`.
What else a request holds is for OpenAI's own service. `temperature` and `top_p` are never sent, because newer models refuse them,
and no user is ever named (`metadata`).

The answer is always asked for as a stream; a client that wants one object gets it put together from that.
"""

from __future__ import annotations

from typing import Any

import msgspec

from ....contract.asked import items_of, limit, setting, tools_of
from ....contract.choosing import Choice, choose
from ....contract.errors import refuse
from ....contract.notes import Notes
from ....contract.tools import ToolTable
from ..base import Target
from ..history import History
from ..pairs import Pairs
from ..parts import as_json, text_part
from . import cache, thinking
from .conversation import Conversation, Message, in_bare_loop
from .models import Traits, traits_of
from .offer import offer, possible, wire_choice
from .parts import PartReader
from .reasoning import restorer

VERSION = "2023-06-01"
_TIERS = {"auto": "auto", "priority": "auto", "default": "standard_only"}


class MessagesRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The payload, and what the reader of the answer must know of it: the tools, and the call ids that are taken."""

    payload: dict[str, Any]
    headers: dict[str, str]
    tools: ToolTable
    call_ids: set[str]
    notes: list[str]


def translate(body: dict[str, Any], target: Target) -> MessagesRequest:
    """Raises `HopError` (400) with a sentence where the request cannot be said in this language."""
    notes = Notes()
    items = items_of(body)
    tools, pairs, traits = tools_of(body, items, notes), Pairs(items), traits_of(target.model)
    talk = _conversation(body, items, target, tools, pairs, notes)
    messages = _answerable(talk.end(), notes)
    choice = possible(choose(body.get("tool_choice"), tools, notes), traits, notes)
    payload = {
        "model": target.model,
        "max_tokens": limit(body.get("max_output_tokens"), target.max_output_tokens or traits.output),
        **_tool_settings(body, tools, choice, traits, notes),
        **_system(talk, body, items, traits, notes),
        "messages": messages,
        "stream": True,
    }
    payload |= _output_settings(body, items, payload, choice, traits, notes)
    cache.mark(payload)
    headers = {"anthropic-version": VERSION, **thinking.headers(payload.get("thinking"), traits)}
    return MessagesRequest(payload=payload, headers=headers, tools=tools, call_ids=pairs.call_ids, notes=notes.all())


def _conversation(
    body: dict[str, Any], items: list[Any], target: Target, tools: ToolTable, pairs: Pairs, notes: Notes
) -> Conversation:
    talk, parts = Conversation(), PartReader(target, notes)
    talk.instruct(parts.read(body.get("instructions"), "instructions"))
    History(talk, tools, pairs, parts, notes, restorer(target)).read(items)
    return talk


def _answerable(messages: list[Message], notes: Notes) -> list[Message]:
    if not messages:
        raise refuse("the request holds nothing to answer: `input` is empty", param="input")
    if messages[-1]["role"] == "assistant":
        # Left by a stream that broke. Newer models refuse a conversation that ends with their own words.
        messages.append({"role": "user", "content": [text_part("Continue.")]})
        notes.add('the history ended with the model\'s own words; "Continue." was added')
    return messages


def _tool_settings(body: dict[str, Any], tools: ToolTable, choice: Choice, traits: Traits, notes: Notes) -> dict[str, Any]:
    """Calls in the history need tools in the request, even where none may be called, as when a history is being summarised."""
    if not choice.offered:
        known = [offer(tool, traits, notes) for tool in tools.known]
        return {"tools": known, "tool_choice": {"type": "none"}} if known else {}
    settings: dict[str, Any] = {"tools": [offer(tool, traits, notes) for tool in choice.offered]}
    wire = wire_choice(choice, body.get("parallel_tool_calls"))
    return {**settings, "tool_choice": wire} if wire else settings


def _system(talk: Conversation, body: dict[str, Any], items: list[Any], traits: Traits, notes: Notes) -> dict[str, Any]:
    """The system prompt; a shape of the answer that this model cannot be held to is asked for in words."""
    format = _format(body, items)
    blocks = list(talk.system)
    if format is not None and not (traits.schema and format.get("type") == "json_schema"):
        notes.add("the format of the answer was asked for in words: this model cannot be held to it")
        schema = f" It must match this JSON Schema: {as_json(format['schema'])}" if format.get("schema") else ""
        blocks.append(text_part(f"Answer with one JSON object and nothing else.{schema}"))
    return {"system": blocks} if blocks else {}


def _format(body: dict[str, Any], items: list[Any]) -> dict[str, Any] | None:
    format = setting(body, items, "text").get("format")
    return format if isinstance(format, dict) and format.get("type") in ("json_schema", "json_object") else None


def _output_settings(
    body: dict[str, Any], items: list[Any], payload: dict[str, Any], choice: Choice, traits: Traits, notes: Notes
) -> dict[str, Any]:
    reasoning, format = setting(body, items, "reasoning"), _format(body, items)
    forced, bare = choice.mode == "required" and bool(choice.offered), in_bare_loop(payload["messages"])
    thought = thinking.settings(reasoning, traits, payload["max_tokens"], forced, bare, notes)
    config: dict[str, Any] = {"effort": thought["effort"]} if "effort" in thought else {}
    if format is not None and traits.schema and format.get("type") == "json_schema":
        config["format"] = {"type": "json_schema", "schema": format.get("schema") or {}}
    _note_unsent(body, items, notes)
    settings = {
        "thinking": thought.get("thinking"),
        "output_config": config or None,
        "service_tier": _TIERS.get(str(body.get("service_tier"))),
    }
    return {name: value for name, value in settings.items() if value is not None}


def _note_unsent(body: dict[str, Any], items: list[Any], notes: Notes) -> None:
    """Settings that would change the answer and have no counterpart."""
    if setting(body, items, "text").get("verbosity") is not None:
        notes.add("the verbosity was not sent: it is a setting of OpenAI's own models")
    if body.get("temperature") is not None or body.get("top_p") is not None:
        notes.add("`temperature` and `top_p` were not sent: newer models of this upstream refuse them")
    tier = body.get("service_tier")
    if tier is not None and str(tier) not in _TIERS:
        notes.add(f"the service tier {as_json(tier)} was not sent: this upstream has none of that name")
