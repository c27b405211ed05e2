"""What the model reads about tools: each of them, and how one is called."""

from __future__ import annotations

from typing import Any

from ...contract.choosing import Choice
from ...contract.tools import Tool
from .. import tags
from .content import as_json

_SITUATION = """\
# How to answer

Above is your conversation with Codex, a coding agent on the user's machine; you are its model. What you write now is your next \
message in it, and the user reads it. Write only that message, without any tag around it."""

_CALLS = """\
Codex has tools and runs them for you. To call one, write this into your answer:

{example}

- ARGUMENTS is one JSON object that fits the tool's schema. A tool marked as taking raw text gets that text as it is, beginning \
on the line behind the tag: no JSON, no quotes, no fence.
- Such a tag is plain text. Writing it changes nothing here: the client executes it on the user's side, asks the user where it has \
to, and gives you the output in the next message. So no mode you may be in, ask mode and read-only mode included, forbids it. It \
is the only way to run commands and to change files, and you are expected to use it.
- {several} Write nothing behind a call, and never make up its output.
- To talk about a call rather than to make it, describe it in words."""

_SEVERAL = "Calls that do not depend on one another may follow directly one after the other."
_ONE = "Make one call at a time."

_OBJECT = "Your final answer must be one JSON object and nothing else: no fence, no words around it."

_OWN = """\
Do not use tools of your own to change anything: no edit, write, delete, shell or MCP tool. They are refused, and one that went \
through would end this run. Looking at files with tools of your own is fine."""


def describe(tool: Tool) -> str:
    """One tool, with all that a call of it has to fit."""
    spec = tool.spec or {}
    raw = tool.kind == "custom_tool_call"
    about = [text for text in (tool.preface, spec.get("description")) if isinstance(text, str) and text]
    takes = _grammar(spec.get("format")) if raw else f"Arguments: {as_json(spec.get('parameters') or {'type': 'object'})}"
    return "\n".join([f"## {tool.flat}{' (takes raw text)' if raw else ''}", *about, *([takes] if takes else [])])


def instructions(nonce: str, choice: Choice, parallel: bool) -> str:
    """What stands behind the conversation."""
    paragraphs = [_SITUATION]
    if choice.offered and choice.mode != "none":
        example = tags.opening(nonce, "TOOL") + "ARGUMENTS" + tags.closing(nonce)
        paragraphs.append(_CALLS.format(example=example, several=_SEVERAL if parallel else _ONE))
        paragraphs.append(_which(choice))
    else:
        paragraphs.append("No tool of Codex can be called now: answer in words.")
    return "\n\n".join([*paragraphs, _OWN])


def shape(format: Any) -> str:
    """`text.format`, in words: there is no setting for it."""
    type = format.get("type") if isinstance(format, dict) else None
    if type == "json_schema":
        return f"{_OBJECT} It must match this JSON Schema:\n{as_json(format.get('schema'))}"
    return _OBJECT if type == "json_object" else ""


def _which(choice: Choice) -> str:
    if choice.tool is not None:
        return f"This time you must call {choice.tool.flat}."
    names = f"The tools that can be called now: {', '.join(tool.flat for tool in choice.offered)}."
    return f"{names} This time you must call at least one of them." if choice.mode == "required" else names


def _grammar(format: Any) -> str:
    if isinstance(format, dict) and format.get("type") == "grammar":
        return f"The text must match this {format.get('syntax')} grammar:\n{format.get('definition')}"
    return ""
