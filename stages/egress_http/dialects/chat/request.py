"""A Responses request → a chat completions request.

The order of the fields, and of everything inside them, follows from the request alone, so that what is sent again begins with the
same bytes. The answer is always asked for as a stream; a client that wants one object gets it put together from that.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec

from ....contract.asked import items_of, tools_of
from ....contract.errors import refuse
from ....contract.notes import Notes
from ....contract.tools import ToolTable
from ..base import Target
from ..history import History
from ..pairs import Pairs
from .messages import Conversation
from .offer import tool_settings
from .parts import PartReader
from .reasoning import restore
from .settings import headers, settings
from .turn import Message


class ChatRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The payload, and what the reader of the answer must know of it: the tools, and the call ids that are taken."""

    payload: dict[str, Any]
    headers: dict[str, str]
    tools: ToolTable
    call_ids: set[str]
    notes: list[str]


def translate(body: dict[str, Any], target: Target) -> ChatRequest:
    """Raises `HopError` (400) with a sentence where the request cannot be said in this language."""
    notes = Notes()
    items = items_of(body)
    tools = tools_of(body, items, notes)
    pairs = Pairs(items, target.quirks.call_ids)
    conversation = _tell(body, items, tools, pairs, target, notes)
    offered = tool_settings(body, tools, target.quirks, notes)
    fields, words = settings(body, items, target, bool(offered), notes)
    payload = {
        "model": target.model,
        "messages": _messages(conversation.end(words), target, notes),
        **offered,
        "stream": True,
        **({"stream_options": {"include_usage": True}} if target.quirks.stream_usage else {}),
        **fields,
    }
    return ChatRequest(
        payload=payload, headers=headers(body, target.quirks), tools=tools, call_ids=pairs.call_ids, notes=notes.all()
    )


def _tell(body: dict[str, Any], items: list[Any], tools: ToolTable, pairs: Pairs, target: Target, notes: Notes) -> Conversation:
    conversation, parts = Conversation(target.quirks), PartReader(target, notes)
    conversation.instruct(parts.read(body.get("instructions"), "instructions"))
    History(conversation, tools, pairs, parts, notes, partial(restore, target=target)).read(items)
    return conversation


def _messages(messages: list[Message], target: Target, notes: Notes) -> list[Message]:
    if not messages:
        raise refuse("the request holds nothing to answer: `input` is empty", param="input")
    if messages[-1]["role"] == "assistant" and target.quirks.prefill == "continue":
        # Left by a stream that broke. Many upstreams refuse a conversation that ends with their own words.
        messages.append({"role": "user", "content": "Continue."})
        notes.add('the history ended with the model\'s own words; "Continue." was added')
    return messages
