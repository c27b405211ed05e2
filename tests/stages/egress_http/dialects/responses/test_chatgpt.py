"""What goes to the ChatGPT backend: what Codex wrote, in its own bytes; what others wrote, without what the backend refuses."""

from __future__ import annotations

import json
from typing import Any

import chatgpt_rules
import msgspec
import pytest
from codex_shim.stages.contract import summary
from codex_shim.stages.contract.compaction import expand
from codex_shim.stages.contract.envelope import Envelope, seal
from codex_shim.stages.contract.errors import HopError
from codex_shim.stages.contract.events import ResponseBuilder
from codex_shim.stages.contract.sse import SSEDecoder
from codex_shim.stages.egress_http.dialects import CHATGPT, Target
from codex_shim.stages.egress_http.dialects.base import Passed
from codex_shim.stages.egress_http.dialects.responses.chatgpt import translate, translate_compaction, without_reasoning
from hypothesis import example, given
from hypothesis import strategies as st
from responses_answers import message, response

CODEX = Target(model="gpt-5.5", from_codex=True)
OTHER = Target(model="gpt-5.5")
USER = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "é"}]}
DEVELOPER = {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "You are Codex."}]}
THEIRS = {"type": "reasoning", "id": "rs_1", "summary": [], "content": None, "encrypted_content": "gAAAA"}
OURS = {**THEIRS, "id": "rs_2", "encrypted_content": seal(Envelope(kind="chat", provider="p", model="m", data="Hm."))}
TRIGGER = {"type": "compaction_trigger"}


def from_codex(*items: dict[str, Any], **more: Any) -> dict[str, Any]:
    """What Codex 0.169.0 sends."""
    return {
        "model": "gpt-5.5",
        "stream": True,
        "input": [DEVELOPER, *items],
        "tools": [{"type": "web_search"}, {"type": "custom", "name": "apply_patch"}],
        "tool_choice": "auto",
        "parallel_tool_calls": True,
        "reasoning": {"effort": "medium", "summary": "auto"},
        "store": False,
        "include": ["reasoning.encrypted_content"],
        "prompt_cache_key": "s",
        "client_metadata": {"turn_id": "t"},
        **more,
    }


def sent(body: dict[str, Any], target: Target) -> dict[str, Any]:
    return json.loads(translate(body, msgspec.json.encode(body), target).payload)


def refusal(body: dict[str, Any]) -> Any:
    """What the backend has against a request, None where nothing."""
    issued = {THEIRS["encrypted_content"]}
    known = lambda item: item.get("encrypted_content") in issued and "status" not in item and not item.get("content")  # noqa: E731
    return chatgpt_rules.refuse_request(body, known) or chatgpt_rules.refuse_stream(body)


# -- Codex ------------------------------------------------------------------------------------------------------------


def test_not_a_byte_of_codexs_request_is_changed() -> None:
    """Spaces, escapes, the order of keys, unknown fields and items: the backend's prompt cache depends on all of them."""
    raw = json.dumps(from_codex(USER, THEIRS, TRIGGER, {"type": "new", "n": 1.50}, new_field={"b": 1, "a": [2]})).encode()
    assert translate(json.loads(raw), raw, CODEX).payload == raw
    assert refusal(json.loads(raw)) is None


def test_only_what_stages_of_ours_have_put_there_is_taken_out() -> None:
    summed = summary.item("So far so good.", "cmp_1")
    body = expand(from_codex(summed, OURS, USER, THEIRS))
    told = sent(body, CODEX)
    assert [item["type"] for item in told["input"]] == ["message", "message", "message", "reasoning"]
    assert told["input"][1]["content"][0]["text"].endswith("So far so good.")
    assert told["input"][3] == THEIRS
    assert {name: told[name] for name in told if name != "input"} == {name: body[name] for name in body if name != "input"}


