"""The demo model: the same request gives the same answer, and it uses only tools that it was offered."""

from __future__ import annotations

from typing import Any

import pytest
from codex_shim.orchestrator.trial import conversation
from codex_shim.stages.contract import summary
from codex_shim.stages.egress_demo.script import Call, Say, plan, recap

TOOLS = [{"type": "custom", "name": "apply_patch"}, {"type": "function", "name": "exec_command"}]


def request(prompt: str, *more: dict[str, Any], tools: list[dict[str, Any]] = TOOLS) -> dict[str, Any]:
    message = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": prompt}]}
    return {"model": "demo", "input": [message, *more], "tools": tools}


@pytest.mark.parametrize(
    ("prompt", "path", "lines"),
    [
        ("create a file named hello.txt with hi there", "hello.txt", ["hi there"]),
        ("Please create a file called `src/a_b.py` containing: print(1)", "src/a_b.py", ["print(1)"]),
        ('write a file notes.md that says "one\ntwo"', "notes.md", ["one", "two"]),
        ("make me a file x.txt", "x.txt", ["x.txt, written by the demo model of codex-shim."]),
    ],
)
def test_a_file_is_created_by_patch(prompt: str, path: str, lines: list[str]) -> None:
    [_, call] = plan(request(prompt))
    assert isinstance(call, Call)
    assert (call.kind, call.name) == ("custom_tool_call", "apply_patch")
    added = "".join(f"+{line}\n" for line in lines)
    assert call.arguments == f"*** Begin Patch\n*** Add File: {path}\n{added}*** End Patch\n"


@pytest.mark.parametrize(
    ("prompt", "arguments"),
    [
        ("run `echo hi`", '{"cmd":"echo hi"}'),
        ("execute the command: git status", '{"cmd":"git status"}'),
        ("list the files", '{"cmd":"ls -la"}'),
        ("show me what is in this folder", '{"cmd":"ls -la"}'),
    ],
)
def test_a_command_is_run(prompt: str, arguments: str) -> None:
    [_, call] = plan(request(prompt))
    assert isinstance(call, Call)
    assert (call.kind, call.name, call.arguments) == ("function_call", "exec_command", arguments)


def test_a_function_is_called_by_its_name_as_model_test_wants_it() -> None:
    body = conversation.opening("demo", None)
    [call] = plan(body)
    assert isinstance(call, Call)
    assert conversation.is_whole({"name": call.name, "call_id": call.call_id, "arguments": call.arguments})
    assert call.arguments == '{"box":"blue"}'
    assert all(isinstance(step, Say) for step in plan({**body, "tools": []}))


def test_after_a_tool_it_reports() -> None:
    output = {"type": "function_call_output", "call_id": "c", "output": "Chunk ID: 1\nOutput:\nhello\n"}
    assert plan(request("run `echo hello`", output)) == [Say("Done. The tool answered:\n\nhello")]


def test_without_tools_it_only_talks() -> None:
    assert all(isinstance(step, Say) for step in plan(request("create a file named a.txt", tools=[])))


def test_the_same_request_gives_the_same_answer_and_a_later_turn_another_call_id() -> None:
    first, again = plan(request("run `ls`")), plan(request("run `ls`"))
    earlier = {"type": "message", "role": "user", "content": []}
    later = plan({**request("x"), "input": [earlier, *request("run `ls`")["input"]]})
    assert first == again
    assert isinstance(first[1], Call)
    assert isinstance(later[1], Call)
    assert first[1].call_id != later[1].call_id


@pytest.mark.parametrize(
    "body", [{}, {"input": None}, {"input": []}, {"input": [5]}, {"input": [{"role": "user", "content": "x"}], "tools": [1]}]
)
def test_it_always_says_something(body: dict[str, Any]) -> None:
    assert isinstance(plan(body)[0], Say)


def test_the_summary_of_a_conversation_is_the_same_each_time_and_keeps_an_earlier_one() -> None:
    body = request("hello", {"type": "function_call_output", "output": "x"})
    body["input"] = [summary.item("before", "cmp_1"), *body["input"], {"type": "compaction_trigger"}]
    assert recap(body) == "before\nThe user said:\n- hello\n1 tool calls were made."
