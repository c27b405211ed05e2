"""The ring: what it keeps, what it lets go, and what belongs together."""

from __future__ import annotations

import pytest
from codex_shim.orchestrator.traces import book
from codex_shim.orchestrator.traces.book import TraceBook
from request_lines import exchange, line


def fed(*lines: tuple[str, str], **limits: int) -> TraceBook:
    ring = TraceBook("ingress", **limits)
    for stage, text in lines:
        ring.feed(stage, text)
    return ring


def ids(ring: TraceBook) -> list[str]:
    return [record.request_id for record in ring.complete()]


def test_a_request_is_over_with_the_line_of_the_door_whichever_comes_last() -> None:
    lines = exchange("one")
    ring = fed(*lines[:-1])
    assert (ids(ring), ring.turns) == ([], 0)
    assert [record.request_id for record in ring.find("o")] == ["one"]
    ring.feed(*lines[-1])
    ring.feed("late", line("one", 2))
    (record,) = ring.complete()
    assert (record.turn, [stage for stage, _ in record.lines][-2:]) == (1, ["ingress", "late"])


def test_the_oldest_are_forgotten_by_number_and_by_size() -> None:
    many = [pair for number in range(6) for pair in exchange(f"r{number}", 1000 * number)]
    assert ids(fed(*many, most=3)) == ["r3", "r4", "r5"]
    size = sum(len(text) for _, text in exchange("r0"))
    small = fed(*many, most_characters=2 * size)
    assert ids(small) == ["r4", "r5"]
    assert small.find("r0") == []


def test_one_request_keeps_a_bounded_number_of_lines() -> None:
    ring = fed(*[("loop", line("one"))] * (book.MOST_LINES + 9))
    assert len(ring.find("one")[0].lines) == book.MOST_LINES


def test_a_second_request_of_the_same_name_is_another_one() -> None:
    ring = fed(*exchange("same"), *exchange("same", 500))
    assert [(record.turn, len(record.lines)) for record in ring.complete()] == [(1, 4), (2, 4)]
    assert [record.turn for record in ring.find("same")] == [2, 1]


@pytest.mark.parametrize(
    "text",
    [
        "a program that says something",
        '{"ts":1,"stage":"s","event":"ready"}',
        '{"event":"request","request_id":7,"method":"POST"}',
        '{"event":"request","method":"POST"}',
        '{"event":"request","request_id":"x","method":"POST"',
        line(error="x" * 20_000),
        "[" * 5000 + '"event":"request"',
    ],
)
def test_what_is_no_line_of_a_request_is_passed_over(text: str) -> None:
    ring = TraceBook("ingress")
    assert ring.feed("ingress", text) is None
    assert ring.find("") == []


def test_questions_that_are_not_for_a_model_are_read_and_not_kept() -> None:
    ring = TraceBook("ingress")
    assert ring.feed("ingress", line(method="GET", path="/v1/models")) is not None
    assert ids(ring) == []