@pytest.mark.parametrize("name", chatgpt_rules.UNSUPPORTED)
def test_what_the_backend_refuses_goes_even_where_codex_or_a_stage_wrote_it(name: str) -> None:
    """D55: `max_output_tokens` was passed on although the backend refuses it."""
    value = None if name == "previous_response_id" else 1
    for target in (CODEX, OTHER):
        body = from_codex(USER, **{name: value})
        request = translate(body, msgspec.json.encode(body), target)
        assert refusal(json.loads(request.payload)) is None
        assert request.notes == ([] if value is None else [f"`{name}` was not sent: this upstream refuses it"])


def test_tools_that_a_stage_took_out_take_their_setting_along() -> None:
    assert "parallel_tool_calls" not in sent(from_codex(USER, tools=[]), CODEX)
    lite = from_codex(USER, {"type": "additional_tools", "tools": []}, tools=[])
    assert sent(lite, CODEX)["parallel_tool_calls"] is True


# -- other clients ----------------------------------------------------------------------------------------------------


def test_another_clients_request_is_made_fit() -> None:
    """D55."""
    body = {
        "model": "alias",
        "input": [
            {"role": "system", "content": "Be brief."},
            {"type": "reasoning", "id": "rs_1", "summary": [], "status": "completed", "content": [], "encrypted_content": "gAAAA"},
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "a", "prompt_cache_breakpoint": True}]},
        ],
        "tools": [{"type": "web_search_preview_2025_03_11", "search_context_size": "low"}, {"type": "function", "name": "f"}],
        "tool_choice": {"type": "web_search_preview"},
        "include": ["web_search_call.action.sources"],
        "parallel_tool_calls": True,
        "service_tier": "auto",
        "temperature": 0.5,
    }
    told = sent(body, OTHER)
    assert refusal(told) is None
    assert (told["model"], told["stream"], told["store"], told["instructions"]) == ("gpt-5.5", True, False, "")
    assert told["include"] == ["web_search_call.action.sources", "reasoning.encrypted_content"]
    assert told["tools"] == [{"type": "web_search", "search_context_size": "low"}, {"type": "function", "name": "f"}]
    assert told["tool_choice"] == {"type": "web_search"}
    assert told["parallel_tool_calls"] is True
    system, thought, user = told["input"]
    assert system == {"role": "developer", "content": "Be brief."}
    assert thought == {"type": "reasoning", "id": "rs_1", "summary": [], "content": [], "encrypted_content": "gAAAA"}
    assert user == {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "a"}]}


def test_thoughts_are_emptied_and_a_missing_content_stays_missing() -> None:
    """The blob is bound to the shape of its item."""
    bare = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAA"}
    full = {**bare, "content": [{"type": "reasoning_text", "text": "Hm."}]}
    told = sent({"model": "m", "input": [bare, full, THEIRS, USER]}, OTHER)
    assert told["input"][:3] == [bare, {**bare, "content": []}, THEIRS]


def test_a_setting_for_tools_goes_where_there_are_none() -> None:
    assert "parallel_tool_calls" not in sent({"model": "m", "input": [USER], "parallel_tool_calls": False}, OTHER)


def test_a_tier_that_the_backend_does_not_have_is_left_out_and_noted() -> None:
    for tier, kept, notes in (
        ("fast", "fast", 0),
        ("priority", "priority", 0),
        ("flex", None, 1),
        ("auto", None, 0),
        (None, None, 0),
    ):
        body = {"model": "gpt-5.5", "input": [USER], "service_tier": tier}
        request = translate(body, msgspec.json.encode(body), OTHER)
        assert (json.loads(request.payload).get("service_tier"), len(request.notes)) == (kept, notes)


@pytest.mark.parametrize("name", ["previous_response_id", "conversation", "prompt"])
def test_what_stands_for_text_that_nobody_stored_is_refused(name: str) -> None:
    with pytest.raises(HopError, match="send the"):
        sent({"model": "m", "input": [USER], name: "x"}, OTHER)


