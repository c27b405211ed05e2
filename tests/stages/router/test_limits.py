"""Limits: what counts, when there is room again, and what a refusal says. The clock is a number."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from codex_shim.stages.contract.price import Price
from codex_shim.stages.contract.spent import Item, Spent
from codex_shim.stages.ingress.codex import for_codex
from codex_shim.stages.router.config import Limit
from codex_shim.stages.router.limits import Counters
from codex_shim.stages.router.tail import MOST_BYTES, Tail, Used

PRICES = {"kimi": Price(input=1.0, output=10.0, cached=0.1)}
DAY = "2026-11-21"
NOTHING = Spent()


def counters(**limit: Any) -> Counters:
    return Counters([msgspec.convert(limit, Limit)], PRICES)


def allowed(counted: Counters, now: float, slug: str = "kimi", project: str = "", told: Spent = NOTHING, day: str = DAY) -> bool:
    return counted.failure(slug, project, now, day, told) is None


def test_requests_of_a_minute_slide_and_are_shared_by_all_that_fit() -> None:
    counted = counters(models=["k*"], requests_per_minute=2)
    for now, slug in ((0.0, "kimi"), (20.0, "k2")):
        assert allowed(counted, now, slug)
        counted.begin(slug, "", 10, now)
    why = counted.failure("k3", "", 30.0, DAY, NOTHING)
    assert why is not None
    assert (why.status, why.code, why.retry_after) == (429, "rate_limit_exceeded", 30.0)
    assert why.message == "the limit of 2 requests per minute for `k*` in pipeline.toml is reached; try again in 30s"
    assert for_codex(why).code == "rate_limit_exceeded", "Codex waits, and asks again"
    assert allowed(counted, 30.0, "deepseek"), "which is none of its models"
    assert allowed(counted, 60.0)


def test_tokens_are_estimated_first_and_known_in_the_end() -> None:
    counted = counters(tokens_per_minute=1000)
    begun = counted.begin("kimi", "", 1500, 0.0)
    assert not allowed(counted, 1.0), "what is under way counts"
    counted.end("kimi", "", begun, Used(400, 300, 100), DAY)
    assert allowed(counted, 2.0)
    counted.begin("kimi", "", 600, 10.0)
    why = counted.failure("kimi", "", 20.0, DAY, NOTHING)
    assert why is not None
    assert (why.retry_after, "1,000 tokens" in why.message) == (40.0, True)
    assert allowed(counted, 60.0), "the first of them has left the minute"


def test_a_budget_is_spent_and_begins_anew_with_the_day() -> None:
    counted = counters(models=["kimi"], dollars_per_day=1.0)
    begun = counted.begin("kimi", "", 0, 0.0)
    counted.end("kimi", "", begun, Used(500_000, 0, 49_999), DAY)
    assert allowed(counted, 1.0)
    counted.end("kimi", "", begun, Used(10, 0, 0), DAY)
    why = counted.failure("kimi", "", 1000.0, DAY, NOTHING)
    assert why is not None
    assert (why.status, why.retry_after) == (402, None)
    assert why.message.startswith(
        "the budget of $1.00 a day for `kimi` in pipeline.toml is spent ($1.00); it begins anew at midnight"
    )
    assert for_codex(why).code == "invalid_prompt", "which Codex shows and does not try again"
    assert allowed(counted, 1001.0, day="2026-11-22")


def test_a_restart_does_not_forget_and_nothing_is_counted_twice() -> None:
    counted = counters(models=["kimi"], dollars_per_day=2.0)
    before = Spent(day=DAY, items=[Item("kimi", "", 1.5), Item("other", "", 9.0)])
    assert allowed(counted, 0.0, told=before)
    counted.end("kimi", "", counted.begin("kimi", "", 0, 0.0), Used(400_000, 0, 0), DAY)
    assert allowed(counted, 1.0, told=before), "1.50 and 0.40"
    assert allowed(counted, 1.0, told=Spent(day=DAY, items=[Item("kimi", "", 1.9)])), "which is the same 0.40"
    assert not allowed(counted, 1.0, told=Spent(day=DAY, items=[Item("kimi", "", 2.0)])), "another router has spent some too"
    assert allowed(counted, 1.0, told=Spent(day="2026-11-20", items=[Item("kimi", "", 5.0)])), "yesterday's file"


def test_a_limit_of_a_project_leaves_the_others_alone() -> None:
    counted = counters(project=["/home/me/toys/*"], requests_per_minute=1)
    counted.begin("kimi", "/home/me/toys/one", 0, 0.0)
    assert not allowed(counted, 1.0, project="/home/me/toys/two")
    assert allowed(counted, 1.0, project="/home/me/work")
    assert allowed(counted, 1.0)


EVENT = '{"type":"response.completed","response":{"tools":[{"usage":{"type":"object"}}],"usage":%s,"user":null}}'
USAGE = '{"input_tokens":12,"input_tokens_details":{"cached_tokens":5},"output_tokens":7,"total_tokens":19}'


@pytest.mark.parametrize("cut", [1, 7, 1000])
def test_the_usage_of_an_answer_is_found_in_whatever_pieces_it_comes(cut: int) -> None:
    text = f'data: {{"type":"response.output_text.delta","delta":"\\"usage\\":{{}}"}}\n\ndata: {EVENT % USAGE}\n\n'.encode()
    tail = Tail()
    for start in range(0, len(text), cut):
        tail.feed(text[start : start + cut])
    assert tail.used() == Used(12, 5, 7)


def test_an_answer_without_usage_has_none_and_a_long_one_is_not_kept() -> None:
    tail = Tail()
    tail.feed((EVENT % "null").encode())
    assert tail.used() is None
    for _ in range(40):
        tail.feed(b"x" * 65536)
    assert sum(map(len, tail._pieces)) < MOST_BYTES + 65536
    tail.feed((EVENT % USAGE).encode())
    assert tail.used() == Used(12, 5, 7)
