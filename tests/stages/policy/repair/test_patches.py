"""Repair of patches: what is mended, what is left to Codex, and how a stream of one passes."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from codex_shim.stages.contract.check.stream import StreamCheck
from codex_shim.stages.contract.events import ResponseBuilder
from codex_shim.stages.contract.sse import Frame, encode_frame
from codex_shim.stages.policy.effect import AnswerChange
from codex_shim.stages.policy.repair.patches import mended
from hypothesis import given
from hypothesis import strategies as st
from policy_requests import run

BODY = "*** Update File: a.py\n@@ def f\n x\n-y\n+z\n\n*** Add File: b\n+1\n*** Delete File: c\n"
PATCH = f"*** Begin Patch\n{BODY}*** End Patch"


@pytest.mark.parametrize(
    "text",
    [
        BODY,
        f"*** Begin Patch\n{BODY}",
        f"{BODY}*** End Patch",
        f"\n{PATCH}\n\n",
        f"```diff\n{PATCH}\n```\n",
        f"```\n{BODY}```",
        f"apply_patch <<'EOF'\n{PATCH}\nEOF\n",
        f"<<EOF\n{PATCH}\nEOF",
        PATCH.replace("\n", "\r\n"),
        json.dumps({"input": PATCH}),
        json.dumps({"patch": f"```\n{PATCH}\n```"}),
        json.dumps(PATCH),
    ],
)
def test_what_stands_around_a_patch_goes_and_its_frame_comes(text: str) -> None:
    assert mended(text) == PATCH


@pytest.mark.parametrize(
    "text",
    [
        PATCH,
        PATCH + "\n",
        "",
        "hello",
        "*** Begin Patch\n*** End Patch",
        "*** Begin Patch\n*** Update File: a\nno line of a patch\n*** End Patch",
        "*** Begin Patch\n*** Update File: a\n x\n*** Mov",
        json.dumps({"path": PATCH}),
        f"{PATCH}\nShall I go on?",
    ],
)
def test_what_is_right_or_not_certain_is_left_alone(text: str) -> None:
    assert mended(text) == text


def test_an_end_is_not_put_where_the_model_may_have_been_cut_off() -> None:
    text = f"*** Begin Patch\n{BODY}"
    assert mended(text, whole=False) == text


def change() -> AnswerChange:
    [effect] = run({"model": "m", "input": []}, {"do": "repair"})[1]
    assert effect.answer is not None
    return effect.answer


def called(*deltas: str, kind: Any = "custom_tool_call", end: str = "completed") -> list[Frame]:
    """A call in these pieces, as an upstream sends it."""
    builder = ResponseBuilder("m", 1, lambda prefix: f"{prefix}_1")
    events = [*builder.start(), *builder.call(kind, "call_1", "apply_patch")]
    for delta in deltas:
        events += builder.call_delta(delta)
    events += builder.end_call("".join(deltas))
    events += builder.complete() if end == "completed" else builder.incomplete(end)
    return [Frame(event["type"].encode(), json.dumps(event).encode()) for event in events]


def through(frames: list[Frame]) -> list[dict[str, Any]]:
    answer = change()
    out = [each for frame in frames for each in answer.feed(frame)]
    check = StreamCheck()
    assert check.feed(b"".join(map(encode_frame, out))) + check.finish(broken=False) == []
    return [msgspec.json.decode(frame.data) for frame in out]


def outcome(events: list[dict[str, Any]]) -> tuple[str, str]:
    """What is shown of the patch, and what Codex gets."""
    [done] = [event["item"] for event in events if event["type"] == "response.output_item.done"]
    whole = [event["input"] for event in events if event["type"].endswith("input.done")]
    assert whole == [done["input"]]
    assert events[-1]["response"]["output"] == [done]
    return "".join(event.get("delta", "") for event in events), done["input"]


@given(st.lists(st.integers(1, len(PATCH)), max_size=5))
def test_a_patch_that_begins_right_passes_in_its_very_events(places: list[int]) -> None:
    cuts = sorted({0, len(PATCH), *places})
    sent = called(*(PATCH[begin:end] for begin, end in pairwise(cuts)))
    answer = change()
    assert [each for frame in sent for each in answer.feed(frame)] == sent
    assert answer.note is None


def test_a_patch_that_begins_right_is_shown_while_it_comes() -> None:
    sent = called("*** Begin", " Patch\n", "*** Add")
    answer = change()
    got = [answer.feed(frame) for frame in sent]
    assert [len(each) for each in got[2:6]] == [1, 0, 2, 1]


@pytest.mark.parametrize("text", [f"```\n{PATCH}\n```", BODY, json.dumps({"input": PATCH})])
def test_a_mangled_patch_is_mended_in_a_stream(text: str) -> None:
    assert outcome(through(called(*text))) == (PATCH, PATCH)


def test_a_missing_end_comes_only_if_the_answer_is_whole() -> None:
    text = f"*** Begin Patch\n{BODY}"
    assert outcome(through(called(text)))[1] == PATCH
    assert outcome(through(called(text, end="max_output_tokens")))[1] == text


def test_the_arguments_of_a_function_are_mended_too() -> None:
    events = through(called(json.dumps({"input": BODY}), kind="function_call"))
    assert json.loads(events[-1]["response"]["output"][0]["arguments"]) == {"input": PATCH}


def test_a_whole_answer_is_mended() -> None:
    item = {"type": "custom_tool_call", "call_id": "c", "name": "apply_patch", "input": BODY}
    answer = change()
    assert msgspec.json.decode(answer.whole(msgspec.json.encode({"output": [item]}))) == {"output": [{**item, "input": PATCH}]}
    assert answer.note == "repair 1 patches"
