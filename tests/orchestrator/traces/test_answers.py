"""What the running chain answers about its requests, and when it reads the lines."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from codex_shim.orchestrator.running.logbook import LogBook
from codex_shim.orchestrator.spec import ChainPlan, StageSpec
from codex_shim.orchestrator.traces import answers
from codex_shim.orchestrator.traces.answers import TraceAnswers
from codex_shim.orchestrator.traces.book import MOST_REQUESTS
from request_lines import exchange, line

PLAN = ChainPlan(
    chain=[StageSpec(name=name, kind="module", host="127.0.0.1", port=1) for name in ("ingress", "policy", "redact", "router")],
    egress=[StageSpec(name="kimi", kind="module", host="127.0.0.1", port=1)],
)


@pytest.fixture
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LogBook]:
    monkeypatch.setattr(answers, "SETTLE_SECONDS", 0.0)
    book = LogBook(tmp_path)
    yield book
    book.close()


@pytest.fixture
def ask(logs: LogBook) -> Callable[..., dict[str, Any]]:
    """The last answer to a command."""
    handlers = TraceAnswers(logs, lambda: PLAN, list).handlers()

    def ask(command: str, **arguments: Any) -> dict[str, Any]:
        async def play() -> list[dict[str, Any]]:
            return [message async for message in handlers[command](arguments)]

        return asyncio.run(play())[-1]

    return ask


def told(logs: LogBook, *requests: str) -> None:
    for number, request_id in enumerate(requests):
        for stage, text in exchange(request_id, 1000.0 * number):
            logs.add(stage, text)


def test_a_request_is_found_by_the_beginning_of_its_id(logs: LogBook, ask: Callable[..., dict[str, Any]]) -> None:
    told(logs, "req_ab1", "req_ab2", "req_c", "req_ab1x")
    assert ask("traces", id="req_c")["trace"]["id"] == "req_c"
    assert ask("traces", id="last")["trace"]["id"] == "req_ab1x"
    assert ask("traces", id="req_ab1")["trace"]["id"] == "req_ab1", "the whole id is no beginning of another"
    assert "is the beginning of 3 requests" in ask("traces", id="req_ab")["error"]
    assert "no request `nope`" in ask("traces", id="nope")["error"]
    assert [each["id"] for each in ask("traces", latest=2)["traces"]] == ["req_c", "req_ab1x"]


def test_before_the_first_request_there_is_a_sentence(ask: Callable[..., dict[str, Any]]) -> None:
    assert ask("traces", id="last") == {"ok": False, "error": "no request has ended since the chain was started"}
    assert ask("traces")["traces"] == []


def test_counters_count_on_whatever_the_ring_has_forgotten(logs: LogBook, ask: Callable[..., dict[str, Any]]) -> None:
    for number in range(answers.MOST_WAITING + 400):
        logs.add("ingress", line(f"req_{number}", number))
        logs.add("ingress", "something else")
    assert f'codex_shim_requests_total{{stage="ingress",outcome="ok"}} {answers.MOST_WAITING + 400}\n' in ask("metrics")["text"]
    assert len(ask("traces", latest=10_000)["traces"]) == MOST_REQUESTS


def test_who_follows_hears_of_what_was_and_of_what_ends_from_then_on(logs: LogBook) -> None:
    async def play() -> list[list[str]]:
        handlers = TraceAnswers(logs, lambda: PLAN, list).handlers()
        told(logs, "before")
        followers = [handlers["traces"]({"follow": True, "latest": 5}) for _ in range(2)]
        heard = [[(await anext(each))["trace"]["id"]] for each in followers]
        coming = [asyncio.ensure_future(anext(each)) for each in followers]
        for _ in range(5):
            await asyncio.sleep(0)  # both have come to wait
        for stage, text in exchange("after", 5000.0):
            logs.add(stage, text)
        for place, each in enumerate(coming):
            heard[place].append((await each)["trace"]["id"])
        for each in followers:
            await each.aclose()  # pyright: ignore[reportAttributeAccessIssue]  # an async generator has it
        return heard

    assert asyncio.run(play()) == [["before", "after"]] * 2
