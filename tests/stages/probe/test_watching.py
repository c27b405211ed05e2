"""A probe relays bytes as they are, and tells whoever watches."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import marked
import pytest
from codex_shim.stages.contract.errors import HopError
from codex_shim.stages.contract.secret import REDACTED
from codex_shim.stages.kit.conformance import samples
from codex_shim.stages.kit.conformance.hop import Received, silence
from codex_shim.stages.kit.exchange import Exchange
from probed import WATCH_TOKEN, probed

# Not as any encoder would write it.
BODY = b'{ "model":"m" ,"stream":true,\n"input":"h\\u00e9","n":1.50,"prompt_cache_key":"cache-1" }'
PIECES = [b'event: x\r\ndata: {"a" : "\xc3', b'\xa9"}\r\n\r\n', b"half a frame"]


def written(*pieces: bytes, cut: bool = False) -> Any:
    """A next hop that writes these pieces, each when the one before has been taken from it."""

    async def part(exchange: Exchange, received: Received) -> None:
        await exchange.start(200, {"content-type": "text/event-stream", "x-own": "1", "set-cookie": "c=1"})
        for piece in pieces:
            await exchange.write(piece)
            await asyncio.sleep(0.01)
        if cut:
            exchange.abort()
        else:
            await exchange.end()

    return part


@pytest.mark.parametrize("watched", [False, True])
def test_bytes_pass_untouched_whether_somebody_watches_or_not(watched: bool) -> None:
    async def play() -> None:
        async with probed() as it:
            it.hop.part = written(*PIECES)
            if watched:
                async with it.watch("?bodies=1&events=1"), it.ask(BODY) as reply:
                    assert await reply.read() == b"".join(PIECES)
            else:
                async with it.ask(BODY) as reply:
                    assert await reply.read() == b"".join(PIECES)
                    assert reply.headers["x-own"] == "1"
            assert it.hop.received[0].body == BODY

    asyncio.run(play())


def test_a_watcher_is_told_of_each_moment() -> None:
    async def play() -> None:
        async with probed() as it, it.watch("?bodies=1&events=1") as records:
            it.hop.part = written(*PIECES)
            async with it.ask(BODY, {"session-id": "s-1", "x-api-key": "never", "x-note": "n"}) as reply:
                await reply.read()
            told = await records.until("end")
            assert {(record["hop"], record["id"]) for record in told} == {("a>b", "req-1")}
            request, response, *chunks, end = told
            assert request["type"] == "request"
            assert (request["method"], request["path"], request["model"]) == ("POST", "/v1/responses", "m")
            assert (request["session"], request["body"]) == ("s-1", BODY.decode())
            assert (request["headers"]["authorization"], request["headers"]["x-api-key"]) == (REDACTED, REDACTED)
            assert request["headers"]["x-note"] == "n"
            assert (response["type"], response["status"], response["headers"]["set-cookie"]) == ("response", 200, REDACTED)
            assert {chunk["type"] for chunk in chunks} == {"chunk"}
            assert "".join(chunk["data"] for chunk in chunks) == b"".join(PIECES).decode()
            assert "\N{REPLACEMENT CHARACTER}" not in "".join(chunk["data"] for chunk in chunks)
            assert (end["outcome"], end["bytes_in"], end["bytes_out"]) == ("ok", len(BODY), len(b"".join(PIECES)))
            assert end["ms"] >= end["first_ms"] >= 0
            assert end["chunks"] >= 1

    asyncio.run(play())


def test_without_being_asked_it_tells_no_body_and_no_events() -> None:
    async def play() -> None:
        async with probed() as it, it.watch() as records:
            it.hop.part = written(*PIECES)
            async with it.ask(BODY) as reply:
                await reply.read()
            told = await records.until("end")
            assert [record["type"] for record in told] == ["request", "response", "end"]
            assert "body" not in told[0]
            assert told[0]["session"] == "cache-1"  # for want of a header

    asyncio.run(play())


def test_keys_in_bodies_and_answers_are_masked_for_the_watcher_alone() -> None:
    secret = marked.key("said")
    body = json.dumps({"model": "m", "input": f"my key is {secret}"}).encode()

    async def play() -> None:
        async with probed() as it, it.watch("?bodies=1&events=1") as records:
            it.hop.part = written(f"data: {secret}\n\n".encode())
            async with it.ask(body) as reply:
                assert secret.encode() in await reply.read()
            assert secret.encode() in it.hop.received[0].body
            told = json.dumps(await records.until("end"))
            assert not marked.shown_in(told)
            assert told.count(REDACTED) == 4  # the others are the token between the hops and the cookie

    asyncio.run(play())


def test_a_client_that_leaves_is_noticed_behind_a_watched_probe_too() -> None:
    async def play() -> None:
        async with probed() as it, it.watch() as records:
            cancelled: asyncio.Future[float] = asyncio.get_running_loop().create_future()
            it.hop.part = silence(cancelled, samples.answer("m", ["x"])[0], asyncio.Event())
            async with it.ask(BODY) as reply:
                await anext(reply.chunks())
            await cancelled
            assert (await records.until("end"))[-1]["outcome"] == "cancelled"

    asyncio.run(play())


def test_what_breaks_off_behind_it_breaks_off_in_front() -> None:
    async def play() -> None:
        async with probed() as it, it.watch() as records:
            it.hop.part = written(PIECES[0], cut=True)
            async with it.ask(BODY) as reply:
                with pytest.raises(HopError):
                    await reply.read()
            assert (await records.until("end"))[-1]["outcome"] == "server_error"

    asyncio.run(play())


def test_an_error_passes_with_its_status_and_its_words() -> None:
    async def play() -> None:
        async with probed() as it, it.watch() as records:
            it.hop.part = lambda exchange, received: exchange.reply({"error": {"message": "no"}}, 429, {"retry-after": "7"})
            async with it.ask(BODY) as reply:
                assert (reply.status, reply.headers["retry-after"]) == (429, "7")
                assert await reply.read() == b'{"error":{"message":"no"}}'
            assert (await records.until("response"))[-1]["status"] == 429

    asyncio.run(play())


@pytest.mark.parametrize("token", ["", "hop-token", "another"])
def test_only_its_own_token_lets_anybody_watch(token: str) -> None:
    async def play() -> None:
        async with probed() as it, it.watch(token=token) as records:
            assert records.reply.status == 401

    asyncio.run(play())


def test_the_watch_token_is_none_between_the_hops() -> None:
    async def play() -> None:
        async with probed() as it, it.ask(BODY, {"authorization": f"Bearer {WATCH_TOKEN}"}) as reply:
            assert reply.status == 401
            assert it.hop.received == []

    asyncio.run(play())


def test_watchers_do_not_keep_a_probe_from_ending() -> None:
    async def play() -> None:
        async with probed() as it, it.watch() as records:
            await it.drain()
            assert await records.reply.read() == b""

    asyncio.run(play())
