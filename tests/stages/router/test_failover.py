"""Faults of every class in every order, through a real router in process, with egresses that are played byte by byte."""

from __future__ import annotations

import asyncio
import functools
import itertools
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from codex_shim.stages.contract.errors import HopError
from codex_shim.stages.kit.client import HopClient
from codex_shim.stages.kit.exchange import Exchange
from codex_shim.stages.kit.stage import Context
from codex_shim.stages.router import failover
from codex_shim.stages.router.config import BreakerOptions, Config, Route, Virtual
from codex_shim.stages.router.stage import Router
from raw_upstream import SSE, RawUpstream, plain, serving, upstream

MEMBERS = ("one", "two", "three")


def in_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    @functools.wraps(test)
    def run(*args: Any, **named: Any) -> None:
        asyncio.run(test(*args, **named))

    return run


def frame(type: str, **fields: Any) -> bytes:
    return f"event: {type}\ndata: {json.dumps({'type': type, **fields})}\n\n".encode()


def refusal(status: str, code: str, message: str, *headers: str) -> bytes:
    return plain(status, "application/json", json.dumps({"error": {"message": message, "code": code}}).encode(), *headers)


def failed(code: str, message: str) -> bytes:
    return SSE + CREATED + frame("response.failed", response={"status": "failed", "error": {"code": code, "message": message}})


CREATED = frame("response.created", response={"id": "r"}) + frame("response.in_progress", response={"id": "r"})
DELTA = frame("response.output_text.delta", delta="hi")
COMPLETED = frame("response.completed", response={"id": "r", "status": "completed"})
WELL = SSE + CREATED + DELTA + COMPLETED

# What an egress says or does, the status that is told of it alone, and its words.
FAULTS: dict[str, tuple[bytes, int, str]] = {
    "limited": (refusal("429 Too Many Requests", "rate_limit_exceeded", "slow down", "Retry-After: 7"), 429, "slow down"),
    "broke": (refusal("402 Payment Required", "insufficient_quota", "pay first"), 402, "pay first"),
    "bad key": (refusal("401 Unauthorized", "invalid_api_key", "who are you"), 401, "who are you"),
    "forbidden": (refusal("403 Forbidden", "nope", "not for you"), 403, "not for you"),
    "faulty": (refusal("500 Internal Server Error", "server_error", "oh dear"), 500, "oh dear"),
    "busy": (refusal("503 Service Unavailable", "server_error", "come back"), 503, "come back"),
    "late": (refusal("504 Gateway Timeout", "server_error", "too slow"), 504, "too slow"),
    "overloaded within": (failed("server_error", "overloaded"), 502, "overloaded"),
    "cut": (SSE + CREATED, 502, "before it had said anything"),
    "away": (b"", 502, "closed the connection"),
}


@asynccontextmanager
async def router(*answers: bytes, **options: Any) -> AsyncIterator[tuple[str, list[RawUpstream]]]:
    """The base URL of a router whose members, one for each of `answers`, answer so and then no more. `routes` are facts by slug."""
    facts: Mapping[str, dict[str, Any]] = options.pop("routes", {})
    names = MEMBERS[: len(answers)]
    async with AsyncExitStack() as stack:
        played = [await stack.enter_async_context(upstream(*([each] if each else [b"", b""]))) for each in answers]
        routes = {
            name: Route(egress=f"egress-{name}", url=raw.url.removesuffix("/v1"), model=name, **facts.get(name, {}))
            for name, raw in zip(names, played, strict=True)
        }
        config = Config(routes=routes, **{"virtual": {"best": Virtual(members=[*names])}, **options})
        yield await stack.enter_async_context(serving(Router, config)), played


async def ask(url: str, model: str = "best", headers: dict[str, str] | None = None, **fields: Any) -> tuple[int, Any, bytes]:
    """Status, headers and body; the body ends with `BROKEN` where the answer broke off."""
    body = json.dumps({"model": model, "stream": True, **fields}).encode()
    client = HopClient()
    try:
        async with client.open("POST", f"{url}/responses", {"content-type": "application/json", **(headers or {})}, body) as reply:
            said = b""
            try:
                async for chunk in reply.chunks():
                    said += chunk
            except HopError:
                said += b"BROKEN"
            return reply.status, reply.headers, said
    finally:
        await client.close()


