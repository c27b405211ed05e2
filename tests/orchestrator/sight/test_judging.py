"""Who is to blame: what both sides of a stage say, put together."""

from __future__ import annotations

from typing import Any

import pytest
from codex_shim.orchestrator.sight.across import Crossed, Stream, judge
from codex_shim.orchestrator.sight.judging import SETTLE_SECONDS, Finding, Judging
from codex_shim.stages.contract.check.digest import Hasher, RequestDigest, digest
from codex_shim.stages.contract.check.violation import Violation

NOW = 1000.0
ITEM = Violation("item-added", "response.output_item.done item 2", "`response.output_item.done` for item 2 without `added`")
ENDS = Stream(events=9, terminal="response.completed", ids=["r", "m"])


def crossed(hop: str, **known: Any) -> Crossed:
    return Crossed(**{"hop": hop, "began": NOW, "ended": NOW + 2, "stream": ENDS, **known})


def digested(**fields: Any) -> RequestDigest:
    import json

    return digest(fields, json.dumps(fields).encode(), Hasher("run"))


def rules(front: dict[str, Any], behind: dict[str, Any]) -> list[str]:
    return [violation.rule for violation in judge(crossed("a>b", **front), crossed("b>c", **behind))]


def test_a_stage_that_passes_everything_on_is_not_blamed() -> None:
    same = digested(model="m", zz=1, input=[{"type": "dream", "id": "d"}])
    assert rules({"digest": same}, {"digest": same}) == []


def test_a_stage_may_add_and_take_out_what_it_exists_to_change() -> None:
    call = {"type": "function_call", "call_id": "c1", "name": "x", "arguments": "{}"}
    said = {"type": "message", "role": "user", "content": "x"}
    sent = digested(model="m", reasoning={"effort": "high"}, input=[call, said])
    more = digested(input=[{"role": "user", "type": "message", "content": "first"}, call, said], more=1, model="m2")
    less = digested(model="m", input=[said])
    assert rules({"digest": sent}, {"digest": more}) == []
    assert rules({"digest": sent}, {"digest": less}) == []


@pytest.mark.parametrize(
    ("front", "behind", "rule"),
    [
        ({"digest": digested(zz=1)}, {"digest": digested()}, "unknown-fields"),
        ({"digest": digested(zz=1)}, {"digest": digested(zz=2)}, "unknown-fields"),
        ({"digest": digested(input=[{"type": "dream", "a": 1}])}, {"digest": digested(input=[])}, "unknown-items"),
        ({"digest": digested(text={"a": 1, "b": 2})}, {"digest": digested(text={"b": 2, "a": 1})}, "key-order"),
        ({"digest": digested(input=[{"id": "x"}])}, {"digest": digested(input=[{"id": "y"}])}, "ids"),
        ({"digest": digested(text="h\u00e9")}, {"digest": digested(text="h\ufffd")}, "utf-8"),
        ({"stream": Stream(events=9, terminal="response.completed", ids=["r2"])}, {}, "ids"),
        ({"stream": Stream(events=8, ids=["r", "m"])}, {}, "terminal"),
        ({"stream": Stream(events=3, ids=["r"])}, {}, "closed-early"),
        ({"stream": Stream(events=3)}, {"outcome": "cancelled", "stream": Stream(events=4)}, "closed-early"),
        ({"stream": Stream(events=9, terminal="response.completed", ids=["r", "m"], replaced=1)}, {}, "utf-8"),
        ({}, {"stream": Stream(events=9, terminal="response.completed", ids=["r", "m"], unknown={"dream": 1})}, "unknown-events"),
        ({"first": NOW + 2}, {"first": NOW, "last": NOW + 1, "chunks": 5}, "buffered"),
        ({"outcome": "cancelled"}, {"ended": NOW + 9}, "cancellation"),
    ],
)
def test_each_rule_can_be_broken(front: dict[str, Any], behind: dict[str, Any], rule: str) -> None:
    assert rules(front, behind) == [rule]


def test_a_quick_answer_and_one_that_was_left_say_nothing_of_holding_back() -> None:
    assert rules({"first": NOW + 2}, {"first": NOW, "last": NOW + 0.1, "chunks": 5}) == []
    assert rules({"first": NOW + 0.1}, {"first": NOW, "last": NOW + 9, "chunks": 5}) == []
    left = {"outcome": "cancelled", "stream": Stream(events=2)}
    assert rules(left, {"outcome": "cancelled", "stream": Stream(events=5, unknown={"dream": 2})}) == []


def record(event: str, hop: str, id: str = "req", **fields: Any) -> dict[str, Any]:
    stream = {"events": 9, "terminal": "response.completed", "ids": ["r"]}
    known = {"outcome": "ok", "stream": stream, "began": NOW, "ended": NOW + 2} if event == "crossed" else {"began": NOW}
    return {"event": event, "stage": "probe", "ts": NOW, "hop": hop, "request_id": id, **known, **fields}


def told(*records: dict[str, Any], now: float = NOW + 10) -> list[Finding]:
    judging = Judging()
    for each in records:
        judging.feed(each, now)
    assert judging.due(now) == []  # others may still be on their way
    return judging.due(now + SETTLE_SECONDS)


def whole(hop: str, **fields: Any) -> list[dict[str, Any]]:
    return [record("crossing", hop), record("crossed", hop, **fields)]


def test_a_fault_is_told_once_and_of_the_stage_that_made_it() -> None:
    """It came out of `redact`, and so on through `policy` and ingress."""
    wrong = {"answer": [[*ITEM]]}
    found = told(*whole("redact>router"), *whole("ingress>policy", **wrong), *whole("policy>redact", **wrong))
    assert [(each.stage, each.hop, each.rule) for each in found] == [("redact", "policy>redact", "item-added")]
    assert found[0].sentence == "policy → redact: `response.output_item.done` for item 2 without `added`"
    assert (found[0].field, found[0].request_id) == ("response.output_item.done item 2", "req")


def test_a_wrong_request_is_told_of_the_stage_that_sent_it_first() -> None:
    wrong = {"request": [["model", "model", "`model` is missing"]]}
    found = told(*whole("ingress>policy"), *whole("policy>redact", **wrong), *whole("redact>router", **wrong))
    assert [(each.stage, each.hop) for each in found] == [("policy", "policy>redact")]


def test_a_stage_that_answers_by_itself_is_judged_by_its_answer_alone() -> None:
    assert told(*whole("ingress>policy")) == []
    assert [each.stage for each in told(*whole("ingress>policy", answer=[[*ITEM]]))] == ["policy"]


def test_what_follows_from_another_fault_is_not_told_beside_it() -> None:
    short = {"events": 3, "terminal": "", "ids": ["r"]}
    ended = [["terminal", "the end of the stream", "the stream ended"]]
    found = told(*whole("a>b", stream=short, answer=ended), *whole("b>c"))
    assert [each.rule for each in found] == ["closed-early"]


def test_a_stage_that_does_not_listen_is_told_of_while_it_still_goes_on() -> None:
    judging = Judging()
    for each in (record("crossing", "a>b"), record("crossing", "b>c"), record("crossed", "a>b", outcome="cancelled", stream=None)):
        judging.feed(each, NOW + 2)
    assert judging.due(NOW + 2.5) == []
    assert [(each.stage, each.rule) for each in judging.due(NOW + 4)] == [("b", "cancellation")]
    assert judging.due(NOW + 5) == []
    judging.feed(record("crossed", "b>c", ended=NOW + 9, stream=None), NOW + 9)
    assert judging.due(NOW + 10) == []
    assert judging.idle
