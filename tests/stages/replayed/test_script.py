"""Which recorded answer a request gets."""

from __future__ import annotations

import json
from typing import Any

from codex_shim.stages.replayed.script import Script, digest

RESPONSES, COMPACT = "/v1/responses", "/v1/responses/compact"


def body(*items: dict[str, Any] | str, **more: Any) -> str:
    said = [item if isinstance(item, dict) else {"type": "message", "role": "user", "content": item} for item in items]
    return json.dumps({"model": "m", "input": said, **more})


def choices(script: Script, *bodies: str, path: str = RESPONSES) -> list[tuple[int, ...] | None]:
    return [tuple(choice) if (choice := script.choose(path, each.encode())) else None for each in bodies]


def test_the_same_conversation_gets_its_own_answer_in_whatever_order() -> None:
    script = Script([(RESPONSES, body("one")), (RESPONSES, body("one", "two"))])
    assert choices(script, body("one", "two", model="other", store=True), body("one")) == [(1, True), (0, True)]


def test_who_asks_again_gets_the_next_recorded_answer_to_it_and_then_the_last_of_them() -> None:
    script = Script([(RESPONSES, body("one"))] * 2)
    assert choices(script, *[body("one")] * 3) == [(0, True), (1, True), (1, True)]


def test_another_conversation_gets_what_nobody_has_had_in_the_order_of_the_recording() -> None:
    script = Script([(RESPONSES, body("one")), (COMPACT, body("two")), (RESPONSES, body("three"))])
    assert choices(script, body("three"), body("new"), body("newer")) == [(2, True), (0, False), None]
    assert choices(script, body("x"), path=COMPACT) == [(1, False)]


def test_a_conversation_is_what_was_said_and_what_tools_answered() -> None:
    asked = {"type": "custom_tool_call", "call_id": "c1", "name": "apply_patch", "input": "x"}
    translated = {"type": "function_call", "call_id": "c2", "name": "apply_patch", "arguments": '{"input":"x"}'}
    output = {"type": "custom_tool_call_output", "call_id": "c1", "output": "Done."}
    in_parts = {"type": "function_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": "Done."}]}
    thought = {"type": "reasoning", "encrypted_content": "abc", "summary": []}
    one = digest(body("go", thought, asked, output).encode())
    assert digest(body("go", translated, in_parts, tools=[]).encode()) == one
    assert digest(body("go", asked, {**output, "output": "Failed."}).encode()) != one
    assert digest(body("go").encode()) == digest(json.dumps({"input": "go"}).encode())
    assert digest(b"{") != digest(b"[")
