"""What the judges say of what came out of a stage."""

from __future__ import annotations

import json

import pytest
from codex_shim.stages.kit.conformance import judge, samples


def test_a_lost_or_changed_field_is_named() -> None:
    assert judge.lost_fields({"a": 1, "b": [1]}, {"b": [1], "a": 1, "more": 2}) is None
    assert judge.lost_fields({"a": 1, "b": 2}, {"a": 1}) == "expected the field `b` at the next hop, which got a"
    assert judge.lost_fields({"a": 1}, {"a": 2}) == "expected `a` to stay 1; the next hop got 2"


def test_items_may_get_company_but_not_change_places() -> None:
    assert judge.lost_items([1, 2, 3], [0, 1, 2, 9, 3], "item") is None
    assert judge.lost_items([1, 2], [2, 1], "item") == "expected item 2 of 2, 2, unchanged and in its place; got [2, 1]"
    assert "item 1 of 1" in (judge.lost_items([{"a": 1}], [{"a": 2}], "item") or "")


@pytest.mark.parametrize(
    ("sent", "got", "place"),
    [
        ('{"b":1,"a":2}', '{"a":2,"b":1}', "the body"),
        ('{"x":{"b":1,"a":2}}', '{"x":{"a":2,"b":1}}', "x"),
        ('{"x":[{"y":{"10":1,"9":2}}]}', '{"x":[{"y":{"9":2,"10":1}}]}', "x[0].y"),
    ],
)
def test_the_object_whose_keys_were_sorted_is_named(sent: str, got: str, place: str) -> None:
    fault = judge.key_order(json.loads(sent), json.loads(got))
    assert fault is not None
    assert fault.startswith(f"expected the keys of {place} in their order")


def test_keys_may_be_added_and_taken_away_without_changing_the_order() -> None:
    assert judge.key_order({"b": 1, "c": 2, "a": 3}, {"new": 0, "b": 1, "newer": 0, "a": 3}) is None


def events(*kinds: str) -> list[dict[str, str]]:
    return [{"type": kind} for kind in kinds]


def test_a_stream_ends_once_and_as_it_should() -> None:
    good = events("response.created", "response.completed")
    assert judge.ending(good, "response.completed", None) is None
    assert "broke off: reset" in (judge.ending(good[:1], "response.completed", "reset") or "")
    assert "saw none" in (judge.ending(good[:1], "response.completed", None) or "")
    assert "saw response.completed" in (judge.ending(good, "response.failed", None) or "")
    assert "exactly one" in (judge.ending([*good, *good], "response.completed", None) or "")
    assert "nothing after" in (judge.ending([*good, *events("response.late")], "response.completed", None) or "")


def test_a_stream_that_broke_off_is_cut_or_failed_and_nothing_else() -> None:
    assert judge.broken_off(events("response.created"), "reset") is None
    assert judge.broken_off(events("response.created", "response.failed"), None) is None
    assert "as if it were whole" in (judge.broken_off(events("response.created"), None) or "")
    assert "response.completed" in (judge.broken_off(events("response.completed"), None) or "")


def test_an_error_is_json_with_a_message_and_a_code() -> None:
    body = b'{"error":{"message":"no","type":"t","code":"c","param":null}}'
    assert judge.error_answer(400, "application/json", body) is None
    assert "content type application/json" in (judge.error_answer(400, "text/plain", body) or "")
    assert "text/html: <html>" in (judge.error_answer(502, "text/html", b"<html>") or "")
    assert judge.error_answer(400, "application/json", b'{"error":"no"}') is not None
    assert judge.error_answer(400, "application/json", b'{"error":{"message":"","code":"c"}}') is not None


def test_samples_are_what_they_say() -> None:
    body = json.loads(samples.request("m", stream=False))
    assert (body["model"], body["stream"]) == ("m", False)
    assert list(body["tools"][0]["parameters"]["properties"]) == ["zeta", "alpha", "10", "9"]
    for ending in ("completed", "failed", "incomplete"):
        assert judge.ending(samples.answer("m", ["a", "b"], ending), f"response.{ending}", None) is None
    assert samples.answer("m", ["a"]) == samples.answer("m", ["a"])
    assert len(samples.LONG_HEADER) > 32 * 1024
