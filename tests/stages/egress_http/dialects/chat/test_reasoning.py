"""Thinking goes out in a reasoning item and comes back next turn, to whoever wants it and to nobody else."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from codex_shim.stages.contract.envelope import Envelope, seal, unseal
from codex_shim.stages.contract.events import Event
from codex_shim.stages.egress_http.config import Quirks
from codex_shim.stages.egress_http.dialects.base import Target
from codex_shim.stages.egress_http.dialects.chat.request import translate
from hypothesis import given
from hypothesis import strategies as st

Run = Callable[..., list[Event]]
Delta = dict[str, Any]

USER = {"role": "user", "content": "go"}
TOOLS = [{"type": "function", "name": "f"}, {"type": "function", "name": "g"}]
ALWAYS = Quirks(reasoning_back="always")
DEEPSEEK = Target(model="deepseek-v4", provider="deepseek", quirks=Quirks(reasoning_back="always", reasoning_lost=" "))
KIMI = Target(model="kimi-k3", provider="moonshot", quirks=Quirks(reasoning_back="calls", reasoning_lost=" "))
OPENROUTER = Target(model="a/b", provider="openrouter", quirks=Quirks(reasoning_back="always", hold_calls=True))
LOST = {"google": {"thought_signature": "skip"}}
GEMINI = Target(model="gemini-3", provider="gemini-openai", quirks=Quirks(hold_calls=True, call_state_lost=LOST))
MINIMAX = Target(model="m2", provider="minimax", quirks=ALWAYS)
MISTRAL = Target(model="magistral", provider="mistral", quirks=ALWAYS)
PLAIN = Target(model="m", provider="plain")


def call(id: str = "call_1", name: str = "f", **more: Any) -> Delta:
    return {"tool_calls": [{"index": int(id[-1]) - 1, "id": id, "function": {"name": name, "arguments": "{}"}, **more}]}


def answer(run: Run, target: Target, *deltas: Delta, reason: str = "stop") -> list[dict[str, Any]]:
    """The items of an answer, as the client keeps them."""
    chunks = [{"choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
    stream = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"
    events = run({"input": [USER], "tools": TOOLS}, [stream.encode()], target)
    return events[-1]["response"]["output"]


def next_turn(items: list[dict[str, Any]], target: Target) -> list[dict[str, Any]]:
    """The messages of the request that answers all calls of `items`."""
    outputs = [{"type": "function_call_output", "call_id": item["call_id"], "output": "ok"} for item in items if "call_id" in item]
    return translate({"input": [USER, *items, *outputs], "tools": TOOLS}, target).payload["messages"]


def said(items: list[dict[str, Any]], target: Target) -> dict[str, Any]:
    """The model's turn in it."""
    return next(message for message in next_turn(items, target) if message["role"] == "assistant")


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_open_thinking_goes_back_in_the_field_it_came_in(run: Run, field: str):  # D19
    items = answer(run, DEEPSEEK, {field: "Let me "}, {field: "see."}, call())
    assert [item["type"] for item in items] == ["reasoning", "function_call"]
    assert items[0]["summary"] == [{"type": "summary_text", "text": "Let me see."}]
    assert said(items, DEEPSEEK)[field] == "Let me see."


def test_the_text_of_open_thinking_is_not_kept_twice(run: Run):
    items = answer(run, DEEPSEEK, {"reasoning_content": "long " * 1000}, call())
    assert len(items[0]["encrypted_content"]) < 200


