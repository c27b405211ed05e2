"""Whole runs of cursor-agent, as it writes them (tests/fixtures/cursor), and the response each of them comes to.

`expected.json`: the finished `items`, how it `end`s, and where they matter `usage`, `counts` and what the error `says`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from codex_shim.stages.contract.events import TERMINAL, Event, ResponseBuilder
from codex_shim.stages.egress_cursor.answering.turn import Turn
from codex_shim.stages.egress_cursor.asking import prompt
from hypothesis import given, settings
from hypothesis import strategies as st

CASES = Path(__file__).parents[2] / "fixtures" / "cursor"
NONCE = "0123456789ab"
BODY: dict[str, Any] = {
    "input": "hi",
    "tools": [
        {"type": "function", "name": "exec_command", "parameters": {}},
        {"type": "custom", "name": "apply_patch"},
        {"type": "tool_search", "execution": "client"},
        {"type": "namespace", "name": "mcp__db", "tools": [{"type": "function", "name": "query"}]},
    ],
}


def play(chunks: list[bytes], *, to_the_end: bool = False) -> tuple[Turn, list[Event]]:
    """As the process half drives it: nothing is read behind `settled`, unless it is there already."""
    turn = Turn(ResponseBuilder("slug", 1, lambda prefix: f"{prefix}_1"), prompt.build(BODY, NONCE), new_id=lambda kind: kind)
    events: list[Event] = []
    for chunk in chunks:
        events += turn.feed(chunk)
        if turn.settled and not to_the_end:
            break
    return turn, [*events, *turn.finish(3, "")]


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


def items_of(events: list[Event]) -> Iterator[list[Any]]:
    for event in events:
        if event["type"] == "response.output_item.done":
            yield _shown(event["item"])


def _shown(item: dict[str, Any]) -> list[Any]:
    if item["type"] == "message":
        return ["message", "".join(part["text"] for part in item["content"])]
    if item["type"] == "reasoning":
        return ["reasoning", "".join(part["text"] for part in item["summary"])]
    if item["type"] == "tool_search_call":
        return ["tool_search_call", json.dumps(item["arguments"], separators=(",", ":"))]
    return [item["type"], item["name"], item.get("namespace"), item.get("arguments", item.get("input"))]


@pytest.mark.parametrize("case", sorted(CASES.iterdir()), ids=lambda path: path.name)
def test_a_run_comes_to_its_response(case: Path) -> None:
    expected = json.loads((case / "expected.json").read_text("utf-8"))
    turn, events = play([(case / "output.ndjson").read_bytes()])
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert [event["type"] for event in events[:2]] == ["response.created", "response.in_progress"]
    assert [event["type"] in TERMINAL for event in events] == [False] * (len(events) - 1) + [True]
    assert list(items_of(events)) == expected["items"]
    response = events[-1]["response"]
    end = response["status"] if response["error"] is None else [response["status"], response["error"]["code"]]
    assert end == expected["end"], response["error"]
    assert expected.get("says", "") in (response["error"] or {}).get("message", "")
    for name, number in expected.get("counts", {}).items():
        assert turn.counts.get(name, 0) == number, name
    if expected.get("usage"):
        usage = response["usage"]
        told = {**usage, "cached_tokens": usage["input_tokens_details"]["cached_tokens"]}
        assert {name: told[name] for name in expected["usage"]} == expected["usage"]


@pytest.mark.parametrize("case", sorted(CASES.iterdir()), ids=lambda path: path.name)
def test_a_run_is_the_same_however_its_output_is_cut(case: Path) -> None:
    data = (case / "output.ndjson").read_bytes()
    _, whole = play([data])
    for size in (1, 7, 100):
        _, events = play(cut(data, size), to_the_end=True)
        assert list(items_of(events)) == list(items_of(whole))
        assert events[-1]["response"]["status"] == whole[-1]["response"]["status"]


@settings(max_examples=60)
@given(st.sampled_from(sorted(CASES.iterdir())), st.data())
def test_lines_may_get_lost_or_damaged_and_the_stream_still_ends_once(case: Path, data: Any) -> None:
    lines = (case / "output.ndjson").read_bytes().splitlines(keepends=True)
    kept = data.draw(st.lists(st.sampled_from(lines), max_size=12))
    broken = data.draw(st.lists(st.binary(max_size=8), max_size=3))
    _, events = play([*kept, *broken], to_the_end=True)
    assert [event["type"] in TERMINAL for event in events] == [False] * (len(events) - 1) + [True]
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
