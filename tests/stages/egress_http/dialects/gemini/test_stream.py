"""A Gemini stream, however odd, becomes one well-formed response; its signatures come back to where they were."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from codex_shim.stages.contract.events import Event
from codex_shim.stages.egress_http.dialects import Target
from codex_shim.stages.egress_http.dialects.gemini.request import translate
from hypothesis import given, settings
from hypothesis import strategies as st

Run = Callable[..., list[Event]]
G3 = Target(model="gemini-3-pro", host="generativelanguage.googleapis.com")
BODY = {
    "input": [{"role": "user", "content": "hi"}],
    "tools": [{"type": "function", "name": "f"}, {"type": "custom", "name": "c"}, {"type": "tool_search"}],
}

parts = st.one_of(
    st.fixed_dictionaries(
        {"text": st.sampled_from(["", "a", "é😀", "\n"])},
        optional={"thought": st.just(True), "thoughtSignature": st.sampled_from(["S", ""])},
    ),
    st.fixed_dictionaries(
        {
            "functionCall": st.fixed_dictionaries(
                {},
                optional={
                    "name": st.sampled_from(["f", "c", "tool_search", "zzz", "", None]),
                    "args": st.sampled_from([{}, {"input": "x"}, {"n": 2.0}, None, "x"]),
                    "id": st.sampled_from(["i", "j", None]),
                },
            )
        },
        optional={"thoughtSignature": st.just("C")},
    ),
    st.sampled_from([{}, {"inlineData": {"mimeType": "image/png"}}, {"executableCode": {}}, None]),
)
reasons = st.sampled_from([None, None, None, "STOP", "MAX_TOKENS", "SAFETY", "MALFORMED_FUNCTION_CALL", "NEW"])
chunks = st.one_of(
    st.builds(
        lambda parts, reason: {
            "candidates": [{"content": {"parts": parts}, "finishReason": reason}],
            "usageMetadata": {"promptTokenCount": 1},
        },
        st.lists(parts, max_size=3),
        reasons,
    ),
    st.sampled_from(
        [{}, {"candidates": []}, {"candidates": None}, {"candidates": [{"content": None}]}, {"error": {"message": "x"}}, []]
    ),
)


def encode(sent: list[Any]) -> bytes:
    return b"".join(b"data: " + json.dumps(each).encode() + b"\r\n\r\n" for each in sent)


@settings(max_examples=80, deadline=None)
@given(st.lists(chunks, max_size=8), st.booleans(), st.integers(1, 40))
def test_one_well_formed_response_however_it_is_cut(run: Run, sent: list[Any], proper: bool, size: int) -> None:
    upstream = encode([*sent, *([{"candidates": [{"finishReason": "STOP"}]}] if proper else [])])
    events = run(BODY, [upstream], G3, "gemini")
    assert run(BODY, [upstream[place : place + size] for place in range(0, len(upstream), size)], G3, "gemini") == events


@settings(deadline=None)
@given(st.lists(st.binary(max_size=30), max_size=8))
def test_bytes_of_any_kind_end_in_a_failure(run: Run, sent: list[bytes]) -> None:
    assert run(BODY, sent, G3, "gemini")[-1]["type"] == "response.failed"


SIGNED = [
    [{"text": "Hel"}, {"text": "lo", "thoughtSignature": "T"}],
    [{"text": "Hello"}, {"text": "", "thoughtSignature": "T"}],
    [
        {"text": "Look", "thoughtSignature": "T"},
        {"functionCall": {"name": "f", "args": {"a": 1}, "id": "x"}, "thoughtSignature": "C"},
    ],
    [
        {"functionCall": {"name": "f", "args": {}, "id": "x"}, "thoughtSignature": "C"},
        {"functionCall": {"name": "f", "args": {}, "id": "y"}},
    ],
    [
        {"functionCall": {"name": "c", "args": {"input": "p"}, "id": "x"}, "thoughtSignature": "C"},
        {"text": "", "thoughtSignature": "T"},
    ],
]


@pytest.mark.parametrize("parts", SIGNED)
def test_signatures_come_back_on_the_very_same_parts(run: Run, parts: list[dict[str, Any]]) -> None:
    """D20. What the model said, kept by Codex as items, is said to it again."""
    thought = {"text": "hm", "thought": True}
    upstream = encode([{"candidates": [{"content": {"parts": [thought, *parts]}, "finishReason": "STOP"}]}])
    items = run(BODY, [upstream], G3, "gemini")[-1]["response"]["output"]
    calls = [item for item in items if "call_id" in item]
    outputs = [{"type": item["type"] + "_output", "call_id": item["call_id"], "output": "ok"} for item in calls]
    again = translate({**BODY, "input": [*BODY["input"], *items, *outputs]}, G3).payload["contents"]
    assert again[1] == {"role": "model", "parts": parts}


def test_another_model_is_not_shown_the_signature(run: Run) -> None:
    items = run(BODY, [encode([{"candidates": [{"content": {"parts": SIGNED[3]}, "finishReason": "STOP"}]}])], G3, "gemini")
    history = [*BODY["input"], *items[-1]["response"]["output"]]
    other = Target(model="gemini-2.5-pro", host=G3.host)
    assert "thoughtSignature" not in json.dumps(translate({**BODY, "input": history}, other).payload)
