"""Many clients of a chain at once, in one event loop of their own, each over raw sockets and each counting what it got.

outcomes = asyncio.run(all_at_once(chain, prompts))
with Load(chain, clients=20) as load: …          # request upon request until the block ends
load.outcomes
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from responses_client import TERMINAL, default_model, text_of, user
from running_chain import RunningChain
from waiting import PATIENCE

ANSWER_SECONDS = 4 * PATIENCE


class Outcome:
    """What became of one request. `trouble` is None where the stream came whole, ended once, and was numbered without a gap."""

    def __init__(self, prompt: str) -> None:
        self.prompt = prompt
        self.events: list[dict[str, Any]] = []
        self.trouble: str | None = "it has not ended"

    @property
    def text(self) -> str:
        return text_of(self.events)

    def __repr__(self) -> str:
        last = self.events[-1] if self.events else None
        return f"Outcome({self.prompt!r}: {self.trouble}; {len(self.events)} events, the last {last})"


async def converse(chain: RunningChain, prompt: str, model: str) -> Outcome:
    """One streamed request over a connection of its own."""
    outcome = Outcome(prompt)
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            body = await _exchange(chain, prompt, model)
        outcome.events = [json.loads(line[5:]) for line in body.splitlines() if line.startswith(b"data:")]
        outcome.events = [event for event in outcome.events if event["type"] != "keepalive"]
        outcome.trouble = _judge(outcome.events)
    except (OSError, EOFError, ValueError) as error:  # refused, cut, not HTTP
        outcome.trouble = f"{type(error).__name__}: {error}"
    return outcome


async def all_at_once(chain: RunningChain, prompts: Iterable[str]) -> list[Outcome]:
    model = default_model(chain)
    return await asyncio.gather(*(converse(chain, prompt, model) for prompt in prompts))


class Load:
    """Clients that ask again as soon as they are answered, from the start of the `with` block to its end."""

    def __init__(self, chain: RunningChain, clients: int) -> None:
        self._chain = chain
        self._clients = clients
        self._model = default_model(chain)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="load")
        self.outcomes: list[Outcome] = []

    @property
    def troubles(self) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.trouble]

    def __enter__(self) -> Load:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()

    async def _run(self) -> None:
        await asyncio.gather(*(self._one_client(number) for number in range(self._clients)))

    async def _one_client(self, number: int) -> None:
        turn = 0
        while not self._ending.is_set():
            self.outcomes.append(await converse(self._chain, f"client {number} turn {turn}", self._model))
            turn += 1


def _judge(events: list[dict[str, Any]]) -> str | None:
    ends = [event["type"] for event in events if event["type"] in TERMINAL]
    numbers = [event["sequence_number"] for event in events]
    if ends != ["response.completed"] or events[-1]["type"] != ends[0]:
        return f"it ended in {ends}"
    return None if numbers == list(range(len(numbers))) else f"its events are numbered {numbers}"


async def _exchange(chain: RunningChain, prompt: str, model: str) -> bytes:
    """The body of the answer, which must be a 200 and must come whole."""
    address = urlsplit(chain.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port, limit=1 << 20)
    try:
        body = json.dumps({"model": model, "stream": True, "input": [user(prompt)]}).encode()
        head = (
            f"POST /v1/responses HTTP/1.1\r\nhost: {address.netloc}\r\nauthorization: Bearer {chain.token}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        writer.write(head.encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        if not answer.startswith(b"HTTP/1.1 200 "):
            raise ValueError(answer + await reader.read(2000))
        return await _chunked(reader)
    finally:
        writer.close()


async def _chunked(reader: asyncio.StreamReader) -> bytes:
    pieces = []
    while size := int(await reader.readline() or b"no chunk", 16):
        pieces.append(await reader.readexactly(size))
        await reader.readexactly(2)
    await reader.readexactly(2)
    return b"".join(pieces)
