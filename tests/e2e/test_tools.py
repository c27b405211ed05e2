"""Codex's own tools, offered to a chat model as functions and called by it: commands, patches, several at once."""

from __future__ import annotations

from pathlib import Path

from chat_answers import Answer, call, calls, chunk, says
from codex_cli import Codex
from scripted_upstream import ScriptedUpstream
from upstream_connection import Received

CREATE = "*** Begin Patch\n*** Add File: notes/a.txt\n+one\n+two ✓\n+\n+\tfour\n*** End Patch\n"
EDIT = "*** Begin Patch\n*** Update File: notes/a.txt\n@@\n one\n-two ✓\n+zwei\n+zweieinhalb\n \n*** End Patch\n"


def tool_results(request: Received) -> dict[str, str]:
    """What the model is told of each of its calls."""
    return {message["tool_call_id"]: message["content"] for message in request.messages if message["role"] == "tool"}


def calls_in(request: Received) -> list[tuple[str, str, str]]:
    """Id, name and arguments of the calls in a request's history."""
    made = [each for message in request.messages for each in message.get("tool_calls", [])]
    return [(each["id"], each["function"]["name"], each["function"]["arguments"]) for each in made]


def test_a_command_runs_and_its_output_goes_back_to_the_model(codex: Codex, upstream: ScriptedUpstream) -> None:
    upstream.script(calls(call("exec_command", {"cmd": "echo from-$((40+2)); exit 3"}, "call_x")), says("It said 42."))
    turn = codex.exec("run it")
    assert (turn.code, turn.text) == (0, "It said 42.")
    (command,) = turn.items("command_execution")
    assert (command["aggregated_output"], command["exit_code"]) == ("from-42\n", 3)
    first, second = upstream.requests
    assert second.messages[: len(first.messages)] == first.messages
    assert [message["role"] for message in second.messages[len(first.messages) :]] == ["assistant", "tool"]
    assert calls_in(second) == [("call_x", "exec_command", '{"cmd": "echo from-$((40+2)); exit 3"}')]
    assert "Process exited with code 3" in tool_results(second)["call_x"]
    assert tool_results(second)["call_x"].endswith("Output:\nfrom-42\n")
    assert second.body["tools"] == first.body["tools"]


def test_a_file_is_created_and_then_edited_byte_for_byte(codex: Codex, upstream: ScriptedUpstream) -> None:
    upstream.script(
        calls(call("apply_patch", {"input": CREATE}, "call_1")), calls(call("apply_patch", {"input": EDIT}, "call_2")), says("ok")
    )
    turn = codex.exec("write it")
    assert (turn.code, turn.text) == (0, "ok")
    assert (codex.workspace / "notes/a.txt").read_bytes() == b"one\nzwei\nzweieinhalb\n\n\tfour\n"
    assert [change["kind"] for item in turn.items("file_change") for change in item["changes"]] == ["add", "update"]
    last = upstream.requests[2]
    assert [(call_id, name) for call_id, name, _ in calls_in(last)] == [("call_1", "apply_patch"), ("call_2", "apply_patch")]
    assert {name: text.rpartition("\n")[0].rpartition("\n")[2] for name, text in tool_results(last).items()} == {
        "call_1": "A notes/a.txt",
        "call_2": "M notes/a.txt",
    }


def test_a_patch_that_does_not_fit_is_reported_to_the_model(codex: Codex, upstream: ScriptedUpstream) -> None:
    (codex.workspace / "notes").mkdir()
    (codex.workspace / "notes/a.txt").write_text("something else\n")
    upstream.script(calls(call("apply_patch", {"input": EDIT})), says("I see"))
    turn = codex.exec("write it")
    assert (turn.code, turn.text) == (0, "I see")
    assert (codex.workspace / "notes/a.txt").read_text() == "something else\n"
    assert "Failed to find expected lines" in tool_results(upstream.requests[1])["call_1"]


def test_two_calls_of_one_reply_both_run_and_are_answered_in_order(codex: Codex, upstream: ScriptedUpstream) -> None:
    both = calls(
        chunk(content="Both at once."),
        call("exec_command", {"cmd": "echo A"}, "call_a", 0),
        call("exec_command", {"cmd": "echo B"}, "call_b", 1),
    )
    upstream.script(both, says("ok"))
    turn = codex.exec("run both")
    assert sorted(item["aggregated_output"] for item in turn.items("command_execution")) == ["A\n", "B\n"]
    assert [item["text"] for item in turn.items("agent_message")] == ["Both at once.", "ok"]
    told = tool_results(upstream.requests[1])
    assert list(told) == ["call_a", "call_b"]
    assert told["call_a"].endswith("A\n")
    assert told["call_b"].endswith("B\n")
    assistant = upstream.requests[1].messages[-3]
    assert (assistant["content"], len(assistant["tool_calls"])) == ("Both at once.", 2)


def test_a_call_in_pieces_runs_once_and_whole(codex: Codex, upstream: ScriptedUpstream, tmp_path: Path) -> None:
    pieces = ['{"cm', 'd": "echo o', "nce >> ", f'{tmp_path}/ran"', "}"]
    deltas = [chunk(tool_calls=[{"index": 0, "function": {"arguments": piece}}]) for piece in pieces]
    upstream.script(calls(call("exec_command", "", "call_p"), *deltas), says("ok"))
    assert codex.exec("run it").text == "ok"
    assert (tmp_path / "ran").read_text() == "once\n"


def test_a_call_that_is_cut_off_never_runs(codex: Codex, upstream: ScriptedUpstream, tmp_path: Path) -> None:
    upstream.script(Answer(call("exec_command", f'{{"cmd": "touch {tmp_path}/ran')), says("ok"))
    assert codex.exec("run it").text == "ok"
    assert not (tmp_path / "ran").exists()
    assert calls_in(upstream.requests[1]) == []


def test_a_tool_that_does_not_exist_is_an_answer_to_the_model_not_a_failed_turn(codex: Codex, upstream: ScriptedUpstream) -> None:
    upstream.script(calls(call("make_coffee", {"sugar": True})), says("No coffee, then."))
    turn = codex.exec("coffee")
    assert (turn.code, turn.text) == (0, "No coffee, then.")
    assert "unsupported call" in tool_results(upstream.requests[1])["call_1"]
