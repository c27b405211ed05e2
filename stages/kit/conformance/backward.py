"""Checks of what comes back: streams, endings, errors."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from ...contract.sse import encode_events
from ..exchange import Exchange
from . import judge, samples
from .bench import Bench
from .hop import Part, Received, one_by_one, stream
from .verdict import BrokenError, Check, expect, expect_none

STREAMS = 20


async def streaming(bench: Bench) -> None:
    """The next hop sends an event only after the caller has the one before."""
    seen = 0
    arrived = asyncio.Condition()

    async def gate(place: int) -> None:
        async with arrived:
            await arrived.wait_for(lambda: seen >= place)

    events = samples.answer(bench.model, ["one ", "two ", "three"])
    bench.hop.part = one_by_one(events, gate)
    async with bench.ask(bench.request()) as answer:
        for place, event in enumerate(events, 1):
            await answer.take(place, f"expected event {place}, {event['type']}, before the next one is sent; it was held back")
            async with arrived:
                seen = place
                arrived.notify_all()
        await answer.rest()


async def unknown_events(bench: Bench) -> None:
    first, *others, last = samples.answer(bench.model, ["Hello."])
    sent = [first, samples.NEW_EVENT, *others, samples.NEW_EVENT | {"sequence_number": 99}, last]
    answer = await bench.answered(_streamed(sent))
    new, got = ([event for event in events if event["type"] == samples.NEW_EVENT["type"]] for events in (sent, answer.events))
    expect_none(judge.lost_items(new, got, "unknown event"))
    expect_none(judge.key_order(new, got, "the events"))
    kinds = [event["type"] for event in answer.events]
    expect_none(judge.lost_items([event["type"] for event in sent], kinds, "event"))


async def event_lines(bench: Bench) -> None:
    answer = await bench.answered(_streamed(samples.answer(bench.model, ["Hello."])))
    wrong = [event["type"] for event, line in zip(answer.events, answer.lines, strict=True) if line != event["type"]]
    expect(not wrong, f"expected the event's type in its `event:` line as well; it differs or is missing for {', '.join(wrong)}")
    numbers = [event.get("sequence_number", -1) for event in answer.events]
    expect(numbers == sorted(set(numbers)), f"expected sequence numbers that grow; saw {numbers}")


async def terminal(bench: Bench) -> None:
    for ending in ("completed", "failed", "incomplete"):
        answer = await bench.answered(_streamed(samples.answer(bench.model, ["Hello."], ending)))
        expect_none(judge.ending(answer.events, f"response.{ending}", answer.broken))


async def shape(bench: Bench) -> None:
    answer = await bench.answered(_streamed(samples.full_answer(bench.model)))
    expect(
        not answer.violations, f"expected a stream as the contract has it; {'; '.join(each.sentence for each in answer.violations)}"
    )


async def ids(bench: Bench) -> None:
    sent = samples.full_answer(bench.model)
    answer = await bench.answered(_streamed(sent))
    expected, seen = samples.ids(sent), samples.ids(answer.events)
    expect(seen == expected, f"expected the ids of the next hop's response, items and calls; of {expected} came {seen}")


async def characters(bench: Bench) -> None:
    words = "Gr\u00fc\u00dfe \u4e16\u754c \N{PARTY POPPER} "
    pieces = samples.cut_in_characters(encode_events(samples.answer(bench.model, [words, words])))

    async def part(exchange: Exchange, received: Received) -> None:
        await exchange.start()
        for piece in pieces:
            await exchange.write(piece)
            await asyncio.sleep(0.002)  # so that the stage gets each by itself
        await exchange.end()

    answer = await bench.answered(part)
    text = "".join(event["delta"] for event in answer.events if "delta" in event)
    expect(text == words * 2, f"expected “{words * 2}”, cut in the middle of its characters on the way; saw “{text}”")


async def large_event(bench: Bench) -> None:
    answer = await bench.answered(_streamed(samples.answer(bench.model, ["y" * samples.MIB])))
    longest = max((len(event.get("delta", "")) for event in answer.events), default=0)
    expect(longest == samples.MIB, f"expected an event with 1 MiB of text; the longest had {longest} characters")


async def concurrent(bench: Bench) -> None:
    """No stream goes on before all have reached the next hop, so a stage that lines them up is found."""
    waiting, all_here = 0, asyncio.Event()

    async def part(exchange: Exchange, received: Received) -> None:
        nonlocal waiting
        waiting += 1
        if waiting == STREAMS:
            all_here.set()
        await all_here.wait()
        await exchange.start()
        for event in samples.answer(bench.model, [f"{received.json()['prompt_cache_key']} "] * 5):
            await exchange.write(encode_events([event]))
            await asyncio.sleep(0)
        await exchange.end()

    bench.hop.part = part
    keys = [f"stream-{number}" for number in range(STREAMS)]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_words(bench, key)) for key in keys]
        try:
            await bench.within(all_here.wait(), "they did not come")
        except BrokenError:
            raise BrokenError(f"expected {STREAMS} requests at the next hop at once; saw {waiting}") from None
    for key, task in zip(keys, tasks, strict=True):
        expect(task.result() == f"{key} " * 5, f"expected `{key}` five times in its own stream; saw {judge.quote(task.result())}")


async def json_answer(bench: Bench) -> None:
    response = samples.answer(bench.model, ["Hello."])[-1]["response"] | {"field_of_next_year": [1]}
    bench.hop.part = _replied(200, response)
    async with bench.ask(bench.request(stream=False)) as answer:
        body = await answer.body()
    expect("json" in answer.kind, f"expected application/json for a request without `stream`; saw {answer.kind or 'none'}")
    expect(answer.status == 200, f"expected status 200; saw {answer.status}")
    expect(json.loads(body) == response, f"expected the next hop's response unchanged; saw {judge.quote(json.loads(body))}")


async def response_headers(bench: Bench) -> None:
    async def part(exchange: Exchange, received: Received) -> None:
        await exchange.start(headers={"x-codex-turn-state": "state-1"})
        await exchange.write(encode_events(samples.answer(bench.model, ["Hello."])))
        await exchange.end()

    answer = await bench.answered(part)
    seen = answer.headers.get("x-codex-turn-state")
    expect(seen == "state-1", f"expected the response header `x-codex-turn-state: state-1`, which Codex sends back; saw {seen}")
    expect(answer.kind.startswith("text/event-stream"), f"expected text/event-stream for a stream; saw {answer.kind or 'none'}")


async def errors(bench: Bench) -> None:
    for status, code in ((400, "invalid_prompt"), (429, "rate_limit_exceeded"), (503, "server_error")):
        failure = {"message": f"the scripted {status}", "type": "scripted", "code": code, "param": None}
        bench.hop.part = _replied(status, {"error": failure}, {"retry-after": "7"})
        async with bench.ask(bench.request()) as answer:
            body = await answer.body()
        expect(answer.status == status, f"expected the next hop's status {status}; saw {answer.status}")
        expect_none(judge.error_answer(status, answer.kind, body))
        seen = json.loads(body)["error"]
        expect(seen["code"] == code, f"expected the error code {code} with status {status}; saw {seen['code']}")
        expect(failure["message"] in seen["message"], f"expected the message “{failure['message']}”; saw “{seen['message']}”")
        after = answer.headers.get("retry-after")
        expect(after == "7", f"expected `retry-after: 7` with status {status}; saw {after or 'no such header'}")


async def no_answer(bench: Bench) -> None:
    async def part(exchange: Exchange, received: Received) -> None:
        exchange.abort()

    bench.hop.part = part
    async with bench.ask(bench.request()) as answer:
        body = await answer.body()
    expect(answer.status in (502, 503, 504), f"expected status 502, 503 or 504 for a next hop that hangs up; saw {answer.status}")
    expect_none(judge.error_answer(answer.status, answer.kind, body))


async def broken_off(bench: Bench) -> None:
    async def part(exchange: Exchange, received: Received) -> None:
        await exchange.start()
        await exchange.write(encode_events(samples.answer(bench.model, ["Hello."])[:5]))
        exchange.abort()

    answer = await bench.answered(part)
    expect_none(judge.broken_off(answer.events, answer.broken))


async def _words(bench: Bench, key: str) -> str:
    async with bench.ask(bench.request(prompt_cache_key=key)) as answer:
        await answer.rest()
    return "".join(event["delta"] for event in answer.events if "delta" in event)


def _streamed(events: list[dict[str, Any]]) -> Part:
    return lambda exchange, received: stream(exchange, events)


def _replied(status: int, payload: object, headers: dict[str, str] | None = None) -> Part:
    return lambda exchange, received: exchange.reply(payload, status, headers)


CHECKS = (
    Check("streaming", "each event passes before the next one is sent", streaming),
    Check("unknown-events", "events that nobody knows pass unchanged and in their place", unknown_events),
    Check("event-lines", "events keep their `event:` lines, and their sequence numbers grow", event_lines),
    Check("terminal", "a stream ends with the next hop's terminal event, once, and nothing after it", terminal),
    Check("shape", "items, calls and reasoning are opened, filled and closed in order, and usage adds up", shape),
    Check("ids", "ids of the response, of items and of calls pass unchanged", ids),
    Check("characters", "text passes whole when the network cuts it in the middle of a character", characters),
    Check("large-event", "an event of 1 MiB passes", large_event),
    Check("concurrent", f"{STREAMS} streams at once, none of them mixed with another", concurrent),
    Check("json-answer", "a request without `stream` gets the next hop's JSON", json_answer),
    Check("response-headers", "response headers that Codex reads pass", response_headers),
    Check("errors", "an error keeps its status, its JSON and its Retry-After", errors),
    Check("no-answer", "a next hop that hangs up becomes a JSON error", no_answer),
    Check("broken-off", "a stream that breaks off is not shown as a whole one", broken_off),
)