def test_lost_thinking_is_a_space_where_its_absence_is_refused():
    call = {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"}
    assert said([call], DEEPSEEK)["reasoning_content"] == " "
    assert said([{"role": "assistant", "content": "x"}], DEEPSEEK)["reasoning_content"] == " "
    assert said([call], KIMI)["reasoning_content"] == " "
    assert "reasoning_content" not in said([{"role": "assistant", "content": "x"}], KIMI)
    assert "reasoning_content" not in said([call], PLAIN)


def deepseek(messages: list[dict[str, Any]]) -> int:
    """Refuses what the real one refuses: a tool loop that lacks what was thought in it."""
    turns = [message for message in messages if message["role"] == "assistant"]
    return 200 if all(turn.get("reasoning_content") for turn in turns if turn.get("tool_calls")) else 400


@pytest.mark.parametrize("first", [DEEPSEEK, KIMI, MINIMAX, MISTRAL, PLAIN])
def test_a_tool_loop_goes_on_whoever_began_it(run: Run, first: Target):
    thinking = {"reasoning_content": "mine"}
    history = answer(run, first, thinking, {"content": "Looking."}, call("call_1"), call("call_2", "g"))
    history += answer(run, DEEPSEEK, {"reasoning_content": "and mine"}, call("call_3"))
    messages = next_turn(history, DEEPSEEK)
    assert deepseek(messages) == 200
    assert [message.get("reasoning_content") for message in messages if message["role"] == "assistant"] == ["mine\nand mine"]
    assert deepseek(next_turn(history, PLAIN)) == 400


def test_signed_thinking_of_another_provider_stays_out(run: Run):
    detail = {"type": "reasoning.text", "text": "hm", "signature": "s", "format": "anthropic-claude-v1", "index": 0}
    items = answer(run, OPENROUTER, {"reasoning": "hm", "reasoning_details": [detail]}, call())
    assert said(items, DEEPSEEK)["reasoning_content"] == " "
    assert set(said(items, PLAIN)) == {"role", "content", "tool_calls"}
    other = Target(model="c/d", provider="openrouter", quirks=OPENROUTER.quirks)
    assert "reasoning_details" not in said(items, other)
    assert said(items, OPENROUTER)["reasoning_details"] == [detail]


def test_details_come_back_whole_and_in_order(run: Run):
    pieces = [
        {"type": "reasoning.text", "text": "Let ", "index": 0, "format": "anthropic-claude-v1"},
        {"type": "reasoning.text", "text": "me", "index": 0},
        {"type": "reasoning.text", "text": "", "signature": "sig", "index": 0},
        {"type": "reasoning.encrypted", "data": "blob", "index": 1},
    ]
    items = answer(run, OPENROUTER, *({"reasoning": piece.get("text"), "reasoning_details": [piece]} for piece in pieces), call())
    assert said(items, OPENROUTER)["reasoning_details"] == [
        {"type": "reasoning.text", "text": "Let me", "index": 0, "format": "anthropic-claude-v1", "signature": "sig"},
        {"type": "reasoning.encrypted", "data": "blob", "index": 1},
    ]


def test_details_behind_the_calls_stand_in_front_of_them(run: Run):
    late = {"type": "reasoning.encrypted", "data": "blob", "index": 0}
    items = answer(run, OPENROUTER, {"content": "Hm."}, call("call_1"), call("call_2"), {"reasoning_details": [late]})
    assert [item["type"] for item in items] == ["message", "reasoning", "function_call", "function_call"]
    assert items[1]["summary"] == []
    assert said(items, OPENROUTER)["reasoning_details"] == [late]


def test_details_behind_a_call_that_is_already_shown_find_back_too(run: Run):
    target = Target(model="m", provider="x", quirks=ALWAYS)
    late = {"type": "reasoning.encrypted", "data": "blob", "index": 0}
    items = answer(run, target, call("call_1"), {"reasoning_details": [late]})
    assert [item["type"] for item in items] == ["function_call", "reasoning"]
    assert said(items, target)["reasoning_details"] == [late]


def test_a_signature_behind_the_call_belongs_to_the_text_before_it(run: Run):
    text = {"type": "reasoning.text", "text": "hm", "index": 0, "format": "google-gemini-v1"}
    items = answer(
        run,
        OPENROUTER,
        {"reasoning": "hm", "reasoning_details": [text]},
        call(),
        {"reasoning_details": [{"type": "reasoning.text", "text": "", "index": 0, "signature": "s"}]},
    )
    assert said(items, OPENROUTER)["reasoning_details"] == [{**text, "signature": "s"}]


def test_unsigned_thinking_that_must_be_signed_is_not_sent(run: Run):
    detail = {"type": "reasoning.text", "text": "hm", "format": "anthropic-claude-v1", "index": 0}
    items = answer(run, OPENROUTER, {"reasoning": "hm", "reasoning_details": [detail]}, call())
    assert "reasoning_details" not in said(items, OPENROUTER)


def test_tags_come_back_to_the_letter(run: Run):  # D21
    items = answer(run, MINIMAX, {"content": "\n<thi"}, {"content": "nk>\nsecret</think>\n\n"}, {"content": "Yes."}, call())
    assert [item["type"] for item in items] == ["reasoning", "message", "function_call"]
    assert said(items, MINIMAX)["content"] == "\n<think>\nsecret</think>\n\nYes."
    assert said(items, PLAIN)["content"] == "Yes."


def test_tags_without_text_behind_them_come_back_with_the_call(run: Run):
    items = answer(run, MINIMAX, {"content": "<think>secret</think>\n"}, call())
    assert said(items, MINIMAX)["content"] == "<think>secret</think>\n"


def test_thinking_among_parts_comes_back_as_a_part(run: Run):
    parts = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "Let "}]},
        {"type": "thinking", "thinking": [{"type": "text", "text": "me"}], "closed": True},
    ]
    items = answer(run, MISTRAL, *({"content": [part]} for part in parts), {"content": "Yes."}, call())
    assert said(items, MISTRAL)["content"] == [
        {"type": "thinking", "thinking": [{"type": "text", "text": "Let me"}], "closed": True},
        {"type": "text", "text": "Yes."},
    ]
    assert said(items, PLAIN)["content"] == "Yes."


def extra(signature: str) -> dict[str, Any]:
    return {"google": {"thought_signature": signature}}


