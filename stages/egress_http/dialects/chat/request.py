"""A Responses request → a chat completions request.

Sent: `model`, `messages`, `tools`, `tool_choice`, `parallel_tool_calls`, `stream` with usage, `reasoning_effort` as it was chosen
(`none` too: to leave it out would mean the provider's default), `response_format`, `temperature`, `top_p`, `max_tokens`. Everything
else of the request is for OpenAI's own service (`store`, `include`, `client_metadata`, `prompt_cache_key`, `service_tier`, …) and
is never sent: strict servers refuse fields they do not know.

The answer is always asked for as a stream; a client that wants one object gets it put together from that.
"""

from __future__ import annotations

from typing import Any

import msgspec

from ....contract.errors import refuse
from ..asked import items_of, limit, setting, tools_of
from ..base import Notes, Target
from ..history import History
from ..pairs import Pairs
from ..tools import ToolTable
from .messages import Conversation, Message
from .offer import choose, offer
from .parts import PartReader
from .reasoning import restore


class ChatRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The payload, and what the reader of the answer must know of it: the tools, and the call ids that are taken."""

    payload: dict[str, Any]
    tools: ToolTable
    call_ids: set[str]
    notes: list[str]


def translate(body: dict[str, Any], target: Target) -> ChatRequest:
    """Raises `HopError` (400) with a sentence where the request cannot be said in this language."""
    notes = Notes()
    items = items_of(body)
    tools = tools_of(body, items, notes)
    pairs = Pairs(items)
    payload = {
        "model": target.model,
        "messages": _messages(body, items, tools, pairs, PartReader(target, notes), notes),
        **_tool_settings(body, tools, notes),
        "stream": True,
        "stream_options": {"include_usage": True},
        **_settings(body, items, target, notes),
    }
    return ChatRequest(payload=payload, tools=tools, call_ids=pairs.call_ids, notes=notes.all())


def _messages(
    body: dict[str, Any], items: list[Any], tools: ToolTable, pairs: Pairs, parts: PartReader, notes: Notes
) -> list[Message]:
    conversation = Conversation()
    conversation.instruct(parts.read(body.get("instructions"), "instructions"))
    History(conversation, tools, pairs, parts, notes, restore).read(items)
    messages = conversation.end()
    if not messages:
        raise refuse("the request holds nothing to answer: `input` is empty", param="input")
    if messages[-1]["role"] == "assistant":
        # Left by a stream that broke. Many upstreams refuse a conversation that ends with their own words.
        messages.append({"role": "user", "content": "Continue."})
        notes.add('the history ended with the model\'s own words; "Continue." was added')
    return messages


def _tool_settings(body: dict[str, Any], tools: ToolTable, notes: Notes) -> dict[str, Any]:
    """All three together, or none of them: without tools the other two are refused."""
    choice, offered = choose(body.get("tool_choice"), tools, notes)
    if not offered:
        return {}
    settings: dict[str, Any] = {"tools": [offer(tool) for tool in offered], "tool_choice": choice}
    if isinstance(body.get("parallel_tool_calls"), bool):
        settings["parallel_tool_calls"] = body["parallel_tool_calls"]
    return settings


def _settings(body: dict[str, Any], items: list[Any], target: Target, notes: Notes) -> dict[str, Any]:
    reasoning, text = setting(body, items, "reasoning"), setting(body, items, "text")
    if text.get("verbosity") is not None:
        notes.add("the verbosity was not sent: it is a setting of OpenAI's own models")
    settings = {
        "reasoning_effort": reasoning.get("effort"),
        "response_format": _response_format(text.get("format")),
        "temperature": body.get("temperature"),
        "top_p": body.get("top_p"),
        "max_tokens": limit(body.get("max_output_tokens"), target.max_output_tokens),
    }
    return {name: value for name, value in settings.items() if value is not None}


def _response_format(format: Any) -> dict[str, Any] | None:
    if not isinstance(format, dict) or format.get("type") not in ("json_schema", "json_object"):
        return None
    if format["type"] == "json_object":
        return {"type": "json_object"}
    named = {key: format[key] for key in ("name", "description", "schema", "strict") if format.get(key) is not None}
    return {"type": "json_schema", "json_schema": named}