def error_of(body: bytes) -> dict[str, Any]:
    return json.loads(body)["error"]


def asked_for(raw: RawUpstream) -> list[str]:
    """The models that it was asked for."""
    return [json.loads(request.partition(b"\r\n\r\n")[2])["model"] for request in raw.requests]


class Forgetful(Router):
    """Each request meets members of whom nothing is known."""

    async def responses(self, exchange: Exchange) -> None:
        self._failover._members.clear()
        await super().responses(exchange)

    compact = responses


@asynccontextmanager
async def three() -> AsyncIterator[Callable[..., Coroutine[Any, Any, tuple[int, Any, bytes, list[list[str]]]]]]:
    """Asks the same router again and again, with other faults: `None` is an egress that answers well."""
    async with AsyncExitStack() as stack:
        played = [await stack.enter_async_context(upstream()) for _ in MEMBERS]
        routes = {
            name: Route(egress=f"egress-{name}", url=raw.url.removesuffix("/v1"), model=name)
            for name, raw in zip(MEMBERS, played, strict=True)
        }
        config = Config(routes=routes, virtual={"best": Virtual(members=[*MEMBERS])})
        url = await stack.enter_async_context(serving(Forgetful, config))

        async def meet(*faults: str | None) -> tuple[int, Any, bytes, list[list[str]]]:
            for raw, fault in zip(played, faults, strict=True):
                answer = FAULTS[fault][0] if fault else WELL
                raw._answers[:] = [answer] if answer else [b"", b""]
                raw.requests.clear()
            return *(await ask(url)), [asked_for(raw) for raw in played]

        yield meet


@in_loop
async def test_every_fault_in_every_order_leads_to_who_can_answer() -> None:
    async with three() as meet:
        for order in [*((*pair, None) for pair in itertools.product(FAULTS, repeat=2)), *((each, None, None) for each in FAULTS)]:
            status, _, body, asked = await meet(*order)
            assert (status, body) == (200, CREATED + DELTA + COMPLETED), order
            # A connection that dies without a word is one that the chain itself tries once more.
            times = [2 if fault == "away" else 1 for fault in order]
            place = order.index(None)
            expected = [[name] * count for name, count in zip(MEMBERS, times, strict=True)]
            assert asked == [*expected[: place + 1], *([[]] * (2 - place))], order


@in_loop
async def test_the_words_of_the_last_are_never_lost_and_all_are_named() -> None:
    passing = {name for name, (_, status, _) in FAULTS.items() if status >= 500}
    async with three() as meet:
        for first, last in itertools.product(FAULTS, repeat=2):
            tried = (first, "forbidden", last)
            status, headers, body, _ = await meet(*tried)
            before, _, words = error_of(body)["message"].partition("; `three` says: ")
            assert before.startswith("nobody could answer for `best`: `one` ")
            assert "; `two` refuses the key (HTTP 403)" in before
            assert FAULTS[last][2] in words, tried
            assert headers.get("retry-after") == ("7" if "limited" in tried else None)
            if "limited" in tried:
                assert status == 429
            elif {first, last} & passing:
                assert status == next(FAULTS[each][1] for each in ([last] if last in passing else [first]))
            else:
                assert status == FAULTS[last][1]


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        (refusal("400 Bad Request", "invalid_prompt", "what is this"), 400, "invalid_prompt"),
        (refusal("422 Unprocessable Entity", "odd", "what is this"), 422, "odd"),
        (refusal("403 Forbidden", "content_policy_violation", "what is this"), 403, "content_policy_violation"),
        (failed("invalid_prompt", "what is this"), 400, "invalid_prompt"),
    ],
)
@in_loop
async def test_what_all_would_refuse_is_asked_of_one(answer: bytes, status: int, code: str) -> None:
    async with router(answer, WELL) as (url, played):
        got, _, body = await ask(url)
        assert (got, error_of(body)["code"], error_of(body)["message"]) == (status, code, "what is this")
        assert played[1].requests == []


