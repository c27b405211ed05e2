"""The Cursor worker in the test's own process and loop, before a fake `cursor-agent`, and clients that may leave at any moment.

async def talk(worker: Worker) -> None:
    got = await worker.ask("hello")
with_worker(tmp_path, agent, talk, slots=1, idle_seconds=0.5)
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import process_tree
from codex_shim.stages.contract.handshake import Handshake
from codex_shim.stages.egress_cursor.config import Config
from codex_shim.stages.egress_cursor.stage import EgressCursor
from codex_shim.stages.kit.logs import Log
from codex_shim.stages.kit.loop import loop_factory
from codex_shim.stages.kit.server import StageServer
from codex_shim.stages.kit.stage import Context
from fake_cursor_agent import FakeCursorAgent
from waiting import PATIENCE

SLUG, MODEL = "composer-2-5", "composer-2.5"
NOBODY = 4 * PATIENCE


class Got:
    """A whole answer."""

    def __init__(self, raw: bytes) -> None:
        head, _, body = raw.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        self.status = int(lines[0].split()[1])
        self.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        self.chunked = self.headers.get("transfer-encoding") == "chunked"
        self.body = _dechunk(body) if self.chunked else body
        self.whole = not self.chunked or body.endswith(b"0\r\n\r\n")

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line[5:]) for line in self.body.split(b"\n") if line.startswith(b"data:")]

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.body)

    @property
    def response(self) -> dict[str, Any]:
        """That of the terminal event."""
        return self.events[-1]["response"]

    @property
    def text(self) -> str:
        return text_of(self.response)

    @property
    def code(self) -> str | None:
        """Why it failed, however that was told; None where it did not."""
        error = (self.response if self.events else self.json).get("error")
        return error["code"] if error else None


class Worker:
    """One worker that serves. `stage` is for looking inside."""

    def __init__(self, stage: EgressCursor, server: StageServer, port: int, agent: FakeCursorAgent) -> None:
        self.stage = stage
        self.server = server
        self.port = port
        self.agent = agent
        self._writers: list[asyncio.StreamWriter] = []

    async def ask(self, prompt: str = "hi", path: str = "/v1/responses", headers: str = "", **body: Any) -> Got:
        reader, writer = await self.send(prompt, path, headers, **body)
        async with asyncio.timeout(NOBODY):
            raw = await reader.read()
        writer.close()
        return Got(raw)

    async def send(
        self, prompt: str = "hi", path: str = "/v1/responses", headers: str = "", **body: Any
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A request whose answer is still to be read. Closing the writer is how a client leaves."""
        message = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": prompt}]}
        content = json.dumps({"model": SLUG, "stream": True, "input": [message], **body}).encode()
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 16)
        head = f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nconnection: close\r\n{headers}"
        writer.write(f"{head}content-length: {len(content)}\r\n\r\n".encode() + content)
        self._writers.append(writer)
        return reader, writer

    @property
    def state(self) -> dict[str, int]:
        assert self.stage._pool is not None
        return self.stage._pool.state()

    async def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait in the loop for what happens in it."""
        async with asyncio.timeout(PATIENCE):
            while not condition():
                await asyncio.sleep(0.005)
        assert condition(), what

    async def at_rest(self) -> None:
        """Every slot is free again, so everything of every run is gone."""
        await self.until(lambda: self.state["busy"] == 0, "all slots are free")

    def leave(self) -> None:
        for writer in self._writers:
            writer.transport.abort()


def with_worker(folder: Path, agent: FakeCursorAgent, talk: Callable[[Worker], Awaitable[Any]], **config: Any) -> None:
    """Start a worker, talk to it, stop it; then nothing may be left, of processes, of zombies and of files."""
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_serve(folder, agent, talk, **config))
    assert_nothing_is_left(folder, agent)


async def _serve(folder: Path, agent: FakeCursorAgent, talk: Callable[[Worker], Awaitable[Any]], **config: Any) -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    handshake = Handshake(stage="cursor", host="127.0.0.1", port=port, drain_seconds=0.1)
    made = Config(**{"binary": str(agent.binary), "folder": str(folder / "slots"), "models": {SLUG: MODEL}, **config})
    stage = EgressCursor(Context(handshake, made, Log("cursor")))
    server = StageServer(stage)
    worker = Worker(stage, server, port, agent)
    await stage.open()
    await server.start(listening)
    try:
        await talk(worker)
    finally:
        worker.leave()
        await server.stop()
        await stage.close()
        await stage.context.client.close()
        stage.context.log.flush()


def assert_nothing_is_left(folder: Path, agent: FakeCursorAgent) -> None:
    assert [process_tree.describe(each) for each in agent.living()] == []
    assert zombies() == []
    assert left_files(folder / "slots") == []


def zombies() -> list[int]:
    """Children of this process that have ended and were not read of."""
    found = []
    for pid in process_tree._all_pids():
        facts = process_tree._facts(pid)
        if facts and facts[0] == "Z" and int(facts[1]) == os.getpid():
            found.append(pid)
    return found


def left_files(slots: Path) -> list[str]:
    """What lies in the folders of slots, but for their locks. They may be emptied at this very moment."""
    return [str(Path(folder, name).relative_to(slots)) for folder, _, names in os.walk(slots) for name in names if name != "lock"]


def text_of(response: dict[str, Any]) -> str:
    messages = [item for item in response["output"] if item["type"] == "message"]
    return "".join(part["text"] for item in messages for part in item["content"])


def _dechunk(body: bytes) -> bytes:
    pieces = []
    while body:
        size, _, body = body.partition(b"\r\n")
        length = int(size or b"0", 16)
        pieces.append(body[:length])
        body = body[length + 2 :]
    return b"".join(pieces)
