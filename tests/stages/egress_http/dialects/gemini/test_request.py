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


@settings(max_examples=300, deadline=None)
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
