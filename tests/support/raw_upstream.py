"""An upstream played byte by byte in the test's own loop, and a stage in front of it, served by the kit."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from codex_shim.stages.contract.handshake import Handshake
from codex_shim.stages.contract.secret import Secret
from codex_shim.stages.egress_http.config import Config as EgressConfig
from codex_shim.stages.egress_http.config import Model
from codex_shim.stages.egress_http.stage import EgressHttp
from codex_shim.stages.ingress.config import Config as IngressConfig
from codex_shim.stages.ingress.stage import Ingress
from codex_shim.stages.kit.logs import Log
from codex_shim.stages.kit.server import StageServer
from codex_shim.stages.kit.stage import Context, Stage
from waiting import PATIENCE

SSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nX-Request-Id: theirs\r\n\r\n"


def plain(status: str, type: str, body: bytes, *headers: str) -> bytes:
    """A whole answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {type}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


class RawUpstream:
    """Answers request after request with the next of `answers`, then closes, or keeps silent where `silent` says so."""

    def __init__(self, *answers: bytes, silent: bool = False) -> None:
        self._answers = list(answers)
        self._silent = silent
        self.requests: list[bytes] = []
        self.left = asyncio.Event()
        self.url = ""
        self._writers: set[asyncio.StreamWriter] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            await self._answer(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the other side, or the end of the test, has cut the connection
        finally:
            writer.close()
            self._writers.discard(writer)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0)
        self.requests.append(head + await reader.readexactly(length))
        writer.write(self._answers.pop(0))
        if self._silent:
            await reader.read()
            self.left.set()

    async def gone(self) -> None:
        """Cut what is still open, and wait until nothing of it is left."""
        for writer in self._writers:
            writer.transport.abort()
        while self._writers:
            await asyncio.sleep(0)
        await asyncio.sleep(0)  # closed transports let go of their sockets in the next round


@asynccontextmanager
async def upstream(*answers: bytes, silent: bool = False) -> AsyncIterator[RawUpstream]:
    raw = RawUpstream(*answers, silent=silent)
    listener = await asyncio.start_server(raw.serve, "127.0.0.1", 0)
    raw.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/v1"
    try:
        async with asyncio.timeout(2 * PATIENCE):
            yield raw
    finally:
        listener.close()
        await raw.gone()


@asynccontextmanager
async def egress(base_url: str, **config: Any) -> AsyncIterator[str]:
    """The address of an egress that serves the slug `slug` as the model `theirs`."""
    models = config.pop("models", {"slug": Model(model="theirs")})
    async with serving(EgressHttp, EgressConfig(base_url=base_url, models=models, **config)) as url:
        yield url


@asynccontextmanager
async def ingress(following: str, **config: Any) -> AsyncIterator[str]:
    """The address of an ingress before `following`, the address of a hop."""
    async with serving(Ingress, IngressConfig(**config), following.removesuffix("/v1")) as url:
        yield url


@asynccontextmanager
async def serving(
    stage_type: type[Stage[Any]], config: Any, following: str | None = None, hop_token: str | None = None
) -> AsyncIterator[str]:
    """The address of a stage before `following`, the base URL of a hop."""
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    token = Secret(hop_token) if hop_token else None
    handshake = Handshake(stage="tested", host="127.0.0.1", port=port, next=following, hop_token=token, drain_seconds=0.1)
    context = Context(handshake, config, Log("tested"))
    stage = stage_type(context)
    server = StageServer(stage)
    await stage.open()
    await server.start(listening)
    try:
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        await server.stop()
        await stage.close()
        await context.client.close()
        context.log.flush()
