"""Records of a probe become crossings, of which only so much is kept, and only what somebody wants is shown."""

from __future__ import annotations

from typing import Any

import pytest
from codex_shim.orchestrator.sight.crossing import Crossing, Gatherer
from codex_shim.orchestrator.sight.passing import Passing
from codex_shim.orchestrator.sight.selection import Selection, Wanted, statuses

HOP = "ingress>policy"
STREAM = {"content-type": "text/event-stream"}


def record(type: str, id: str = "one", hop: str = HOP, **fields: Any) -> dict[str, Any]:
    return {"type": type, "hop": hop, "id": id, "ts": 100.0, **fields}


def whole(id: str = "one", hop: str = HOP, status: int = 200, **asked: Any) -> list[dict[str, Any]]:
    end = record("end", id, hop, outcome="ok", ms=12.0, first_ms=3.0, bytes_in=10, bytes_out=20, chunks=2)
    return [
        record(
            "request", id, hop, **{"method": "POST", "path": "/v1/responses", "headers": {}, "model": "m", "session": "s"} | asked
        ),
        record("response", id, hop, status=status, headers=STREAM),
        end,
    ]


def gathered(records: list[dict[str, Any]], gatherer: Gatherer | None = None) -> list[Crossing]:
    gatherer = gatherer or Gatherer()
    return [crossing for each in records if (crossing := gatherer.feed(each)) is not None]


def shown(selection: Selection, records: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(each["type"], each.get("id", "")) for record in records for each in selection.feed(record)]


# -- gathering ----------------------------------------------------------------------------------------------------------


def test_the_pieces_of_an_answer_keep_the_moments_they_came_at() -> None:
    request, response, end = whole(body='{"a":1}')
    pieces = [record("chunk", data="one ", ts=100.0042), record("chunk", data="two", ts=100.25)]
    (crossing,) = gathered([request, response, *pieces, end])
    assert crossing.answer == [(4.2, "one "), (250.0, "two")]
    assert (crossing.text, crossing.body, crossing.status, crossing.outcome, crossing.ms) == ("one two", '{"a":1}', 200, "ok", 12.0)


def test_streams_that_cross_several_hops_at_a_time_are_kept_apart() -> None:
    pairs = zip(whole("one"), whole("one", "policy>router", 500), whole("two", status=404), strict=True)
    found = gathered([each for three in pairs for each in three])
    assert [(each.id, each.hop, each.status) for each in found] == [
        ("one", HOP, 200),
        ("one", "policy>router", 500),
        ("two", HOP, 404),
    ]


def test_what_began_before_anybody_watched_is_left_out() -> None:
    assert gathered(whole()[1:]) == []


def test_what_was_dropped_marks_all_that_were_under_way_at_that_hop() -> None:
    request, *rest = whole()
    other = whole("two", "policy>router")
    found = gathered([request, other[0], {"type": "dropped", "hop": HOP, "records": 3}, *rest, *other[1:]])
    assert [(each.id, each.lost) for each in found] == [("one", True), ("two", False)]


def test_exchanges_without_an_end_and_endless_answers_fill_no_memory() -> None:
    gatherer = Gatherer(most_open=2, most_kept=10)
    begun = [whole(id)[0] for id in ("one", "two", "three")]
    chunks = [record("chunk", id, data="12345678") for id in ("two", "three")]
    ends = [whole(id)[-1] for id in ("one", "two", "three")]
    found = gathered([*begun, *chunks, *ends], gatherer)
    assert [(each.id, each.text, each.lost) for each in found] == [("two", "12345678", False), ("three", "", True)]
    again = gathered([whole("four")[0], record("chunk", "four", data="12345678"), whole("four")[-1]], gatherer)
    assert [each.text for each in again] == ["12345678"], "what has ended makes room"


# -- choosing -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        (Wanted(), ["a1", "b2", "c3"]),
        (Wanted(slug="gpt-*"), ["a1", "b2"]),
        (Wanted(session="0199"), ["b2", "c3"]),
        (Wanted(id="c"), ["c3"]),
        (Wanted(session="-x"), ["b2"]),
        (Wanted(statuses=("4xx", "503")), ["b2", "c3"]),
        (Wanted(slug="gpt-*", statuses=("4xx",)), ["b2"]),
    ],
)
def test_only_what_is_wanted_is_shown(wanted: Wanted, ids: list[str]) -> None:
    records = [
        *whole("a1", model="gpt-5", session="0200"),
        *whole("b2", model="gpt-6", session="0199-x", status=404),
        *whole("c3", model="other", session="0199-y", status=503),
    ]
    found = shown(Selection(wanted), records)
    assert found == [(type, id) for id in ids for type in ("request", "response", "end")]


def test_a_request_that_was_never_answered_has_no_status_to_be_chosen_by() -> None:
    request, _, end = whole()
    assert shown(Selection(Wanted(statuses=("2xx",))), [request, end]) == []
    assert shown(Selection(Wanted()), [request, end]) == [("request", "one"), ("end", "one")]


def test_every_second_request_is_shown_at_all_of_its_hops() -> None:
    records = [each for number in range(5) for hop in (HOP, "policy>router") for each in whole(f"r{number}", hop)]
    ids = [id for type, id in shown(Selection(Wanted(), sample=2), records) if type == "request"]
    assert ids == ["r0", "r0", "r2", "r2", "r4", "r4"]


def test_the_limit_ends_it_when_the_last_of_them_has_ended() -> None:
    selection = Selection(Wanted(), limit=2)
    assert shown(selection, whole("one")) and not selection.done
    request, response, end = whole("two")
    assert shown(selection, [request, response]) and not selection.done
    assert shown(selection, whole("three")) == []
    assert shown(selection, [end]) and selection.done


def test_what_was_dropped_is_always_told() -> None:
    assert Selection(Wanted(id="none")).feed({"type": "dropped", "records": 1}) == [{"type": "dropped", "records": 1}]


def test_a_status_is_three_digits_or_a_pattern_of_them() -> None:
    assert statuses(" 4xx, 503 ") == ("4xx", "503")
    assert statuses(None) == ()
    with pytest.raises(ValueError, match="4x"):
        statuses("200,4x")


# -- events -------------------------------------------------------------------------------------------------------------


def test_an_event_is_shown_when_its_last_piece_has_passed() -> None:
    text = 'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","delta":"Grüß\\n"}\n\n'
    done = 'data: {"type":"response.output_item.done","item":{"type":"function_call","name":"ls","call_id":"c1"}}\n\ndata: [DONE]\n'
    request, response, end = whole()
    chunks = [record("chunk", data=text[:30], ts=100.01), record("chunk", data=text[30:], ts=100.02), record("chunk", data=done)]
    passing = Passing()
    found = [each for told in [request, response, *chunks, end] for each in passing.feed(told)]
    assert [(each.type, each.gist) for each in found] == [
        ("response.output_text.delta", '"Grüß\\n"'),
        ("response.output_item.done", "function_call ls c1"),
        ("(no event)", "[DONE]"),
    ]
    assert found[0].offset == 20.0


def test_an_answer_that_is_no_stream_has_no_events() -> None:
    request, response, end = whole()
    plain = {**response, "headers": {"content-type": "application/json"}}
    passing = Passing()
    assert [passing.feed(each) for each in (request, plain, record("chunk", data="{}"), end)] == [[], [], [], []]
