"""The client side of a hop against a server that a test plays byte by byte."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from codex_shim.stages.contract.errors import HopError
from codex_shim.stages.kit.client import HopClient, Reply
from ports import held_port
from waiting import PATIENCE

Script = Callable[[int, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

STREAM = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


class Server:
    """Runs `script` once per connection, which it numbers from 0."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self.connections = 0
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number, self.connections = self.connections, self.connections + 1
        try:
            await self._script(number, reader, writer)
        finally:
            writer.close()


async def request(reader: asyncio.StreamReader) -> bytes:
    """One request, head and body."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0)
    return head + await reader.readexactly(length)


@asynccontextmanager
async def playing(script: Script, **options) -> AsyncIterator[tuple[Server, HopClient]]:
    server = Server(script)
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/v1/responses"
    client = HopClient(**options)
    try:
        async with asyncio.timeout(PATIENCE):
            yield server, client
    finally:
        await client.close()
        listener.close()


async def ask(client: HopClient, server: Server, read: Callable[[Reply], Awaitable[bytes]] = Reply.read) -> bytes:
    async with client.open("POST", server.url, {"content-type": "application/json"}, b"{}", who="policy") as reply:
        return await read(reply)


async def first_chunk(reply: Reply) -> bytes:
    return await anext(aiter(reply.chunks()))


async def first_and_dismissed(reply: Reply) -> bytes:
    first = await first_chunk(reply)
    reply.dismiss()
    return first


def test_a_kept_connection_serves_again() -> None:
    async def script(number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(3):
            await request(reader)
            writer.write(OK)

    async def play() -> None:
        async with playing(script) as (server, client):
            assert [await ask(client, server) for _ in range(3)] == [b"{}"] * 3
            assert server.connections == 1

    asyncio.run(play())


def test_a_kept_connection_that_died_is_replaced_without_a_word() -> None:
    asked: list[int] = []

    async def script(number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        asked.append(number)
        writer.write(OK)
        if number == 0:
            await request(reader)  # the second request is read, and then the process dies

    async def play() -> None:
        async with playing(script) as (server, client):
            assert await ask(client, server) == b"{}"
            assert await ask(client, server) == b"{}"
            assert asked == [0, 1]

    asyncio.run(play())


@pytest.mark.parametrize(("to_provider", "connections"), [(True, 1), (False, 2)])
def test_a_fresh_connection_that_dies_is_tried_once_more_inside_the_chain_and_never_at_a_provider(
    to_provider: bool, connections: int
) -> None:
    """A provider may have acted upon the request: to send it twice could pay for it twice. A program that is being replaced resets
    those whom it has not accepted yet."""

    async def script(number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)

    async def play() -> None:
        async with playing(script, outside=to_provider) as (server, client):
            with pytest.raises(HopError, match="policy closed the connection without an answer"):
                await ask(client, server)
            assert server.connections == connections

    asyncio.run(play())


def test_a_refused_connection_is_tried_until_somebody_listens() -> None:
    async def play() -> None:
        gone = held_port()
        port = gone.getsockname()[1]
        client = HopClient(patience=PATIENCE)

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await request(reader)
            writer.write(OK)
            writer.close()

        async def asking() -> bytes:
            async with client.open("POST", f"http://127.0.0.1:{port}/", {}, b"{}") as reply:
                return await reply.read()

        task = asyncio.create_task(asking())
        await asyncio.sleep(0)
        server = await asyncio.start_server(answer, sock=gone)
        assert await task == b"{}"
        server.close()
        await client.close()

    asyncio.run(play())


def test_nobody_there_is_a_sentence_with_the_place() -> None:
    async def play() -> None:
        client = HopClient(patience=0)
        with held_port() as gone:
            port = gone.getsockname()[1]
            with pytest.raises(HopError) as refusal:
                async with client.open("POST", f"http://127.0.0.1:{port}/v1/responses", {}, b"{}", who="the stage router"):
                    pass
        assert refusal.value.failure.message == f"the stage router cannot be reached at http://127.0.0.1:{port}: Connection refused"
        await client.close()

    asyncio.run(play())


@pytest.mark.parametrize(
    ("head", "sentence"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", "policy broke off in the middle of its answer"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhal", "policy broke off in the middle of its answer"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhal", "policy did not answer in HTTP"),
        (b"this is no HTTP\r\n\r\n", "policy did not answer in HTTP"),
    ],
)
def test_what_breaks_off_or_is_no_http_is_told(head: bytes, sentence: str) -> None:
    async def script(number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        writer.write(head)

    async def play() -> None:
        async with playing(script) as (server, client):
            with pytest.raises(HopError, match=sentence) as refusal:
                await ask(client, server)
            assert refusal.value.failure.status == 502

    asyncio.run(play())


def test_silence_beyond_the_limit_is_given_up() -> None:
    async def script(number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        writer.write(STREAM)
        await reader.read()

    async def play() -> None:
        async with playing(script, idle_seconds=0.5) as (server, client):
            with pytest.raises(HopError, match="sent nothing for too long") as refusal:
                await ask(client, server)
            assert refusal.value.failure.status == 504

    asyncio.run(play())


def test_leaving_early_closes_the_connection_at_once() -> None:
    gone = asyncio.Event()

    async def script(number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        writer.write(STREAM + b"5\r\nfirst\r\n")
        await reader.read()
        gone.set()

    async def play() -> None:
        async with playing(script) as (server, client):
            assert await ask(client, server, first_chunk) == b"first"
            await gone.wait()

    asyncio.run(play())


def test_the_rest_of_a_dismissed_answer_is_waited_for_by_nobody_and_its_connection_serves_again() -> None:
    async def play() -> None:
        said, taken = asyncio.Event(), asyncio.Event()

        async def script(number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await request(reader)
            writer.write(STREAM + b"5\r\nfirst\r\n")
            await said.wait()
            writer.write(b"4\r\nrest\r\n0\r\n\r\n")
            taken.set()
            await request(reader)
            writer.write(OK)

        async with playing(script) as (server, client):
            assert await ask(client, server, first_and_dismissed) == b"first"
            said.set()
            await taken.wait()
            await asyncio.gather(*client._rests)
            assert await ask(client, server) == b"{}"
            assert server.connections == 1

    asyncio.run(play())


def test_a_dismissed_answer_that_never_ends_is_closed_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("codex_shim.stages.kit.client._REST_SECONDS", 0.01)

    async def play() -> None:
        gone = asyncio.Event()

        async def script(number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await request(reader)
            writer.write(STREAM + b"5\r\nfirst\r\n")
            await reader.read()
            gone.set()

        async with playing(script) as (server, client):
            assert await ask(client, server, first_and_dismissed) == b"first"
            await gone.wait()

    asyncio.run(play())


def answering(heads: list[bytes]) -> Script:
    """Notes the request, answers with an empty object."""

    async def script(number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await request(reader))
        writer.write(OK)
        await writer.drain()

    return script


def test_a_proxy_of_the_environment_is_used_toward_a_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    heads: list[bytes] = []

    async def play() -> None:
        async with playing(answering(heads), outside=True, patience=0.0) as (server, client):
            monkeypatch.setenv("http_proxy", server.url)
            monkeypatch.setenv("no_proxy", "spared.invalid")
            server.url = "http://provider.invalid/v1"
            assert await ask(client, server) == b"{}"
            server.url = "http://spared.invalid/v1"
            with pytest.raises(HopError, match="cannot be reached"):
                await ask(client, server)

    asyncio.run(play())
    assert [head.partition(b"\r")[0] for head in heads] == [b"POST http://provider.invalid/v1 HTTP/1.1"]


def test_no_proxy_stands_between_us_and_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    async def play() -> None:
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
        monkeypatch.delenv("no_proxy", raising=False)
        async with playing(answering([]), outside=True) as (server, client):
            assert await ask(client, server) == b"{}"

    asyncio.run(play())


def test_a_netrc_file_has_no_say(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """aiohttp would send its password where we send no key, and refuse the request where we do."""
    heads: list[bytes] = []

    async def play() -> None:
        async with playing(answering(heads), outside=True) as (server, client):
            assert await ask(client, server) == b"{}"
            async with client.open("POST", server.url, {"authorization": "Bearer key"}, b"{}") as reply:
                assert await reply.read() == b"{}"

    (tmp_path / "netrc").write_text("default login somebody password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    asyncio.run(play())
    assert b"authorization" not in heads[0].lower()
    assert b"Bearer key" in heads[1]