@in_loop
async def test_nobody_else_is_asked_once_a_word_has_gone_out() -> None:
    half = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 9999\r\n\r\n" + CREATED + DELTA
    async with router(half, WELL) as (url, played):
        status, _, body = await ask(url)
        assert (status, body) == (200, CREATED + DELTA + b"BROKEN")
        assert [len(raw.requests) for raw in played] == [1, 0]
    late = SSE + CREATED + DELTA + frame("response.failed", response={"error": {"code": "server_error", "message": "m"}})
    async with router(late, WELL) as (url, played):
        assert (await ask(url))[2] == late.removeprefix(SSE)
        assert played[1].requests == []


@in_loop
async def test_a_model_that_thinks_long_is_taken_at_its_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("codex_shim.stages.router.held.hold.__defaults__", (0.01,))
    thinking = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 9999\r\n\r\n" + CREATED
    async with AsyncExitStack() as stack:
        raw = await stack.enter_async_context(upstream(thinking, silent=True))
        routes = {name: Route(egress=name, url=raw.url.removesuffix("/v1"), model=name) for name in MEMBERS}
        config = Config(routes=routes, virtual={"best": Virtual(members=[*MEMBERS])})
        url = await stack.enter_async_context(serving(Router, config))
        client = HopClient()
        stack.push_async_callback(client.close)
        body = json.dumps({"model": "best", "stream": True}).encode()
        async with client.open("POST", f"{url}/responses", {}, body) as reply:
            assert await anext(reply.chunks()) == CREATED
        await raw.left.wait()  # and who leaves then has left upstream too
        assert len(raw.requests) == 1


@in_loop
async def test_one_that_cannot_be_reached_or_does_not_begin_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failover, "_PATIENCE_SECONDS", 0.01)
    async with router(b"", WELL, answer_seconds=60) as (url, played):
        assert (await ask(url))[0] == 200
        assert len(played[1].requests) == 1
    async with upstream(b"", b"", silent=True) as silent, router(WELL) as (_, played):
        well = Route(egress="well", url=played[0].url.removesuffix("/v1"), model="m")
        routes = {
            "nowhere": Route(egress="nowhere", url="http://127.0.0.1:1", model="m"),
            "mute": Route(egress="mute", url=silent.url.removesuffix("/v1"), model="m"),
            "well": well,
        }
        config = Config(routes=routes, answer_seconds=0.05, fallbacks={"nowhere": ["mute", "well"]})
        async with serving(Router, config) as url:
            assert (await ask(url, "nowhere"))[0] == 200
            played[0]._answers += [FAULTS["bad key"][0]]
            status, _, body = await ask(url, "nowhere")
        assert status == 502
        assert "`nowhere` cannot be reached" in error_of(body)["message"]
        assert "`mute` did not answer in time" in error_of(body)["message"]


@in_loop
async def test_a_session_stays_where_it_is_and_the_state_of_a_turn_goes_to_nobody_else() -> None:
    state = SSE.removesuffix(b"\r\n") + b"X-Codex-Turn-State: sticky\r\n\r\n" + DELTA + COMPLETED
    limited = FAULTS["limited"][0]
    async with router(limited, state) as (url, played):
        _, headers, _ = await ask(url, headers={"session-id": "s"})
        assert headers["x-codex-turn-state"] == "two:sticky"
        played[0]._answers.append(WELL)
        played[1]._answers += [state, limited, WELL]
        session = {"session-id": "s", "x-codex-turn-state": "two:sticky"}
        await ask(url, headers=session)
        assert b"x-codex-turn-state: sticky" in played[1].requests[1]
        assert len(played[0].requests) == 1
        await ask(url, headers={**session, "x-codex-turn-state": "one:theirs"})
        assert b"turn-state" not in played[1].requests[2]


@in_loop
async def test_who_has_asked_for_a_pause_gets_it_and_is_told_of_by_its_last_words() -> None:
    async with router(FAULTS["limited"][0], WELL) as (url, played):
        played[1]._answers += [FAULTS["faulty"][0]]
        assert (await ask(url))[0] == 200
        status, headers, body = await ask(url)
        assert [len(raw.requests) for raw in played] == [1, 2]
        assert status == 429
        assert 1 <= int(headers["retry-after"]) <= 7
        assert error_of(body)["message"] == (
            "nobody could answer for `best`: `one`, is not asked for the moment, is rate limited (HTTP 429); `two` says: oh dear"
        )


