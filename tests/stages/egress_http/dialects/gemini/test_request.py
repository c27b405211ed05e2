"""Whatever Codex sends becomes a request that the API would take."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gemini_rules
import msgspec
import pytest
from codex_shim.stages.contract.errors import HopError
from codex_shim.stages.egress_http.dialects import Target
from codex_shim.stages.egress_http.dialects.gemini.request import translate
from codex_shim.stages.egress_http.dialects.gemini.signatures import SKIP, Mark, Signatures
from hypothesis import given, settings
from hypothesis import strategies as st

G3 = Target(model="gemini-3-pro", host="generativelanguage.googleapis.com")
CASES = sorted((next(each for each in Path(__file__).parents if each.name == "tests") / "fixtures/dialects/gemini").iterdir())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_case_keeps_the_rules_of_the_api(case: Path) -> None:
    target = msgspec.json.decode((case / "target.json").read_bytes(), type=Target)
    gemini_rules.check(translate(json.loads((case / "request.json").read_bytes()), target).payload)


USER = {"type": "message", "role": "user", "content": "hi"}


def marks(at: str, chars: int) -> dict[str, Any]:
    sealed = Signatures(G3).seal(msgspec.convert({"at": at, "sig": "S", "chars": chars}, Mark))
    return {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": sealed}


ids = st.sampled_from(["a", "b", "c d", ""])
items = st.one_of(
    st.builds(
        lambda role, text: {"type": "message", "role": role, "content": [{"type": "input_text", "text": text}]},
        st.sampled_from(["user", "assistant", "developer"]),
        st.sampled_from(["", "x", "hello"]),
    ),
    st.builds(lambda id: {"type": "function_call", "call_id": id, "name": "f", "arguments": '{"a":1}'}, ids),
    st.builds(lambda id: {"type": "function_call", "call_id": id, "name": "f", "arguments": "broken"}, ids),
    st.builds(lambda id: {"type": "custom_tool_call", "call_id": id, "name": "c", "input": "x"}, ids),
    st.builds(lambda id: {"type": "function_call_output", "call_id": id, "output": "y"}, ids),
    st.builds(
        lambda id: {
            "type": "custom_tool_call_output",
            "call_id": id,
            "output": [{"type": "input_image", "image_url": "data:image/png;base64,AA"}],
        },
        ids,
    ),
    st.builds(marks, st.sampled_from(["call", "text"]), st.integers(0, 6)),
    st.just({"type": "web_search_call", "id": "ws"}),
)


@settings(max_examples=80, deadline=None)
@given(st.lists(items, max_size=12), st.sampled_from(["gemini-3-pro", "gemini-2.5-flash", "gemma-3"]))
def test_any_history_keeps_the_rules_of_the_api(history: list[dict[str, Any]], model: str) -> None:
    start = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "go"}]}
    target = msgspec.structs.replace(G3, model=model)
    payload = translate({"input": [*history, start]}, target).payload
    gemini_rules.check(payload)
    calls = [[part for part in content["parts"] if "functionCall" in part] for content in payload["contents"]]
    if model == "gemini-3-pro":
        assert all("thoughtSignature" in turn[0] for turn in calls if turn)
    else:
        assert SKIP not in json.dumps(payload)


def test_the_prefix_of_a_later_request_is_the_earlier_one() -> None:
    """Twenty turns with calls and signatures: what was said is never changed by what comes later."""
    history: list[dict[str, Any]] = []
    before: list[Any] = []
    for turn in range(20):
        history.append({"type": "message", "role": "user", "content": [{"type": "input_text", "text": f"turn {turn}"}]})
        contents = translate({"input": history}, G3).payload["contents"]
        flat = [(content["role"], part) for content in contents for part in content["parts"]]
        assert flat[: len(before)] == before
        before = flat
        history.append(marks("call", 0))
        history.append({"type": "function_call", "call_id": f"c{turn}", "name": "f", "arguments": "{}"})
        history.append({"type": "function_call_output", "call_id": f"c{turn}", "output": "ok"})


@pytest.mark.parametrize(
    ("more", "note"),
    [
        ({"text": {"verbosity": "low"}}, "the verbosity was not sent"),
        ({"service_tier": "flex"}, "the service tier was not sent"),
        ({"service_tier": "auto"}, ""),
        (
            {"tools": [{"type": "function", "name": "f"}], "parallel_tool_calls": False},
            "the model was not kept from calling several",
        ),
        ({"tools": [{"type": "function", "name": "f"}], "parallel_tool_calls": True}, ""),
        ({"parallel_tool_calls": False}, ""),
        ({"reasoning": {"effort": "high"}}, ""),
    ],
)
def test_what_was_left_out_is_noted_where_it_was_asked_for(more: dict[str, Any], note: str) -> None:
    notes = translate({"input": "hi", **more}, G3).notes
    assert [each[: len(note)] for each in notes] == ([note] if note else [])


@pytest.mark.parametrize(("effort", "noted"), [("high", True), ("none", False), (None, False)])
def test_an_effort_is_noted_where_a_model_does_not_think(effort: str | None, noted: bool) -> None:
    notes = translate({"input": "hi", "reasoning": {"effort": effort}}, Target(model="gemma-3")).notes
    assert [note.partition(":")[0] for note in notes] == ["the reasoning effort was not sent"] * noted


def test_a_later_instruction_stays_in_its_place_whoever_spoke_last() -> None:
    """In the system instruction it would change what was sent before, and cost the cache of all of it."""
    late = {"type": "message", "role": "developer", "content": "late"}
    for before in (USER, {**USER, "role": "assistant"}):
        payload = translate({"instructions": "base", "input": [USER, before, late, USER]}, G3).payload
        assert payload["systemInstruction"] == {"parts": [{"text": "base"}]}
        assert {"text": "<developer>"} in payload["contents"][-1]["parts"]


@pytest.mark.parametrize(
    "part",
    [{"file_id": "f"}, {"file_data": "data:application/zip;base64,AA"}, {"file_data": None, "file_url": ""}, {"file_data": 5}],
)
def test_a_file_that_cannot_be_given_is_refused_with_its_place(part: dict[str, Any]) -> None:
    with pytest.raises(HopError, match=r"input\[0\].content\[0\] is the file"):
        translate({"input": [{"role": "user", "content": [{"type": "input_file", **part}]}]}, G3)


def test_a_signature_of_more_text_than_there_is_signs_nothing() -> None:
    """The client has cut the text: what was signed is no longer there."""
    text = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "ab"}]}
    payload = translate({"input": [USER, text, marks("text", 6), USER]}, G3).payload
    assert payload["contents"][1]["parts"] == [{"text": "ab"}]


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ({"type": "compaction", "encrypted_content": "gAAAA"}, "compacted by another model"),
        ({"type": "item_reference", "id": "x"}, "refers to an item"),
    ],
)
def test_what_cannot_be_said_is_refused_with_a_sentence(item: dict[str, Any], said: str) -> None:
    with pytest.raises(HopError, match=said):
        translate({"input": [item]}, G3)
    with pytest.raises(HopError, match="nothing to answer"):
        translate({"input": []}, G3)
