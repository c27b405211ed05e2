"""How a stage's server lets go: whoever was let in is heard. And what it makes of noise."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
import raw_upstream
from codex_shim.stages.contract.errors import Failure
from codex_shim.stages.contract.handshake import Handshake
from codex_shim.stages.kit import server as kit_server
from codex_shim.stages.kit.exchange import Exchange
from codex_shim.stages.kit.logs import Log
from codex_shim.stages.kit.server import StageServer
from codex_shim.stages.kit.stage import Context, Stage
from waiting import PATIENCE

HEALTH = b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
Client = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def serving() -> AsyncIterator[tuple[StageServer, socket.socket]]:
    """A server, and the socket on which it listens until it is stopped."""
    with open(os.devnull, "wb") as nowhere, socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        context: Context[Any] = Context(
            Handshake(stage="s", host="127.0.0.1", port=port, drain_seconds=4 * PATIENCE), {}, Log("s", nowhere.fileno())
        )
        server = StageServer(Stage(context))
        await server.start(listening)
        async with asyncio.timeout(PATIENCE):
            yield server, listening
        await drained(server)
        await context.client.close()
        await asyncio.sleep(0)  # closed transports let go of their sockets in the next round


async def connected(server: StageServer, listening: socket.socket) -> Client:
    """A connection that the server knows of."""
    client = await asyncio.open_connection(*listening.getsockname())
    while server._server is None or not server._server.connections:
        await asyncio.sleep(0)
    return client


async def drained(server: StageServer) -> None:
    """The end that a stage's process gives it, with the drain time counting at once."""
    limited = asyncio.Event()
    limited.set()
    await server.refuse()
    await server.finish(limited)
    await server.stop()


async def stopping(server: StageServer, listening: socket.socket) -> asyncio.Task[None]:
    """A stop that has begun."""
    task = asyncio.create_task(drained(server))
    while listening.fileno() >= 0:
        await asyncio.sleep(0)
    return task


async def leave(client: Client) -> None:
    client[1].close()
    await client[1].wait_closed()


def test_a_client_that_was_let_in_before_a_stop_is_answered() -> None:
    async def play() -> None:
        async with serving() as (server, listening):
            early = await connected(server, listening)
            stop = await stopping(server, listening)
            early[1].write(HEALTH)
            assert (await early[0].read()).startswith(b"HTTP/1.1 200 ")
            await leave(early)
            await stop

    asyncio.run(play())


def test_a_client_that_asks_for_nothing_is_not_waited_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kit_server, "FIRST_WORDS_SECONDS", 0.05)

    async def play() -> None:
        async with serving() as (server, listening):
            silent = await connected(server, listening)
            await drained(server)
            assert await silent[0].read() == b""
            await leave(silent)

    asyncio.run(play())


def test_a_client_that_leaves_without_a_word_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kit_server, "FIRST_WORDS_SECONDS", 2 * PATIENCE)

    async def play() -> None:
        async with serving() as (server, listening):
            silent = await connected(server, listening)
            stop = await stopping(server, listening)
            await leave(silent)
            await stop

    asyncio.run(play())


@pytest.mark.parametrize(
    "noise",
    [
        b"POST /v1/responses HTTP/9.9\r\n\r\n",
        b"GET /health HTTP/1.1\r\nAuthorization : Bearer MARKED\r\n\r\n",
        b"GET /health HTTP/1.1\r\nAuthorization: Bearer\r\n MARKED\r\n\r\n",
        b"GET /health HTTP/1.1\r\nAuthorization: Bearer MARKED\n\r\n",
        b"GET /health HTTP/1.1\r\nAuthorization: " + b"MARKED" * 50_000 + b"\r\n\r\n",
        b"POST /v1/responses HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nMARKED\r\n",
    ],
)
def test_of_what_is_no_request_nothing_is_quoted_in_the_answer_or_the_log(noise: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    """A line that is broken may still hold a token."""

    async def play() -> bytes:
        async with raw_upstream.serving(Stage, {}) as url:
            address = urlsplit(url)
            reader, writer = await asyncio.open_connection(address.hostname, address.port)
            writer.write(noise)
            answer = await reader.read()
            writer.close()
            return answer

    head, _, body = asyncio.run(play()).partition(b"\r\n\r\n")
    assert head.split()[1] == b"400"
    assert "cannot read as HTTP" in json.loads(body)["error"]["message"]
    log = capfd.readouterr().err
    assert '"event":"noise"' in log
    assert "MARKED" not in body.decode() + log


class Clumsy(Stage[Any]):
    async def fail(self, exchange: Exchange, failure: Failure) -> None:
        raise RuntimeError("MARKED")


def test_a_stage_that_fails_while_it_tells_of_a_failure_is_answered_for(capfd: pytest.CaptureFixture[str]) -> None:
    async def play() -> bytes:
        async with raw_upstream.serving(Clumsy, {}) as url:
            address = urlsplit(url)
            reader, writer = await asyncio.open_connection(address.hostname, address.port)
            writer.write(b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = await reader.read()
            writer.close()
            return answer

    head, _, body = asyncio.run(play()).partition(b"\r\n\r\n")
    assert head.split()[1] == b"500"
    assert json.loads(body)["error"]["message"].startswith("tested failed on this request (RuntimeError)")
    log = capfd.readouterr().err
    assert '"event":"bug"' in log
    assert "MARKED" not in log
