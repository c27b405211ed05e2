"""Who is asked first, for each way to choose."""

from __future__ import annotations

from collections import Counter

import pytest
from codex_shim.stages.router.affinity import Memory, mark, session_of, unmark
from codex_shim.stages.router.config import Config, Route, Virtual
from codex_shim.stages.router.members import Known, has_choice, leaves, ranked

PRICES = {"a": 3.0, "b": 1.0, "c": None, "d": 2.0}


def config(**virtual: Virtual) -> Config:
    routes = {slug: Route(egress=slug, url="", model=slug, price=price) for slug, price in PRICES.items()}
    return Config(routes=routes, virtual=virtual, fallbacks={"a": ["v", "b"]})


def test_a_plain_slug_has_no_choice_and_one_with_fallbacks_has() -> None:
    it = config(v=Virtual(members=["c", "b"]))
    assert [has_choice(it, slug) for slug in "abv"] == [True, False, True]
    assert ranked(it, "b", Known()) == ["b"]
    assert ranked(it, "a", Known()) == ["a", "c", "b"]
    assert ranked(it, "v", Known()) == ["c", "b"]


def test_virtual_slugs_may_stand_in_each_other_and_who_is_gone_is_left_out() -> None:
    pool = Virtual(members=["b", "a", "gone"], choose="cheapest")
    it = config(pool=pool, v=Virtual(members=["c", "pool", "a", "d"]))
    assert ranked(it, "v", Known()) == ["c", "b", "a", "d"]
    assert leaves(it, "v") == ["c", "b", "a", "d"]


@pytest.mark.parametrize(
    ("choose", "latency", "order"),
    [
        ("order", {}, ["a", "b", "c", "d"]),
        ("cheapest", {}, ["b", "d", "a", "c"]),
        ("least-latency", {"a": 0.3, "c": 0.1, "b": 0.2, "d": 9.0}, ["c", "b", "a", "d"]),
        ("least-latency", {"a": 0.3, "c": 0.1}, ["b", "d", "c", "a"]),
    ],
)
def test_the_order_follows_the_way_to_choose(choose: str, latency: dict[str, float], order: list[str]) -> None:
    it = config(v=Virtual(members=["a", "b", "c", "d"], choose=choose))  # pyright: ignore[reportArgumentType]
    assert ranked(it, "v", Known(latency=latency)) == order


def test_a_weight_says_how_often_and_a_session_has_always_the_same_lot() -> None:
    it = config(v=Virtual(members=["a", "b", "c"], choose="weighted", weights={"a": 6, "b": 3}))
    orders = {f"session {number}": ranked(it, "v", Known(lot=f"session {number}")) for number in range(2000)}
    first = Counter(order[0] for order in orders.values())
    assert {member: round(count / 200) for member, count in first.items()} == {"a": 6, "b": 3, "c": 1}
    assert all(ranked(it, "v", Known(lot=lot)) == order for lot, order in orders.items())


def test_when_a_weighted_member_goes_only_its_own_sessions_move() -> None:
    before = config(v=Virtual(members=["a", "b", "c"], choose="weighted"))
    after = config(v=Virtual(members=["a", "b"], choose="weighted"))
    for number in range(200):
        lot = f"session {number}"
        order = ranked(before, "v", Known(lot=lot))
        assert ranked(after, "v", Known(lot=lot)) == [member for member in order if member != "c"]


def test_a_session_is_named_by_codex_and_by_others() -> None:
    assert session_of({"Session-Id": "s", "thread-id": "t"}) == "s"
    assert session_of({"session_id": "u", "thread-id": "t"}) == "u"
    assert session_of({"thread-id": "t"}) == "t"
    assert session_of({"x": "y"}) == ""


def test_the_state_of_a_turn_bears_the_name_of_whoever_set_it() -> None:
    assert unmark(mark("kimi-k2", "a:b=")) == ("kimi-k2", "a:b=")
    assert unmark("plain") == ("", "plain")


def test_the_memory_is_bounded_and_forgets_what_was_not_used_for_longest() -> None:
    memory = Memory(most=2)
    for session in ("1", "2", "1", "3", ""):
        memory.keep("v", session, f"of {session}")
    assert [memory.recall("v", session) for session in ("1", "2", "3", "")] == ["of 1", None, "of 3", None]
