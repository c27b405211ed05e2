"""A session of 20 turns as Codex sends it, made without Codex: commands, patches, an MCP tool, pictures, later instructions.

for body, said in session.requests():
    session.answered(items_of_the_answer)
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from png import DATA_URL
from said import Call, Said, Thought, Words

Item = dict[str, Any]

TURNS = 20
PATCH = "*** Begin Patch\n*** Add File: é.txt\n+one\n*** End Patch\n"
_COMMAND = {"type": "object", "properties": {"cmd": {"type": "string"}, "tty": {"type": "boolean"}}, "required": ["cmd"]}
_SUM = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": ["integer", "null"]}}}
TOOLS: list[Item] = [
    {"type": "function", "name": "exec_command", "description": "Runs.", "strict": False, "parameters": _COMMAND},
    {
        "type": "custom",
        "name": "apply_patch",
        "description": "Edits.",
        "format": {"type": "grammar", "syntax": "lark", "definition": "x"},
    },
    {"type": "namespace", "name": "mcp__sums", "tools": [{"type": "function", "name": "add", "strict": False, "parameters": _SUM}]},
    {"type": "web_search", "external_web_access": False},
]
_OUTPUTS = {"function_call": "function_call_output", "custom_tool_call": "custom_tool_call_output"}


class CodexSession:
    """`requests` gives each request with what the model shall say to it. `answered` is told the items of the answer."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._count = 0
        self._input: list[Item] = [
            self._message("developer", "You are Codex."),
            self._message("developer", "<permissions>all</permissions>"),
            self._message("user", "<environment_context>é</environment_context>"),
        ]

    def requests(self) -> Iterator[tuple[Item, list[Said]]]:
        for number in range(TURNS):
            if number % 6 == 4:
                self._input.append(self._message("developer", f"The mode is now {number}."))
            self._input.append(self._question(number))
            yield self._body(), [self._thought(number), Words(f"Looking, {number}."), *self._calls(number)]
            yield self._body(), [self._thought(number), Words(f"Answer {number}.")]

    def answered(self, items: list[Item]) -> None:
        """Runs the calls."""
        self._input += items
        self._input += [self._output(item) for item in items if item["type"] in _OUTPUTS]

    def _body(self) -> Item:
        """A copy, by which no later request can change an earlier one."""
        body = {
            "model": self._model,
            "stream": True,
            "input": self._input,
            "tools": TOOLS,
            "tool_choice": "auto",
            "parallel_tool_calls": True,
            "reasoning": {"effort": "high", "summary": "auto"},
            "store": False,
            "include": ["reasoning.encrypted_content"],
            "prompt_cache_key": "0199-cache",
            "client_metadata": {"turn_id": str(self._count), "x-codex-turn-metadata": '{"request_kind":"turn"}'},
        }
        return json.loads(json.dumps(body))

    def _question(self, number: int) -> Item:
        question = self._message("user", f"Question {number}: ✓?")
        if number % 5 == 2:
            question["content"].insert(0, {"type": "input_image", "image_url": DATA_URL, "detail": "high"})
        return question

    def _thought(self, number: int) -> Thought:
        self._count += 1
        return Thought(f"Thought {number}, {self._count}.", f"c2Vh{self._count:03}bA+/==")

    def _calls(self, number: int) -> list[Call]:
        command = Call(f"call_{number}_a", "exec_command", {"cmd": "echo 'ü' \\", "tty": False})
        patch = Call(f"call_{number}_b", "apply_patch", {"input": PATCH})
        add = Call(f"call_{number}_c", "mcp__sums__add", {"b": 2, "a": 1})
        return [[command], [patch], [add], [command, add]][number % 4]

    def _output(self, item: Item) -> Item:
        self._count += 1
        text = f"Exit code: 0\nOutput:\n{item['call_id']} ✓\n"
        picture = [{"type": "input_text", "text": text}, {"type": "input_image", "image_url": DATA_URL, "detail": "high"}]
        output = picture if item.get("namespace") else text
        return {"type": _OUTPUTS[item["type"]], "id": f"fco_{self._count}", "call_id": item["call_id"], "output": output}

    def _message(self, role: str, text: str) -> Item:
        self._count += 1
        return {"type": "message", "id": f"msg_{self._count}", "role": role, "content": [{"type": "input_text", "text": text}]}


def last_request(model: str) -> Item:
    """The one at the end of a session in which nobody thought."""
    session = CodexSession(model)
    body: Item = {}
    for request, said in session.requests():
        body = request
        session.answered([_item(each) for each in said if not isinstance(each, Thought)])
    return body


def _item(said: Words | Call) -> Item:
    if isinstance(said, Words):
        return {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": said.text}]}
    if said.name == "apply_patch":
        return {"type": "custom_tool_call", "call_id": said.id, "name": said.name, "input": said.arguments["input"]}
    space, _, name = said.name.rpartition("__")
    named = {"name": name, "namespace": space} if space else {"name": name}
    return {"type": "function_call", "call_id": said.id, **named, "arguments": json.dumps(said.arguments)}
