"""Compaction: a conversation too long for its model goes on as a summary of itself. Pure.

The model is asked like for any other answer: `request` is the history with our question behind it, and `Outcome` says what came of
it. An answer without words is no summary: it would empty the conversation. So it is asked for once more, and then the compaction
fails with a sentence.
"""

from __future__ import annotations

from typing import Any

import msgspec

from . import summary
from .errors import CONTEXT_OVERFLOW, INVALID_REQUEST, QUOTA, RATE_LIMITED, SERVER_ERROR, Failure
from .events import Usage

ATTEMPTS = 2

PROMPT = (
    "This conversation is about to be shortened: everything above will be replaced by the text you write now, and you will go on "
    "working from that text alone. Write it for yourself. Answer in plain text and call no tools.\n\n"
    "Say, as far as it applies:\n"
    "- what the user wants, in their own words where the wording matters, and every constraint or preference they gave;\n"
    "- what has been done: files that were read, created or changed, with their paths; commands that were run, and the outcome;\n"
    "- what was found out and decided, and why; what was tried and did not work;\n"
    "- where the work stands at this moment, and what has to be done next, step by step;\n"
    "- the exact names, values, identifiers, error messages and snippets that will be needed again.\n\n"
    "Leave out pleasantries and whatever has become irrelevant. Do not invent anything."
)
_CUT_OFF = "\n\n[The summary ends here because the model came to its output limit.]"

EMPTY = Failure(
    code=SERVER_ERROR,
    message="The model was asked twice for a summary of the conversation and wrote none, so nothing was compacted.",
)
# What asks for tools, shapes the answer, or only has a meaning for the turn that the trigger stands in place of.
_SETTINGS = ("tool_choice", "parallel_tool_calls", "text", "max_output_tokens")
_STATUS = {RATE_LIMITED: 429, QUOTA: 429, INVALID_REQUEST: 400, CONTEXT_OVERFLOW: 400}


def request(body: dict[str, Any]) -> dict[str, Any]:
    """An ordinary request for a summary. Without tools: those that the history declares cannot be called either."""
    kept = {name: value for name, value in body.items() if name not in _SETTINGS}
    items = kept.get("input")
    items = [_question(items)] if isinstance(items, str) else [item for item in items or [] if _stays(item)]
    return {**kept, "input": [*items, _question(PROMPT)], "tools": [], "tool_choice": "none", "stream": True}


def expand(body: dict[str, Any]) -> dict[str, Any]:
    """Our own summaries as user messages. The very same body where there are none; other services' compactions stay as they are."""
    items = body.get("input")
    if not isinstance(items, list):
        return body
    texts = [summary.text_of(item) for item in items]
    if not any(text is not None for text in texts):
        return body
    shown = [item if text is None else summary.as_message(text) for item, text in zip(items, texts, strict=True)]
    return {**body, "input": shown}


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer came to: the summary, or why there is none. Neither of them: it is worth asking again."""

    text: str = ""
    failure: Failure | None = None
    usage: Usage = Usage()


def read(response: dict[str, Any]) -> Outcome:
    """`response` is the one of the terminal event."""
    usage = _usage_of(response.get("usage") or {})
    if response.get("status") == "failed":
        return Outcome(failure=_failure_of(response.get("error") or {}), usage=usage)
    output = [item for item in response.get("output") or [] if isinstance(item, dict)]
    text = "\n\n".join(_words(item) for item in output if item.get("type") == "message").strip()
    if any(str(item.get("type", "")).endswith("_call") for item in output):
        text = ""
    return Outcome(text=text + _CUT_OFF if text and response.get("status") == "incomplete" else text, usage=usage)


def answer(response: dict[str, Any]) -> dict[str, Any]:
    """The object of `POST /v1/responses/compact`, from a response that holds the compaction."""
    named = {"id": response["id"], "object": "response.compaction", "created_at": response["created_at"]}
    return {**named, "output": response["output"], "usage": response["usage"]}


def _question(text: str) -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}


def _stays(item: Any) -> bool:
    return not (isinstance(item, dict) and item.get("type") in ("compaction_trigger", "additional_tools"))


def _words(item: dict[str, Any]) -> str:
    parts = item.get("content")
    parts = [part for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []
    return "".join(part["text"] for part in parts if isinstance(part.get("text"), str))


def _failure_of(error: dict[str, Any]) -> Failure:
    code = str(error.get("code") or SERVER_ERROR)
    return Failure(code=code, message=str(error.get("message") or "the compaction failed"), status=_STATUS.get(code, 502))


def _usage_of(usage: dict[str, Any]) -> Usage:
    """`usage` as every translator of ours writes it: with all its details."""
    read, wrote = usage.get("input_tokens_details") or {}, usage.get("output_tokens_details") or {}
    return Usage(
        input=usage.get("input_tokens") or 0,
        output=usage.get("output_tokens") or 0,
        cached=read.get("cached_tokens") or 0,
        cache_write=read.get("cache_write_tokens") or 0,
        reasoning=wrote.get("reasoning_tokens") or 0,
    )
