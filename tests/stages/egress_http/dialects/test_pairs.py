from typing import Any

from codex_shim.stages.egress_http.dialects.ids import LIMIT, CallIds, hashed, plain
from codex_shim.stages.egress_http.dialects.pairs import Pairs


def call(id: str) -> dict[str, Any]:
    return {"type": "function_call", "call_id": id}


def output(id: str) -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": id}


def test_an_output_is_paired_with_the_earliest_call_that_waits():
    pairs = Pairs([call("a"), call("a"), output("a"), output("a"), output("a")])
    first, second = pairs.id(0), pairs.id(1)
    assert first == "a" != second
    assert [pairs.id(place) for place in (2, 3, 4)] == [first, second, None]
    assert pairs.answered(0)
    assert pairs.answered(1)


def test_an_output_before_its_call_answers_nothing():
    pairs = Pairs([output("a"), call("a")])
    assert pairs.id(0) is None
    assert not pairs.answered(1)


def test_ids_upstreams_may_refuse_are_replaced_the_same_way_each_time():
    items = [call("x" * (LIMIT + 1)), call("a b"), call(""), "no item", {"type": ["x"]}]
    ids = [Pairs(items).id(place) for place in range(3)]
    assert ids == [Pairs(items).id(place) for place in range(3)]
    assert all(id and plain(id) for id in ids)


def test_a_call_gets_an_id_the_conversation_does_not_have():
    ids = CallIds({"call_0"}, [{"role": "user", "content": "hi"}])
    taken = [ids.take(given) for given in ("call_0", "call_1", "call_1", None, "", 7, [])]
    assert taken[1] == "call_1"
    assert taken[5] == "7"
    assert len({*taken, "call_0"}) == 8


def test_the_same_answer_to_the_same_request_gets_the_same_ids():
    messages = [{"role": "user", "content": "hi"}]
    assert CallIds(set(), messages).take(None) == CallIds(set(), messages).take(None)
    assert CallIds(set(), messages).take(None) != CallIds(set(), [{"role": "user", "content": "ho"}]).take(None)
    assert plain(hashed("\ud83d"))
