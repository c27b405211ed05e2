"""A probe in this process, between a scripted next hop and whoever calls it."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from codex_shim.stages.contract.handshake import Handshake
from codex_shim.stages.contract.secret import Secret
from codex_shim.stages.kit.client import HopClient, Reply
from codex_shim.stages.kit.conformance.hop import ScriptedHop, listening
from codex_shim.stages.kit.conformance.subject import free_port
from codex_shim.stages.kit.logs import Log
from codex_shim.stages.kit.server import StageServer
from codex_shim.stages.kit.stage import Context
from codex_shim.stages.probe.config import Config
from codex_shim.stages.probe.stage import Probe
from waiting import PATIENCE

HOP_TOKEN = "hop-token"
WATCH_TOKEN = "watch-token"


class Lines(Log):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__("probe-a-b", os.open(os.devnull, os.O_WRONLY))
        self.events: list[dict[str, Any]] = []

    def event(self, event: str, **fields: Any) -> None:
        self.events.append({"event": event, **fields})

    def request(self, **fields: Any) -> None:
        self.events.append({"event": "request", **fields})

    def flush(self) -> None:
        """Nothing waits."""


class Probed:
    """`hop` is the scripted next hop, `log` what the probe has logged."""

    def __init__(self, hop: ScriptedHop, server: StageServer, url: str, log: Lines) -> None:
        self.hop = hop
        self.server = server
        self.url = url
        self.log = log
        self.client = HopClient(patience=0.0)

    @asynccontextmanager
    async def ask(self, body: bytes, headers: dict[str, str] | None = None) -> AsyncIterator[Reply]:
        """`POST /v1/responses` with the token of the run and a request id."""
        sent = {"authorization": f"Bearer {HOP_TOKEN}", "x-request-id": "req-1", **(headers or {})}
        async with self.client.open("POST", f"{self.url}/v1/responses", sent, body) as reply:
            yield reply

    @asynccontextmanager
    async def watch(self, query: str = "", token: str = WATCH_TOKEN) -> AsyncIterator[Records]:
        async with self.client.open("GET", f"{self.url}/watch{query}", {"authorization": f"Bearer {token}"}) as reply:
            yield Records(reply)

    async def drain(self) -> None:
        limited = asyncio.Event()
        limited.set()
        await self.server.refuse()
        await self.server.finish(limited)


class Records:
    """The feed as its reader sees it."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        self._chunks = reply.chunks()
        self._text = b""

    async def until(self, type: str) -> list[dict[str, Any]]:
        """All records up to the first of this type."""
        found: list[dict[str, Any]] = []
        while True:
            while b"\n" in self._text:
                line, _, self._text = self._text.partition(b"\n")
                found.append(json.loads(line))
                if found[-1]["type"] == type:
                    return found
            self._text += await anext(self._chunks)


@asynccontextmanager
async def probed(check: Any = "off") -> AsyncIterator[Probed]:
    """A running probe of the hop `a>b`."""
    async with asyncio.timeout(4 * PATIENCE), listening(free_port()) as hop:
        with socket.create_server(("127.0.0.1", 0)) as on:
            address = on.getsockname()
            shake = Handshake(
                stage="probe-a-b",
                host=address[0],
                port=address[1],
                next=f"http://127.0.0.1:{hop.context.handshake.port}",
                next_name="the stage b",
                hop_token=Secret(HOP_TOKEN),
                drain_seconds=PATIENCE,
            )
            log = Lines()
            probe = Probe(Context(shake, Config(hop="a>b", check=check, watch_token=WATCH_TOKEN), log))
            server = StageServer(probe)
            await server.start(on)
            running = Probed(hop, server, f"http://127.0.0.1:{address[1]}", log)
            try:
                yield running
            finally:
                await running.client.close()
                await running.drain()
                await server.stop()
                await probe.context.client.close()
                os.close(log._descriptor)
                await asyncio.sleep(0)  # closed transports let go of their sockets in the next round