def test_what_came_with_a_call_goes_back_with_that_call(run: Run):  # D20
    items = answer(
        run, GEMINI, call("call_1", extra_content=extra("s1")), call("call_2"), call("call_3", extra_content=extra("s3"))
    )
    assert [item["type"] for item in items] == ["reasoning", "function_call", "function_call", "reasoning", "function_call"]
    calls = said(items, GEMINI)["tool_calls"]
    assert [each.get("extra_content") for each in calls] == [extra("s1"), None, extra("s3")]


@pytest.mark.parametrize("target", [GEMINI, Target(model="gemini-3", provider="gemini-openai")])
def test_what_comes_late_with_a_call_finds_back_to_it(run: Run, target: Target):
    late = {"tool_calls": [{"index": 0, "extra_content": extra("s")}]}
    items = answer(run, target, call("call_1"), late)
    assert said(items, target)["tool_calls"][0]["extra_content"] == extra("s")


def test_a_call_of_another_model_gets_what_stands_for_a_signature(run: Run):
    items = answer(run, PLAIN, call("call_1", extra_content=extra("theirs")), call("call_2"))
    assert [each.get("extra_content") for each in said(items, GEMINI)["tool_calls"]] == [LOST, None]
    assert all("extra_content" not in each for each in said(items, DEEPSEEK)["tool_calls"])


def test_thinking_between_texts_belongs_to_one_message(run: Run):  # D13
    items = answer(run, DEEPSEEK, {"reasoning_content": "one"}, {"content": "a"}, {"reasoning_content": "two"}, {"content": "b"})
    assert [item["type"] for item in items] == ["reasoning", "message", "reasoning", "message"]
    assert said(items, DEEPSEEK) == {"role": "assistant", "content": "a\n\nb", "reasoning_content": "one\ntwo"}


def test_thinking_of_an_aborted_turn_is_nobody_elses(run: Run):  # D19
    thought = answer(run, DEEPSEEK, {"reasoning_content": "old"})
    input = [USER, *thought, USER, {"role": "assistant", "content": "new"}, USER]
    messages = translate({"input": input}, DEEPSEEK).payload["messages"]
    assert [message.get("reasoning_content") for message in messages] == [None, None, " ", None]


def test_thinking_cut_off_by_a_failure_is_not_done(run: Run):
    items = answer(run, DEEPSEEK, {"reasoning_content": "half"}, reason="error")
    assert items == []


def test_a_length_stop_keeps_what_was_thought(run: Run):
    items = answer(run, DEEPSEEK, {"reasoning_content": "half"}, reason="length")
    assert unseal(items[0]["encrypted_content"]) is not None


KINDS = ("chat_rc", "chat_rd", "chat_think", "mistral", "chat_calls", "anthropic")
DATA = (None, 5, [], ["x"], {"a": 1}, "signature")
BROKEN = [seal(Envelope(kind=kind, provider="deepseek", data=data)) for kind in KINDS for data in DATA]


@pytest.mark.parametrize("blob", [None, 5, "gAAAA_openai", "csh1.", "csh1.!!!", "csh9.x", *BROKEN])
@pytest.mark.parametrize("summary", [None, [], [{"type": "summary_text", "text": "hm"}], ["x"], "x"])
def test_what_cannot_be_read_is_left_out(blob: Any, summary: Any):
    item = {"type": "reasoning", "summary": summary, "encrypted_content": blob}
    message = said([item, {"role": "assistant", "content": "answer"}], DEEPSEEK)
    assert "answer" in json.dumps(message["content"])
    assert "tool_calls" not in message


thoughts = st.one_of(
    st.builds(lambda text: {"reasoning_content": text}, st.text(max_size=4)),
    st.builds(lambda text: {"content": text}, st.sampled_from(["<think>", "</think>", "a", "\n", "<th"])),
    st.builds(
        lambda text, sign: {"reasoning_details": [{"type": "reasoning.text", "text": text, "index": 0, "signature": sign}]},
        st.text(max_size=4),
        st.sampled_from([None, "s"]),
    ),
    st.builds(lambda text: {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": text}]}]}, st.text(max_size=4)),
    st.builds(
        lambda id, sign: call(id, extra_content=sign), st.sampled_from(["call_1", "call_2"]), st.sampled_from([None, {"g": 1}])
    ),
)


@given(st.lists(thoughts, max_size=8), st.sampled_from([DEEPSEEK, KIMI, OPENROUTER, GEMINI, MINIMAX, MISTRAL, PLAIN]))
def test_any_thinking_can_be_sent_to_anyone_and_always_in_the_same_bytes(run: Run, deltas: list[Delta], target: Target):
    items = answer(run, target, *deltas, {"content": "end"})
    for reader in (DEEPSEEK, KIMI, OPENROUTER, GEMINI, MINIMAX, MISTRAL, PLAIN):
        first = json.dumps(next_turn(items, reader))
        assert json.dumps(next_turn(json.loads(json.dumps(items)), reader)) == first
    assert answer(run, target, *deltas, {"content": "end"}) == items
