"""What the demo model says and does. Pure and deterministic: the same request gives the same answer.

It exists so that the whole agent loop (words, a command that runs, a file that is patched) can be tried with no key and no
network. It looks at the last user message and at what came after it, never further back.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any, NamedTuple

import msgspec

from ..contract import summary
from ..contract.events import CallKind

Item = dict[str, Any]


class Say(NamedTuple):
    """Words, one at a time."""

    text: str


class Call(NamedTuple):
    """A tool call: `arguments` is JSON text for a function, raw text for a custom tool."""

    kind: CallKind
    call_id: str
    name: str
    arguments: str


Step = Say | Call

_CREATE = re.compile(
    r"\b(?:create|make|write|add)\b.*?\bfile\b(?:\s+(?:named|called))?\s+[`'\"]?([\w./-]+\.\w+|[\w./-]+)", re.I | re.S
)
_CONTENT = re.compile(r"\b(?:with(?: the)?(?: content| text)?|containing|that says|saying)\b[:\s]+(.+)", re.I | re.S)
_QUOTED = re.compile(r"^[`'\"](.*)[`'\"][.!]?$", re.S)
_RUN = re.compile(r"\b(?:run|execute)\b(?:\s+the)?(?:\s+command)?\s*:?\s+[`'\"]?([^`'\"\n]+?)[`'\".]*\s*$", re.I)
_CALL = re.compile(r"\bcall\b.*?\b(?:function|tool)\s+`(\w+)`", re.I | re.S)
_LIST = re.compile(r"\b(?:list|show)\b.*\b(?:files|folder|directory)\b", re.I | re.S)


def plan(body: dict[str, Any]) -> list[Step]:
    """The steps of one answer."""
    items = [item for item in body.get("input") or [] if isinstance(item, dict)]
    asked = next((place for place in reversed(range(len(items))) if items[place].get("role") == "user"), None)
    prompt = _text(items[asked]) if asked is not None else ""
    outputs = [item for item in items[(asked or 0) + 1 :] if str(item.get("type", "")).endswith("_output")]
    if outputs:
        return [Say(_report(outputs[-1]))]
    return _first_answer(prompt, _tools(body), len(items), _named(prompt, body))


def recap(body: dict[str, Any]) -> str:
    """The summary the demo model writes of a conversation: what the user asked for, and how many steps it took."""
    items = [item for item in body.get("input") or [] if isinstance(item, dict)]
    asked = [f"- {' '.join(_text(item).split())[:200]}" for item in items if item.get("role") == "user" and _text(item)]
    earlier = [text for item in items if (text := summary.text_of(item)) is not None]
    steps = sum(str(item.get("type", "")).endswith("_output") for item in items)
    return "\n".join([*earlier, "The user said:", *asked, f"{steps} tool calls were made."])


def _first_answer(prompt: str, tools: set[str], salt: int, named: Item | None) -> list[Step]:
    call_id = "call_demo_" + hashlib.sha256(f"{salt}:{prompt}".encode()).hexdigest()[:16]
    if named is not None:
        return [Call("function_call", call_id, str(named["name"]), _arguments(prompt, named))]
    if (create := _CREATE.search(prompt)) and "apply_patch" in tools:
        patch = _patch(create.group(1), prompt)
        return [Say(f"I will create {create.group(1)}."), Call("custom_tool_call", call_id, "apply_patch", patch)]
    if (command := _command(prompt)) and "exec_command" in tools:
        arguments = '{"cmd":' + _json_text(command) + "}"
        return [Say(f"I will run `{command}`."), Call("function_call", call_id, "exec_command", arguments)]
    return [Say(_greeting(prompt, tools))]


def _named(prompt: str, body: dict[str, Any]) -> Item | None:
    """The function that the prompt wants called by its name."""
    asked = _CALL.search(prompt)
    tools = [tool for tool in body.get("tools") or [] if isinstance(tool, dict) and tool.get("type") == "function"]
    return next((tool for tool in tools if asked and tool.get("name") == asked[1]), None)


def _arguments(prompt: str, tool: Item) -> str:
    """What stands in quotes behind the name of each required argument, all of them text."""
    parameters = tool.get("parameters")
    required = parameters.get("required") if isinstance(parameters, dict) else None
    names = [str(name) for name in required] if isinstance(required, list) else []
    found = {name: re.search(rf"\b{re.escape(name)}\s+[`'\"]([^`'\"]*)", prompt) for name in names}
    return msgspec.json.encode({name: match[1] if match else "" for name, match in found.items()}).decode()


def _command(prompt: str) -> str | None:
    if run := _RUN.search(prompt):
        return run.group(1).strip()
    return "ls -la" if _LIST.search(prompt) else None


def _patch(path: str, prompt: str) -> str:
    content = _CONTENT.search(prompt)
    text = content.group(1).strip() if content else f"{path}, written by the demo model of codex-shim."
    if quoted := _QUOTED.match(text):
        text = quoted.group(1)
    added = "".join(f"+{line}\n" for line in text.splitlines())
    return f"*** Begin Patch\n*** Add File: {path.rstrip('.')}\n{added}*** End Patch\n"


def _report(item: Item) -> str:
    output = item.get("output")
    if isinstance(output, list):
        output = "\n".join(str(part.get("text", "[image]")) for part in output if isinstance(part, dict))
    text = str(output or "").partition("Output:\n")[2] or str(output or "")
    return f"Done. The tool answered:\n\n{text.strip()[:2000] or '(nothing)'}"


def _greeting(prompt: str, tools: set[str]) -> str:
    line = " ".join(prompt.split())[:200]
    return (
        f"This is the demo model of codex-shim: it runs offline and follows a script. You said: “{line}”. "
        "Ask me to run a command, to list the files, or to create a file named hello.txt with some text, "
        f"and I will use {'Codex’s tools' if tools else 'the tools I am given'} to do it. "
        "To talk to a real model, add one to ~/.codex-shim/models.json."
    )


def _tools(body: dict[str, Any]) -> set[str]:
    return {str(tool.get("name")) for tool in body.get("tools") or [] if isinstance(tool, dict)}


def _text(item: Item) -> str:
    content = item.get("content")
    parts = content if isinstance(content, list) else []
    return " ".join(str(part["text"]) for part in parts if isinstance(part, dict) and "text" in part)


def _json_text(text: str) -> str:
    return msgspec.json.encode(text).decode()
