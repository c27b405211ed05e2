"""What a stream may not do, and that a right one does nothing of it."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from codex_shim.stages.contract.check import stream as checked
from codex_shim.stages.contract.check.stream import StreamCheck
from codex_shim.stages.contract.check.violation import Violation
from codex_shim.stages.contract.errors import Failure
from codex_shim.stages.contract.events import Event, ResponseBuilder, Usage
from codex_shim.stages.contract.sse import encode_event, encode_events
from hypothesis import given, settings
from hypothesis import strategies as st

ROOT = next(parent for parent in Path(__file__).parents if parent.name == "tests") / "fixtures" / "dialects"
TRANSCRIPTS = sorted(ROOT.glob("*/*/expected.sse"))


def builder() -> ResponseBuilder:
    numbers = itertools.count(1)
    return ResponseBuilder("m", 1, lambda prefix: f"{prefix}_{next(numbers)}")


def full() -> list[Event]:
    """A response with an item of each kind."""
    it = builder()
    events = [
        *it.start(),
        *it.reasoning("Hm"),
        *it.reasoning(", so."),
        *it.seal_reasoning("blob"),
        *it.text("H\u00e9"),
        *it.text("!"),
    ]
    events += [*it.call("function_call", "call_1", "ls"), *it.call_delta('{"a"'), *it.end_call('{"a":1}')]
    events += [*it.call("custom_tool_call", "call_2", "patch"), *it.call_delta("*** "), *it.end_call("*** x")]
    return json.loads(json.dumps([*events, *it.complete(Usage(input=10, output=4, cached=3))]))


def judged(raw: bytes, *, broken: bool = False) -> list[Violation]:
    check = StreamCheck()
    return check.feed(raw) + check.finish(broken=broken)


def rules(events: list[Event], **end: Any) -> list[tuple[str, str]]:
    return [(violation.rule, violation.field) for violation in judged(encode_events(events), **end)]


def place(events: list[Event], type: str, nth: int = 0) -> int:
    return [number for number, event in enumerate(events) if event["type"] == type][nth]


@pytest.mark.parametrize("dialect", sorted({path.parent.parent.name for path in TRANSCRIPTS}))
def test_what_our_own_translators_write_breaks_no_rule(dialect: str) -> None:
    for path in (path for path in TRANSCRIPTS if path.parent.parent.name == dialect):
        raw = path.read_bytes()
        assert judged(raw) == [], path
        cuts = sorted(random.Random(path.parent.name).sample(range(len(raw)), min(40, len(raw))))
        check = StreamCheck()
        pieces = [raw[start:end] for start, end in itertools.pairwise([0, *cuts, len(raw)])]
        assert [violation for piece in pieces for violation in check.feed(piece)] == [], path
        assert check.finish(broken=False) == []


def test_a_full_response_breaks_no_rule_and_is_known_afterwards() -> None:
    check = StreamCheck()
    assert check.feed(encode_events(full())) + check.finish(broken=False) == []
    assert (check.terminal, check.response_id) == ("response.completed", "resp_1")
    assert [call for _, call in check.items] == ["", "", "call_1", "call_2"]


def at(change: Callable[[Event], Any], type: str, nth: int = 0) -> Callable[[list[Event]], Any]:
    """A change of one event."""
    return lambda events: change(events[place(events, type, nth)])


def without(type: str, nth: int = 0) -> Callable[[list[Event]], Any]:
    return lambda events: events.pop(place(events, type, nth))


ADDED, DONE = "response.output_item.added", "response.output_item.done"
COMPLETED = "response.completed"
BROKEN = [
    (without("response.created"), ("created-first", "response.in_progress")),
    (
        lambda events: events.insert(1, {**events[0], "sequence_number": 0.5}),
        ("sequence-number", "response.created sequence_number"),
    ),
    (without(COMPLETED), ("terminal", "the end of the stream")),
    (lambda events: events.append({**events[-1], "sequence_number": 99}), ("terminal", "the end of the stream")),
    (without(ADDED, 2), ("item-added", "response.function_call_arguments.delta item 2")),
    (without(DONE, 1), ("one-open-item", "response.output_item.added item 2")),
    (at(lambda event: event["item"].update(id="other"), DONE, 1), ("item-id", "response.output_item.done item 1 id")),
    (at(lambda event: event["item"].update(call_id="other"), DONE, 2), ("item-id", "response.output_item.done item 2 call_id")),
    (at(lambda event: event["item"].update(type="message"), DONE, 2), ("item-type", "response.output_item.done item 2 type")),
    (
        at(lambda event: event.update(item_id="other"), "response.output_text.delta"),
        ("item-id", "response.output_text.delta item 1 item_id"),
    ),
    (at(lambda event: event.update(output_index=0), ADDED, 1), ("output-index", "response.output_item.added item 0")),
    (without("response.output_text.delta", 1), ("delta-text", "response.output_text.done item 1")),
    (
        at(lambda event: event["item"].update(arguments='{"a":2}'), DONE, 2),
        ("call-complete", "response.output_item.done item 2 arguments"),
    ),
    (at(lambda event: event["item"].pop("input"), DONE, 3), ("call-complete", "response.output_item.done item 3 input")),
    (
        at(lambda event: event.pop("sequence_number"), "response.output_text.delta"),
        ("sequence-number", "response.output_text.delta sequence_number"),
    ),
    (
        at(lambda event: event.update(sequence_number=1), "response.output_text.delta"),
        ("sequence-number", "response.output_text.delta sequence_number"),
    ),
    (at(lambda event: event["response"].update(status="failed"), COMPLETED), ("terminal-status", "response.completed status")),
    (at(lambda event: event["response"].update(id="resp_x"), COMPLETED), ("response-id", "response.completed id")),
    (at(lambda event: event["response"].pop("id"), COMPLETED), ("response-id", "response.completed id")),
    (at(lambda event: event.pop("response"), COMPLETED), ("terminal-response", "response.completed")),
    (
        at(lambda event: event["response"]["usage"].pop("total_tokens"), COMPLETED),
        ("usage", "response.completed usage.total_tokens"),
    ),
    (
        at(lambda event: event["response"]["usage"].update(total_tokens=3), COMPLETED),
        ("usage", "response.completed usage.total_tokens"),
    ),
    (
        at(lambda event: event["response"]["usage"].pop("input_tokens_details"), COMPLETED),
        ("usage", "response.completed usage.input_tokens_details.cached_tokens"),
    ),
]


@pytest.mark.parametrize(("change", "told"), BROKEN, ids=[f"{rule} {field}" for _, (rule, field) in BROKEN])
def test_each_rule_can_be_broken(change: Callable[[list[Event]], Any], told: tuple[str, str]) -> None:
    events = full()
    change(events)
    assert told in rules(events)


def test_the_sentence_says_what_is_wrong() -> None:
    events = full()
    events = [event for event in events if not (event.get("output_index") == 2 and event["type"] != DONE)]
    (violation,) = judged(encode_events(events))
    assert violation.sentence == "`response.output_item.done` for item 2 without `added`"
    assert violation.field == "response.output_item.done item 2"


def test_a_rule_is_told_once_and_not_with_every_event() -> None:
    it = builder()
    events = [*it.start(), *it.text("a"), *it.text("b"), *it.text("c"), *it.complete()]
    for event in events:
        event["sequence_number"] = 0
    assert rules(events) == [("sequence-number", "response.in_progress sequence_number")]


def test_what_is_allowed_breaks_no_rule() -> None:
    it = builder()
    start, text = it.start(), [*it.text("a"), *it.text("b")]
    unknown = {"type": "response.dream.delta", "sequence_number": 90, "zeta": [1]}
    kept_alive = b'data: {"type":"keepalive"}\n\n: a comment\n\n'
    other = b'event: codex.rate_limits\ndata: {"type":"codex.rate_limits","plan":"x"}\n\n'
    failed = it.fail(Failure(code="server_error", message="no"))
    failed[0]["sequence_number"] = 99  # a stage may leave events out, so there may be gaps
    raw = encode_events(start) + kept_alive + other + encode_events([*text, unknown, *failed])
    check = StreamCheck()
    assert check.feed(raw) + check.finish(broken=False) == []
    assert check.unknown == {"codex.rate_limits": 1, "response.dream.delta": 1}


def test_an_open_item_that_a_failure_or_a_limit_cuts_off_has_no_done() -> None:
    for ending in (
        lambda it: it.fail(Failure(code="server_error", message="no")),
        lambda it: it.incomplete("max_output_tokens", Usage()),
    ):
        it = builder()
        events = [*it.start(), *it.call("function_call", "call_1", "ls"), *it.call_delta('{"a'), *ending(it)]
        assert rules(events) == []


def test_a_cut_connection_is_an_honest_end_and_a_clean_one_without_a_word_is_not() -> None:
    events = builder().start()
    assert rules(events, broken=True) == []
    assert rules(events) == [("terminal", "the end of the stream")]


@pytest.mark.parametrize(
    ("raw", "rule"),
    [
        (b'data: {"type":"response.created","sequence_number":0,"response":{"id":"r"}}\n\n', "event-line"),
        (b'event: response.other\ndata: {"type":"response.created","sequence_number":0,"response":{"id":"r"}}\n\n', "event-line"),
        (b'event: response.created\ndata: {"type":"response.created","sequence_number":0}\n\n', "created-first"),
        (b'data: {"type":"x","text":"\xc3"}\n\n', "utf-8"),
        (b'data: {"type":"x","text":"\\ud83d"}\n\n', "utf-8"),
        (b"data: [DONE]\n\n", "event-json"),
        (b"data: [1]\n\n", "event-json"),
        (b'data: {"kind":"x"}\n\n', "event-type"),
        (b'data: {"type":7}\n\n', "event-type"),
        (b"data: " + b"[" * 100_000 + b"\n\n", "event-json"),
    ],
)
def test_events_that_are_none(raw: bytes, rule: str) -> None:
    assert [violation.rule for violation in StreamCheck().feed(raw)] == [rule]


def test_an_event_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checked, "MOST_BYTES", 1000)
    check = StreamCheck()
    told = [violation.rule for _ in range(20) for violation in check.feed(b"x" * 100)]
    assert told == ["event-size"]
    assert check.finish(broken=False) == []


def test_what_was_not_understood_is_counted() -> None:
    it = builder()
    check = StreamCheck()
    check.feed(encode_events([*it.start(), *it.text("a\N{REPLACEMENT CHARACTER}")]) + b'data: {"type":"x","t":"\\uFFFD"}\n\n')
    assert check.replaced == 2


@settings(max_examples=40)
@given(st.lists(st.integers(min_value=0), max_size=12), st.sampled_from(range(len(BROKEN) + 1)))
def test_how_the_network_cuts_a_stream_changes_nothing(cuts: list[int], which: int) -> None:
    events = full()
    if which:
        BROKEN[which - 1][0](events)
    raw = b'data: {"type":"keepalive"}\r\n\r\n' + encode_events(events) + encode_event({"type": "late \u00e9"})
    whole = judged(raw)
    check = StreamCheck()
    places = sorted({cut % len(raw) for cut in cuts})
    pieces = [raw[start:end] for start, end in itertools.pairwise([0, *places, len(raw)])]
    assert [violation for piece in pieces for violation in check.feed(piece)] + check.finish(broken=False) == whole
