"""Holds one exchange against the contract (stages/contract/check) while it passes.

`log` lets everything through and says what is wrong. `enforce` lets nothing wrong through: a request is refused, an answer that has
not begun becomes an error, and a stream ends with a `response.failed` that names hop, rule and field.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from ..contract import events
from ..contract.check import answer, request
from ..contract.check.digest import Hasher, RequestDigest, digest
from ..contract.check.stream import StreamCheck
from ..contract.check.violation import Violation
from ..contract.errors import INVALID_REQUEST, Failure, HopError
from ..contract.sse import encode_event
from ..kit.client import Reply
from ..kit.exchange import INNER_LIMIT, Exchange
from .config import Config
from .frames import Frames
from .report import Report

# Beyond this, looking at a body is work for a thread: the loop has streams to serve.
QUICK_BYTES = 128 * 1024
# An answer in one piece is kept so far, to be looked at when it is whole.
_MOST_KEPT = 16 * 1024 * 1024
_CREATES = ("/v1/responses", "/v1/responses/compact")

Tell = Callable[[Violation], None]


def is_judged(exchange: Exchange) -> bool:
    """Whether this exchange is one that the contract has rules for."""
    return exchange.method == "POST" and exchange.path in _CREATES


class Checking:
    """One exchange. `tell` hears of each violation at once."""

    def __init__(self, config: Config, exchange: Exchange, report: Report, hasher: Hasher, tell: Tell) -> None:
        self._config = config
        self._exchange = exchange
        self._report = report
        self._hasher = hasher
        self._tell = tell
        self._judging: asyncio.Task[None] | None = None
        self._asks_for_stream = False
        self._stream: StreamCheck | None = None
        self._status = 200

    @property
    def _enforces(self) -> bool:
        return self._config.check == "enforce"

    async def request(self, body: bytes) -> None:
        """Where nothing is enforced, a long body is looked at while it goes on its way. Raises `HopError`."""
        self._judging = asyncio.create_task(self._judge_request(body))
        if self._enforces or len(body) <= QUICK_BYTES:
            await asyncio.shield(self._judging)
        if self._enforces and self._report.request:
            raise HopError(self._failure(self._report.request[0], 400))

    async def answered(self, reply: Reply) -> bytes | None:
        """The head of the answer is there. Gives back the whole of an answer that must not go out before it has been looked at;
        None where `chunks` are to be passed on. Raises `HopError`."""
        if self._judging is not None:
            await asyncio.shield(self._judging)
        self._status = reply.status
        stream = self._asks_for_stream and self._exchange.path == _CREATES[0]
        self._found(answer.judge_head(reply.status, reply.headers.get("content-type"), stream=stream))
        self._refuse_answer()
        if reply.is_stream and reply.status == 200:
            self._stream = self._report.stream = StreamCheck()
        return await self._whole(reply) if self._enforces and self._stream is None else None

    def chunks(self, reply: Reply) -> AsyncIterator[bytes]:
        """What is to be written, as it comes."""
        return self._enforced(reply, self._stream) if self._enforces and self._stream else self._looked_at(reply)

    async def ended(self, outcome: str) -> None:
        """Everything has been said, whatever became of it."""
        if self._judging is not None:
            await self._judging
        if self._stream is not None and not (self._enforces and self._report.answer):
            self._found(self._stream.finish(broken=outcome != "ok"))
        self._report.end(outcome)

    async def _judge_request(self, body: bytes) -> None:
        look = _look, self._exchange, body, self._hasher
        long = len(body) > QUICK_BYTES
        found, self._asks_for_stream, self._report.digest = await asyncio.to_thread(*look) if long else look[0](*look[1:])
        for violation in found:
            self._report.request.append(violation)
            self._tell(violation)

    async def _looked_at(self, reply: Reply) -> AsyncIterator[bytes]:
        """Untouched. An answer in one piece is judged when it is whole."""
        kept: list[bytes] = []
        size = 0
        async for chunk in reply.chunks():
            self._report.chunk()
            size += len(chunk)
            if self._stream is not None:
                self._found(self._stream.feed(chunk))
            elif size <= _MOST_KEPT:
                kept.append(chunk)
            yield chunk
        if self._stream is None and size <= _MOST_KEPT:
            self._found(answer.judge_body(self._status, b"".join(kept)))

    async def _whole(self, reply: Reply) -> bytes:
        body = await reply.read(INNER_LIMIT)
        self._report.chunk()
        self._found(answer.judge_body(self._status, body))
        self._refuse_answer()
        return body

    async def _enforced(self, reply: Reply, stream: StreamCheck) -> AsyncIterator[bytes]:
        """Frame by frame: what came before the first one that is wrong goes out, and then the end of it all."""
        frames = Frames()
        async for chunk in reply.chunks():
            self._report.chunk()
            good: list[bytes] = []
            for frame in frames.feed(chunk):
                self._found(stream.feed(frame))
                if self._report.answer:
                    break
                good.append(frame)
            if good:
                yield b"".join(good)
            if self._report.answer:
                yield self._last_word(stream)
                return
        self._found(stream.feed(frames.rest()) + stream.finish(broken=False))
        yield self._last_word(stream) if self._report.answer else frames.rest()

    def _found(self, violations: list[Violation]) -> None:
        for violation in violations:
            self._report.answer.append(violation)
            self._tell(violation)

    def _refuse_answer(self) -> None:
        if self._enforces and self._report.answer:
            raise HopError(self._failure(self._report.answer[0], 502))

    def _last_word(self, stream: StreamCheck) -> bytes:
        """It ends a stream that was broken off in the words of the contract, so that ingress has something to show."""
        failure = self._failure(self._report.answer[0], 502)
        response = {
            "id": stream.response_id or events.random_id("resp"),
            "object": "response",
            "status": "failed",
            "error": events.stream_error(failure),
            "output": [],
            "usage": None,
        }
        return encode_event({"type": "response.failed", "sequence_number": stream.number + 1, "response": response})

    def _failure(self, violation: Violation, status: int) -> Failure:
        """The code says that the same request will meet the same fault again."""
        hop = " → ".join(self._config.hop.split(">"))
        sentence = f"the contract is broken at {hop}: {violation.sentence} (rule {violation.rule}, field {violation.field})"
        return Failure(code=INVALID_REQUEST, message=sentence, status=status, param=violation.field if status == 400 else None)


def _look(exchange: Exchange, body: bytes, hasher: Hasher) -> tuple[list[Violation], bool, RequestDigest | None]:
    """What is wrong with a request, whether it asks for a stream, and what can be compared."""
    found, fields = request.judge(exchange.headers, body)
    return found, fields.get("stream") is True, digest(fields, body, hasher) if fields else None
