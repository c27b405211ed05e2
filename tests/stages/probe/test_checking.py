"""A probe that checks: what it says, and what it lets through."""

from __future__ import annotations

import asyncio
import itertools
import json
from typing import Any

import pytest
from codex_shim.stages.contract.sse import encode_events
from codex_shim.stages.kit.conformance import samples
from codex_shim.stages.kit.conformance.hop import Received
from codex_shim.stages.kit.exchange import Exchange
from codex_shim.stages.probe.frames import Frames
from hypothesis import given
from hypothesis import strategies as st
from probed import Probed, probed

BODY = samples.request("m", field_of_next_year=1)
WHOLE: list[Any] = samples.full_answer("m")
SHORT = [event for event in WHOLE if event["type"] != "response.completed"]


def streamed(events: list[dict[str, Any]], kind: str = "text/event-stream") -> Any:
    async def part(exchange: Exchange, received: Received) -> None:
        await exchange.start(200, {"content-type": kind})
        for event in events:
            await exchange.write(encode_events([event]))
        await exchange.end()

    return part


def crossed(it: Probed) -> dict[str, Any]:
    (told,) = [each for each in it.log.events if each["event"] == "crossed"]
    return told


async def asked(it: Probed, body: bytes = BODY) -> tuple[int, bytes]:
    async with it.ask(body) as reply:
        answer = reply.status, await reply.read()
    while not any(each["event"] == "crossed" for each in it.log.events):
        await asyncio.sleep(0)
    return answer


def test_logged_everything_passes_as_it_is_and_is_told_of() -> None:
    async def play() -> None:
        async with probed("log") as it, it.watch() as records:
            it.hop.part = streamed(SHORT)
            assert await asked(it) == (200, encode_events(SHORT))
            assert it.hop.received[0].body == BODY
            told = crossed(it)
            assert told["answer"] == [["terminal", "the end of the stream", told["answer"][0][2]]]
            assert (told["request"], told["outcome"], told["hop"], told["request_id"]) == ([], "ok", "a>b", "req-1")
            assert list(told["digest"]["fields"]) == ["field_of_next_year"]
            assert told["stream"]["events"] == len(SHORT)
            (violation,) = [each for each in await records.until("end") if each["type"] == "violation"]
            assert violation["rule"] == "terminal"

    asyncio.run(play())


def test_what_is_right_is_told_as_right_and_says_nothing_of_its_words() -> None:
    async def play() -> None:
        async with probed("log") as it:
            it.hop.part = streamed(WHOLE)
            await asked(it)
            told = crossed(it)
            assert (told["request"], told["answer"]) == ([], [])
            assert "call_1" not in json.dumps(told)
            assert "Say hello" not in json.dumps(told)

    asyncio.run(play())


def test_enforced_a_wrong_request_does_not_go_on() -> None:
    async def play() -> None:
        async with probed("enforce") as it:
            status, answer = await asked(it, b'{"model":"m","input":7}')
            assert (status, it.hop.received) == (400, [])
            error = json.loads(answer)["error"]
            assert "the contract is broken at a → b: `input` is neither" in error["message"]
            assert "(rule input, field input)" in error["message"]
            assert error["param"] == "input"

    asyncio.run(play())


def test_enforced_a_stream_ends_before_what_is_wrong() -> None:
    wrong = [event | ({"sequence_number": 0} if event["type"] == "response.output_text.done" else {}) for event in WHOLE]
    place = next(number for number, event in enumerate(wrong) if event["type"] == "response.output_text.done")

    async def play() -> None:
        async with probed("enforce") as it:
            it.hop.part = streamed(wrong)
            _, answer = await asked(it)
            assert answer.startswith(encode_events(wrong[:place]))
            (last,) = samples_of(answer[len(encode_events(wrong[:place])) :])
            assert (last["type"], last["response"]["id"]) == ("response.failed", wrong[0]["response"]["id"])
            assert "rule sequence-number, field response.output_text.done sequence_number" in last["response"]["error"]["message"]

    asyncio.run(play())


@pytest.mark.parametrize(
    ("part", "rule"),
    [
        (streamed(WHOLE, "text/plain"), "content-type"),
        (lambda exchange, received: exchange.reply(b"<html>", 502, {"content-type": "text/html"}), "content-type"),
        (lambda exchange, received: exchange.reply({"oops": 1}, 404), "error-shape"),
    ],
)
def test_enforced_an_answer_that_is_none_becomes_an_error(part: Any, rule: str) -> None:
    async def play() -> None:
        async with probed("enforce") as it:
            it.hop.part = part
            status, answer = await asked(it)
            assert status == 502
            assert f"(rule {rule}, field" in json.loads(answer)["error"]["message"]

    asyncio.run(play())


def test_enforced_what_is_right_passes_as_it_is() -> None:
    failure = {"error": {"message": "no", "code": "x", "type": "y", "param": None}}

    async def play() -> None:
        async with probed("enforce") as it:
            it.hop.part = streamed(WHOLE)
            assert await asked(it) == (200, encode_events(WHOLE))
            it.hop.part = lambda exchange, received: exchange.reply(failure, 429, {"retry-after": "7"})
            assert await asked(it) == (429, json.dumps(failure, separators=(",", ":")).encode())

    asyncio.run(play())


def samples_of(raw: bytes) -> list[dict[str, Any]]:
    return [json.loads(line[6:]) for line in raw.splitlines() if line.startswith(b"data: ")]


@given(st.lists(st.integers(min_value=0), max_size=12), st.sampled_from([b"\n", b"\r\n", b"\r"]))
def test_frames_are_whole_and_every_byte_is_in_one(cuts: list[int], newline: bytes) -> None:
    wanted = [newline.join([b"event: x", b"data: \xc3\xa9", b"", b""]), newline.join([b": comment", b"", b""])] * 2
    raw = b"".join(wanted) + b"data: half"
    places = sorted({cut % len(raw) for cut in cuts})
    frames = Frames()
    got = [frame for start, end in itertools.pairwise([0, *places, len(raw)]) for frame in frames.feed(raw[start:end])]
    assert b"".join([*got, frames.rest()]) == raw
    assert len(got) >= len(wanted)
    assert all(frame.endswith((b"\n\n", b"\r\r", b"\r\n\r", b"\r\n\r\n")) for frame in got)
