"""A Responses request as the one text that `cursor-agent` reads from its standard input. Pure.

First the tools, then the conversation, and last what holds for this answer alone: so a turn begins with the very text of the turn
before it, which is what Cursor's prompt cache goes by, and the instructions stand where the model heeds them most.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import msgspec

from ...contract import compaction, summary
from ...contract.asked import items_of, setting, tools_of
from ...contract.choosing import Choice, choose
from ...contract.errors import refuse
from ...contract.notes import Notes
from ...contract.tools import Tool, ToolTable
from . import offer
from .content import as_json, text_of
from .history import History

_NONCE_LENGTH = 12
_INTRODUCTION = "Tools of Codex, the client of this conversation. How to call them is said at the end."


class Prompt(msgspec.Struct, frozen=True, kw_only=True):
    """`text` is for standard input, `nonce` marks the tags in it and in the answer, `notes` are sentences for the log: what of the
    request could not be handed on."""

    text: str
    nonce: str
    tools: ToolTable
    offered: frozenset[str]
    parallel: bool
    notes: list[str]

    def encode(self) -> bytes:
        """The bytes for standard input."""
        return self.text.encode("utf-8", "replace")

    def find(self, name: str) -> Tool | None:
        """The tool a call means; None where it may not be called."""
        tool = self.tools.resolve(name)
        return tool if tool.flat in self.offered else None


def nonce_of(body: dict[str, Any], secret: bytes) -> str:
    """The nonce of a conversation. The same through all its turns, so that Cursor's cache of the prompt stays good; whoever does
    not know `secret` (32 random bytes of this process) cannot guess it."""
    key = body.get("prompt_cache_key")
    if not isinstance(key, str) or not key:
        items = body.get("input")
        key = as_json([body.get("instructions"), items[:1] if isinstance(items, list) else items])
    return hmac.new(secret, key.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:_NONCE_LENGTH]


def build(body: dict[str, Any], nonce: str) -> Prompt:
    """Raises `HopError` (400) with a sentence where the request cannot be said here.

    A request that ends in a `compaction_trigger` is turned into the question for a summary.
    """
    body = compaction.expand(compaction.request(body) if summary.is_asked(body) else body)
    notes = Notes()
    items = items_of(body)
    tools = tools_of(body, items, notes)
    history = History(nonce, tools, notes)
    history.offer(body.get("tools"), _INTRODUCTION)
    history.instruct(text_of(body.get("instructions"), notes))
    told = len(history.entries)
    history.read(items)
    if len(history.entries) == told:
        raise refuse("the request holds nothing to answer: `input` is empty", param="input")
    choice = choose(body.get("tool_choice"), tools, notes)
    parallel = body.get("parallel_tool_calls") is not False
    shape = offer.shape(setting(body, items, "text").get("format"))
    last = [offer.instructions(nonce, choice, parallel), shape, _cue(history, items)]
    return Prompt(
        text="\n\n".join([*history.entries, *(text for text in last if text)]) + "\n",
        nonce=nonce,
        tools=tools,
        offered=_callable(choice),
        parallel=parallel,
        notes=notes.all(),
    )


def _callable(choice: Choice) -> frozenset[str]:
    if choice.mode == "none":
        return frozenset()
    return frozenset(tool.flat for tool in ([choice.tool] if choice.tool else choice.offered))


def _cue(history: History, items: list[Any]) -> str:
    """After a tool, or after words of its own that broke off, the model goes on; otherwise it answers."""
    last = items[-1] if items else {}
    own = isinstance(last, dict) and last.get("role") == "assistant"
    return "Continue." if history.ends_in_output or own else ""
