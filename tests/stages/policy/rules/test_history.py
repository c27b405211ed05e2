"""Dedupe and trim."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from policy_requests import changed, notes, run

LONG = "line of output\n" * 100
RULES = "<permissions instructions>\n" + "x" * 500
TRIM = {"do": "trim", "above": 200, "head": 20, "tail": 10, "keep": 1, "step": 2}


def message(role: str, text: str) -> dict[str, Any]:
    return {"type": "message", "role": role, "content": [{"type": "input_text", "text": text}]}


def output(number: int, text: Any = LONG) -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": f"call_{number}", "output": text}


def asked(*items: dict[str, Any]) -> dict[str, Any]:
    return {"model": "m", "input": list(items)}


def outputs(body: dict[str, Any]) -> list[Any]:
    return [item["output"] for item in body["input"] if "output" in item]


def test_an_output_that_came_before_is_named_instead() -> None:
    body = asked(message("user", "go"), output(1), output(2, "short"), output(3), output(4, "short"))
    after = changed(body, {"do": "dedupe"})
    assert outputs(after) == [LONG, "short", "[This output is the same as that of call_1, above.]", "short"]
    assert after["input"][3]["call_id"] == "call_3"
    [note] = notes(body, {"do": "dedupe"})
    assert note is not None
    assert note.startswith("dedupe 1 items, about ")


def test_a_command_that_is_run_again_says_the_same_though_its_head_is_another() -> None:
    """As Codex 0.169 gives it back."""

    def said(number: int, code: int = 0, text: str = LONG) -> dict[str, Any]:
        head = (
            f"Chunk ID: ac8c{number}\nWall time: {number}.5 seconds\nProcess exited with code {code}\nOriginal token count: 372\n"
        )
        return output(number, f"{head}Output:\n{text}")

    first, again, failed, other = outputs(
        changed(asked(said(1), said(2), said(3, code=1), said(4, text=LONG + "!")), {"do": "dedupe"})
    )
    assert first.endswith(LONG)
    assert again == said(2)["output"].replace(LONG, "[This output is the same as that of call_1, above.]")
    assert (failed, other) == (said(3, code=1)["output"], said(4, text=LONG + "!")["output"])


def test_outputs_made_of_parts_are_compared_as_a_whole() -> None:
    parts = [{"type": "input_text", "text": LONG}, {"type": "input_image", "image_url": "data:,a"}]
    other = [parts[0], {"type": "input_image", "image_url": "data:,b"}]
    after = changed(asked(output(1, parts), output(2, other), output(3, parts)), {"do": "dedupe"})
    assert outputs(after) == [parts, other, "[This output is the same as that of call_1, above.]"]


def test_boilerplate_is_named_instead_and_what_somebody_typed_is_not() -> None:
    typed = "please read this again: " + "word " * 200
    body = asked(message("user", RULES), message("user", typed), message("user", RULES), message("user", typed))
    texts = [item["content"][0]["text"] for item in changed(body, {"do": "dedupe"})["input"]]
    assert texts == [RULES, typed, "[This message is the same as one above.]", typed]
    assert run(body, {"do": "dedupe", "what": ["outputs"]})[1] == []


def test_old_outputs_keep_head_and_tail_and_the_latest_stay_whole() -> None:
    body = asked(*[output(number) for number in range(4)], message("user", "go on"), output(9))
    after = outputs(changed(body, TRIM))
    assert [len(text) == len(LONG) for text in after] == [False, False, True, True, True]
    assert after[0].startswith(LONG[:20] + "\n[… 1470 characters were left out here …]\n")
    assert after[0].endswith(LONG[-10:])


def test_parts_that_are_no_text_stay_and_short_outputs_too() -> None:
    parts = [{"type": "input_image", "image_url": "data:,a"}, {"type": "input_text", "text": LONG}]
    body = asked(output(0, parts), output(1, "short"), output(2), message("user", "go on"))
    first, second, third = outputs(changed(body, TRIM))
    assert (first[0], second, third) == (parts[0], "short", LONG)
    assert "left out" in first[1]["text"]


def test_a_boundary_that_moves_says_so_once() -> None:
    before = [message("user", "one"), output(0), output(1), output(2)]
    assert notes(asked(*before), TRIM) == [], "all of it is the latest turn"
    [note] = notes(asked(*before, message("user", "two")), TRIM)
    assert note is not None
    assert note.endswith("; the prompt cache starts anew")
    [note] = notes(asked(*before, message("user", "two"), output(3)), TRIM)
    assert note is not None
    assert not note.endswith("anew")


turns = st.lists(st.lists(st.sampled_from([LONG, LONG + "!", "short"]), max_size=6), min_size=1, max_size=8)


@given(turns, st.integers(0, 4), st.integers(1, 4))
def test_what_was_sent_stays_as_it_was_unless_the_rule_says_otherwise(turns: list[list[str]], keep: int, step: int) -> None:
    """A conversation as Codex sends it: longer by one item with each request."""
    items: list[dict[str, Any]] = []
    sent: list[bytes] = []
    for number, texts in enumerate(turns):
        for item in (message("user", f"turn {number}"), *(output(len(items) + place, text) for place, text in enumerate(texts))):
            items.append(item)
            body, effects = run(asked(*items), {"do": "dedupe"}, {**TRIM, "keep": keep, "step": step})
            now = _items(body)
            if not any((effect.note or "").endswith("anew") for effect in effects):
                assert now[: len(sent)] == sent
            sent = now


@pytest.mark.parametrize("input", ["only a text", [], None])
def test_a_request_without_history_is_left_alone(input: Any) -> None:
    body = msgspec.json.encode({"model": "m", "input": input})
    assert run(body, {"do": "dedupe"}, TRIM) == (body, [])


def _items(body: bytes) -> list[bytes]:
    return [msgspec.json.encode(item) for item in msgspec.json.decode(body)["input"]]
