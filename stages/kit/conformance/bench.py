"""What a check is given: the stage between its two sides, and a limit on how long anything may take."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, TypeVar

from ...contract.check.stream import StreamCheck
from ...contract.check.violation import Violation
from ...contract.errors import HopError
from ...contract.sse import Frame, SSEDecoder
from ..client import HopClient, Reply
from . import judge, samples
from .hop import Part, Received, ScriptedHop, say_hello
from .process import Tested
from .subject import Subject
from .verdict import BrokenError

_ANSWER_LIMIT = 64 * samples.MIB
_QUOTABLE = 1000

T = TypeVar("T")


class Answer:
    """The stage's answer to one request, read as far as a check wants."""

    def __init__(self, reply: Reply, patience: float) -> None:
        self._reply = reply
        self._chunks = reply.chunks()
        self._decoder = SSEDecoder()
        self._patience = patience
        self._complete = False
        self.status = reply.status
        self.headers = {name.lower(): value for name, value in reply.headers.items()}
        self.kind = self.headers.get("content-type", "")
        self.events: list[dict[str, Any]] = []
        self.lines: list[str] = []  # what stood in the `event:` line of each
        self.head = b""  # how it begins, to be quoted
        self.broken: str | None = None  # how it broke off
        self.violations: list[Violation] = []  # what the events do not keep of the contract
        self._shape = StreamCheck()

    async def take(self, count: int, sentence: str) -> None:
        """Read until `count` events are here; `sentence` is the fault where they do not come."""
        await within(self._patience, self._take(count), sentence)
        if len(self.events) < count:
            raise BrokenError(f"{sentence}; the answer ended instead" + (f": {self.broken}" if self.broken else ""))

    async def rest(self) -> None:
        """Read to the end, whatever kind of end it is."""
        await within(self._patience, self._take(None), "expected the answer to end; it stayed open")

    async def body(self) -> bytes:
        """The answer as bytes, for what is no stream."""
        return await within(self._patience, self._reply.read(_ANSWER_LIMIT), "expected a whole answer; it stayed open")

    async def _take(self, count: int | None) -> None:
        try:
            while not self._complete and (count is None or len(self.events) < count):
                chunk = await anext(self._chunks, None)
                self._complete = chunk is None
                self.head = self.head or (chunk or b"")[:_QUOTABLE]
                self._keep(self._decoder.finish() if chunk is None else self._decoder.feed(chunk))
                self.violations += self._shape.finish(broken=False) if chunk is None else self._shape.feed(chunk)
        except HopError as error:
            self._complete, self.broken = True, error.failure.message

    def _keep(self, frames: list[Frame]) -> None:
        """Keepalives are no part of the response, and what is no JSON object is no event."""
        for frame in frames:
            event = json.loads(frame.data) if frame.data.startswith(b"{") else {"type": frame.data.decode("utf-8", "replace")}
            if event.get("type") != "keepalive":
                self.events.append(event)
                self.lines.append(frame.event.decode("utf-8", "replace"))


class Bench:
    """`process` is None where somebody else has started the stage."""

    def __init__(self, subject: Subject, hop: ScriptedHop | None, process: Tested | None) -> None:
        self.subject = subject
        self.patience = subject.patience
        self.model = subject.model
        self.process = process
        self.client = HopClient(patience=0.0)
        self._hop = hop

    @property
    def hop(self) -> ScriptedHop:
        assert self._hop is not None, "the check needs the next hop and does not say so"
        return self._hop

    def reset(self) -> None:
        """As it was before the first check."""
        if self._hop is not None:
            self._hop.received.clear()
            self._hop.part = say_hello

    def request(self, text: str = "Say hello.", **fields: Any) -> bytes:
        return samples.request(self.model, text, **fields)

    @asynccontextmanager
    async def ask(
        self,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        method: str = "POST",
        path: str = "/v1/responses",
        token: str | None = "",
    ) -> AsyncIterator[Answer]:
        """Send a request with the right token, with another, or with None none. Leaving the block early is a client that goes."""
        sent = {"content-type": "application/json"} if body is not None else {}
        token = self.subject.token if token == "" else token  # the default means the right one
        sent |= {"authorization": f"Bearer {token}"} if token else {}
        opening = self.client.open(method, self.subject.url + path, sent | dict(headers or {}), body, who="the stage")
        try:
            async with AsyncExitStack() as stack:
                late = f"expected the answer to {method} {path} to begin; it was held back"
                yield Answer(await self.within(stack.enter_async_context(opening), late), self.patience)
        except HopError as error:
            raise BrokenError(f"expected an answer to {method} {path}; {error.failure.message}") from error

    async def through(self, body: bytes, headers: Mapping[str, str] | None = None) -> Received:
        """What the next hop gets of a request that it answers with a short stream."""
        async with self.ask(body, headers) as answer:
            await answer.rest()
        if not self.hop.received:
            said = judge.quote(answer.head.decode("utf-8", "replace"))
            raise BrokenError(f"expected the request at the next hop; the stage answered {answer.status} itself: {said}")
        return self.hop.received[-1]

    async def answered(self, part: Part) -> Answer:
        """The whole answer to a stream request that the next hop answers in this way."""
        self.hop.part = part
        async with self.ask(self.request()) as answer:
            await answer.rest()
        return answer

    async def within(self, work: Awaitable[T], sentence: str) -> T:
        return await within(self.patience, work, sentence)


async def within(seconds: float, work: Awaitable[T], sentence: str) -> T:
    """Await, but not for ever: `sentence` is the fault."""
    try:
        async with asyncio.timeout(seconds):
            return await work
    except TimeoutError:
        raise BrokenError(f"{sentence} (waited {seconds:g} s)") from None