def test_a_text_alone_is_a_message() -> None:
    assert sent({"model": "gpt-5.5", "input": "hi"}, OTHER)["input"] == [{"type": "message", "role": "user", "content": "hi"}]


plain_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5), lambda inner: st.lists(inner, max_size=2)
)
items = st.lists(
    st.sampled_from(
        [USER, DEVELOPER, THEIRS, OURS, {"role": "system", "content": "x"}, {"type": "new"}, {**THEIRS, "status": "completed"}]
    ),
    max_size=5,
)
fields = st.dictionaries(
    st.sampled_from(
        [*chatgpt_rules.UNSUPPORTED, "tools", "stream", "store", "include", "instructions", "parallel_tool_calls", "service_tier"]
    ).filter(lambda name: name != "previous_response_id"),
    plain_values,
    max_size=6,
)


@given(items, fields)
@example([], {"stream": 1, "store": 0})
def test_whatever_another_client_writes_the_backend_takes(written: list[dict[str, Any]], more: dict[str, Any]) -> None:
    """Nor is the request itself changed."""
    more.pop("tools", None)
    body = {"model": "alias", "input": written, **more}
    before = json.dumps(body)
    told = sent(body, OTHER)
    assert refusal(told) is None
    assert json.dumps(body) == before
    assert sent({**told, "model": "alias"}, OTHER) == told, "what fits once fits for good: the next turn begins with the same bytes"


# -- the second try, and compaction -----------------------------------------------------------------------------------


def test_a_second_try_is_without_reasoning_and_otherwise_the_same() -> None:
    raw = json.dumps({"model": "m", "input": [USER, THEIRS, USER], "n": 1.5}).encode()
    assert without_reasoning(raw) == b'{"model":"m","input":[' + b",".join([json.dumps(USER).encode()] * 2) + b'],"n":1.5}'
    assert without_reasoning(b'{"input":[]}') is None


def test_a_compaction_is_asked_for_in_codexs_own_bytes() -> None:
    raw = json.dumps({"model": "gpt-5.5", "input": [DEVELOPER, USER], "instructions": "You are Codex."}).encode()
    assert CHATGPT.prepare_compaction(json.loads(raw), CODEX, raw=raw).payload == raw


def test_another_clients_compaction_loses_what_is_no_matter_of_it() -> None:
    body = {"model": "alias", "input": [USER], "stream": False, "store": True, "tool_choice": "none", "include": [], "top_p": 1}
    told = json.loads(translate_compaction(body, msgspec.json.encode(body), OTHER).payload)
    assert told == {"model": "gpt-5.5", "input": [USER], "instructions": ""}


# -- the answer -------------------------------------------------------------------------------------------------------


def answered(slug: str, raw: bytes) -> tuple[bytes, list[dict[str, Any]]]:
    """The bytes, and the events in them."""
    body = from_codex(USER, model=slug)
    translator = CHATGPT.prepare(body, CODEX, ResponseBuilder(slug, 1), raw=msgspec.json.encode(body)).translator
    outputs = [out for frame in SSEDecoder().feed(raw) for out in translator.feed(frame)]
    passed = b"".join(out.data for out in outputs if isinstance(out, Passed))
    return passed, [json.loads(out.data.partition(b"data: ")[2]) if isinstance(out, Passed) else out for out in outputs]


def test_an_answer_is_passed_on_as_the_very_bytes() -> None:
    raw = b"".join(step for step in response(message("Hé")).steps if isinstance(step, bytes))
    assert answered("gpt-5.5", raw)[0] == raw


def test_an_alias_is_answered_by_its_own_name() -> None:
    raw = b"".join(step for step in response(message("Hé")).steps if isinstance(step, bytes))
    told = answered("openai-gpt-5-5", raw)[1]
    named = [event["response"]["model"] for event in told if "response" in event]
    assert named == ["openai-gpt-5-5"] * 3
    assert [event["sequence_number"] for event in told] == list(range(len(told)))