@in_loop
async def test_a_breaker_that_opened_by_itself_is_no_reason_to_give_up() -> None:
    async with router(FAULTS["faulty"][0], breaker=BreakerOptions(failures=1)) as (url, played):
        assert (await ask(url))[0] == 500
        played[0]._answers.append(WELL)
        assert (await ask(url))[0] == 200


@pytest.mark.parametrize(("wait_seconds", "status", "slept"), [(0, 429, []), (6, 429, []), (7, 200, [7.0])])
@in_loop
async def test_a_pause_is_waited_out_within_the_bound(wait_seconds: float, status: int, slept: list[float]) -> None:
    pauses: list[float] = []

    class Patient(Router):
        def __init__(self, context: Context[Config]) -> None:
            super().__init__(context)
            self._failover._clock = lambda: 100.0 + sum(pauses)
            self._failover._sleep = pause

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        await asyncio.sleep(0)

    async with upstream(FAULTS["limited"][0], WELL) as raw:
        config = Config(routes={"one": Route(egress="e", url=raw.url.removesuffix("/v1"), model="one")}, wait_seconds=wait_seconds)
        async with serving(Patient, config) as url:
            assert (await ask(url, "one"))[0] == status
    assert pauses == slept


@in_loop
async def test_capabilities_lead_to_who_has_them_or_to_a_sentence_before_any_cost() -> None:
    routes = {"one": {"images": False, "context": 100_000}, "two": {"context": 1_000, "tools": False}, "three": {}}
    image = [{"role": "user", "content": [{"type": "input_image", "image_url": "data:image/png;base64," + "A" * 9000}]}]
    tools = [{"type": "function", "name": "f"}]
    asks: list[tuple[dict[str, Any], list[int]]] = [
        ({"input": "hi"}, [1, 0, 0]),
        ({"input": image}, [0, 1, 0]),
        ({"input": image, "tools": tools}, [0, 0, 1]),
        ({"input": "word " * 100_000}, [0, 0, 1]),
    ]
    for fields, counts in asks:
        async with router(WELL, WELL, WELL, routes=routes) as (url, played):
            assert (await ask(url, **fields))[0] == 200
            assert [len(raw.requests) for raw in played] == counts
    async with router(WELL, WELL, routes=routes) as (url, played):
        status, _, body = await ask(url, input=image, tools=tools)
        assert (status, error_of(body)["code"]) == (400, "invalid_prompt")
        assert "`one` takes no images, `two` takes no tools" in error_of(body)["message"]
        status, _, body = await ask(url, input="word " * 180_000)
        assert (status, error_of(body)["code"]) == (400, "context_length_exceeded")
        assert (await ask(url, "two", tools=tools))[0] == 400  # a plain slug, which would certainly refuse
        assert [raw.requests for raw in played] == [[], []]


@in_loop
async def test_a_conversation_that_is_too_long_goes_to_a_larger_window_only() -> None:
    too_long = refusal("400 Bad Request", "context_length_exceeded", "too long")
    routes = {"one": {"context": 200_000}, "two": {"context": 100_000}, "three": {"context": 300_000}}
    async with router(too_long, WELL, WELL, routes=routes) as (url, played):
        assert (await ask(url))[0] == 200
        assert [len(raw.requests) for raw in played] == [1, 0, 1]
    async with router(too_long, WELL, routes=routes) as (url, played):
        assert error_of((await ask(url))[2])["message"] == "too long"
        assert played[1].requests == []


@in_loop
async def test_an_answer_in_one_piece_that_failed_is_none() -> None:
    failing = plain("200 OK", "application/json", b'{"status":"failed","error":{"code":"server_error","message":"oh"}}')
    well = plain("200 OK", "application/json", b'{"status":"completed"}')
    async with router(failing, well) as (url, _):
        status, _, body = await ask(url, stream=False)
        assert (status, body) == (200, b'{"status":"completed"}')
