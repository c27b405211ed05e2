"""One request and several who may answer it: each is asked after the other, until one has begun to answer.

Nothing is ever asked twice at once, and nobody once a byte has gone downstream.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from random import Random

import msgspec

from ..contract.advertised import Advertised
from ..contract.body import Document
from ..contract.errors import SERVER_ERROR, Failure, HopError, read_failure
from ..contract.headers import USER_LOGIN, forward_response
from ..kit.client import HopClient, Reply
from ..kit.exchange import INNER_LIMIT, Exchange
from ..kit.relay import NextHop
from . import need, reasons
from .affinity import TURN_STATE, Memory, mark, session_of, unmark
from .allowance import Allowance
from .breaker import Breaker, Turn
from .config import Config, Route
from .held import Held, hold
from .members import Known, ranked
from .opening import failure_in
from .tried import Tried, failure_of

# A worker that changes hands is back by then; there are others who can be asked.
_PATIENCE_SECONDS = 1.0
# What was measured longer ago says nothing about now.
_FRESH_SECONDS = 600.0
# How much the latest measurement counts against those before.
_WEIGHT = 0.3


class _Asked(msgspec.Struct):
    """One request while it looks for somebody; `compacted` as in `Need`. `patience` is what is left of the seconds to wait,
    `said_beside` the headers of the last refusal."""

    exchange: Exchange
    document: Document
    slug: str
    project: str
    session: str
    given: Mapping[str, str]
    compacted: bool
    patience: float
    left: list[str]
    tried: list[Tried] = []
    said_beside: dict[str, str] = {}


class _Member:
    """What is known of one upstream by how it has answered."""

    def __init__(self, breaker: Breaker) -> None:
        self.breaker = breaker
        self.last: Tried | None = None
        self.latency = 0.0
        self.measured_at = -math.inf

    def measure(self, seconds: float, now: float) -> None:
        fresh = now - self.measured_at < _FRESH_SECONDS
        self.latency = (1 - _WEIGHT) * self.latency + _WEIGHT * seconds if fresh else seconds
        self.measured_at = now


class Failover:
    """`dice` throws the lot of a request without a session, `clock` and `sleep` are replaced by tests."""

    def __init__(
        self,
        config: Config,
        following: NextHop,
        allowance: Allowance,
        *,
        dice: Random | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._config = config
        self._next = following
        self._allowance = allowance
        self._client = HopClient(patience=_PATIENCE_SECONDS)
        self._dice = dice or Random()  # noqa: S311  # chooses among equals, protects nothing
        self._clock = clock
        self._sleep = sleep
        self._memory = Memory()
        self._members: dict[str, _Member] = {}

    async def close(self) -> None:
        await self._client.close()

    async def serve(self, exchange: Exchange, document: Document, slug: str, project: str, offer: Advertised) -> None:
        """Answer with the first member that does. Raises `HopError` with what all of them said."""
        wanted = need.read(document, await exchange.body())
        session = session_of(exchange.headers)
        order = self._ranked(slug, session, exchange)
        usable = [each for each in order if self._config.routes[each].is_offered(offer)]
        exchange.notes["model"] = slug
        able = need.able(slug, usable or order, self._config.routes, wanted, virtual=slug in self._config.virtual)
        asked = _Asked(
            exchange=exchange,
            document=document,
            slug=slug,
            project=project,
            session=session,
            given=exchange.headers,
            compacted=wanted.compacted,
            patience=self._config.wait_seconds,
            left=await self._allowance.open_to(able, project),
        )
        while (member := await self._following(asked)) is not None:
            if await self._answered(asked, member):
                return
        self._note(asked, asked.tried[-1].member)
        exchange.answer_headers = asked.said_beside
        raise HopError(failure_of(slug, asked.tried))

    # -- who is next ---------------------------------------------------------------------------------------------------

    def _ranked(self, slug: str, session: str, exchange: Exchange) -> list[str]:
        """Whoever serves the turn comes first, then who served the session last; for weighted ones the lot says the same each
        time. Who has chosen a model that has fallbacks gets it again as soon as it is well."""
        now = self._clock()
        latency = {name: member.latency for name, member in self._members.items() if now - member.measured_at < _FRESH_SECONDS}
        order = ranked(self._config, slug, Known(lot=session or str(self._dice.random()), latency=latency))
        last, _ = unmark(exchange.headers.get(TURN_STATE, ""))
        virtual = self._config.virtual.get(slug)
        if not last and virtual is not None and virtual.choose != "weighted":
            last = self._memory.recall(slug, session) or ""
        return [last, *(each for each in order if each != last)] if last in order else order

    async def _following(self, asked: _Asked) -> str | None:
        """The member to ask now, after a pause where nobody else is left and its end is near. None when all is tried."""
        if (member := self._admitted(asked)) is None and (member := self._forced(asked)) is None:
            self._mention_paused(asked)
            member = await self._waited_for(asked)
        if member is not None and member in asked.left:
            asked.left.remove(member)
        return member

    def _admitted(self, asked: _Asked) -> str | None:
        now = self._clock()
        return next((each for each in asked.left if self._member(each).breaker.admits(now)), None)

    def _forced(self, asked: _Asked) -> str | None:
        """A pause is our own guess; where nobody else is left, one more try may save the turn. What an upstream has asked for is
        kept."""
        now = self._clock()
        free = [each for each in asked.left if not self._member(each).breaker.named]
        return min(free, key=lambda each: self._member(each).breaker.pause(now), default=None)

    def _mention_paused(self, asked: _Asked) -> None:
        """Those that nobody may ask are told of by what they said last."""
        now = self._clock()
        for name in asked.left:
            member = self._member(name)
            if member.last is not None:
                wait = max(1.0, member.breaker.pause(now))
                failure = msgspec.structs.replace(member.last.failure, retry_after=wait)
                asked.tried.append(msgspec.structs.replace(member.last, failure=failure, paused=True))
        asked.left.clear()

    async def _waited_for(self, asked: _Asked) -> str | None:
        waits = {each.member: each.failure.retry_after for each in asked.tried if each.failure.retry_after is not None}
        member = min(waits, key=lambda each: waits[each], default=None)
        if member is None or not self._config.wait_seconds:
            return None
        seconds = max(1.0, waits[member], self._member(member).breaker.pause(self._clock()))
        if seconds > asked.patience:
            return None
        asked.patience -= seconds
        asked.tried = [each for each in asked.tried if each.member != member]
        await self._sleep(seconds)
        return member

    # -- asking one ----------------------------------------------------------------------------------------------------

    async def _answered(self, asked: _Asked, name: str) -> bool:
        """Whether this one has answered. Raises `HopError` for what comes too late to be mended."""
        member, began = self._member(name), self._clock()
        if asked.tried:
            asked.exchange.timing.again(asked.tried[-1].note)
        turn = member.breaker.begin(began)
        told = False
        try:
            async with AsyncExitStack() as stack:
                reply = await self._opened(stack, asked, name)
                held = await self._first_words(reply)
                told = True
                member.breaker.succeeded(turn)
                member.measure(self._clock() - began, self._clock())
                await self._pass_on(asked, name, reply, held)
        except HopError as error:
            if told:
                raise
            told = True
            self._failed(asked, name, turn, error)
            return False
        finally:
            if not told:  # its client has left
                member.breaker.released(turn)
        return True

    async def _opened(self, stack: AsyncExitStack, asked: _Asked, name: str) -> Reply:
        """Raises `HopError` for an answer that is no success."""
        route, exchange = self._config.routes[name], asked.exchange
        exchange.headers = _fitting(asked.given, name, route)
        asked.said_beside = {}
        self._allowance.begin(exchange, name, asked.project)
        if asked.document.get("model", str) != route.model:
            asked.document.set("model", route.model)
        hop = self._next.to(route.url, route.egress, self._client)
        try:
            async with asyncio.timeout(self._config.answer_seconds or None):
                reply = await stack.enter_async_context(hop.open(exchange, asked.document.encode()))
        except HopError as error:
            raise _Unreached(error.failure) from error
        except TimeoutError:
            seconds = self._config.answer_seconds
            sentence = f"{route.egress} did not begin to answer within {seconds:g} seconds"
            raise HopError(Failure(code=SERVER_ERROR, message=sentence, status=504)) from None
        if not 200 <= reply.status < 300:
            body = await reply.read()
            asked.said_beside = _beside_the_body(reply)
            raise HopError(read_failure(reply.status, body, reply.headers.get("retry-after")))
        return reply

    async def _first_words(self, reply: Reply) -> Held | bytes:
        """Raises `HopError` for an answer that has begun as a success and is none."""
        if reply.is_stream:
            return await hold(reply)
        body = await reply.read(INNER_LIMIT)
        if (failure := failure_in(body)) is not None:
            raise HopError(failure)
        return body

    async def _pass_on(self, asked: _Asked, name: str, reply: Reply, held: Held | bytes) -> None:
        exchange = asked.exchange
        self._memory.keep(asked.slug, asked.session, name)
        self._note(asked, name)
        headers = forward_response(reply.headers.items())
        if TURN_STATE in headers:
            headers[TURN_STATE] = mark(name, headers[TURN_STATE])
        if isinstance(held, bytes):
            await exchange.reply(held, reply.status, headers)
            return
        try:
            await exchange.start(reply.status, headers)
            async for chunk in held.chunks():
                await exchange.write(chunk)
            await exchange.end()
        finally:
            held.drop()

    def _failed(self, asked: _Asked, name: str, turn: Turn, error: HopError) -> None:
        """Take note of why. Nobody else is asked what all would refuse."""
        member, failure = self._member(name), error.failure
        reason = reasons.CONNECT if isinstance(error, _Unreached) else reasons.judge(failure, foreign=asked.compacted)
        tried = Tried(member=name, reason=reason, failure=failure)
        asked.tried.append(tried)
        if reason is None or reason.of_request:
            member.breaker.succeeded(turn)  # it has answered, if not what one hoped for
        else:
            member.breaker.failed(turn, self._clock(), failure.retry_after)
            member.last = tried
        if reason is reasons.TOO_LONG:
            self._keep_larger(asked, self._config.routes[name])
        if reason is None:
            asked.left.clear()
            asked.patience = 0.0

    def _keep_larger(self, asked: _Asked, than: Route) -> None:
        routes = self._config.routes
        asked.left = [each for each in asked.left if (routes[each].context or 0) > (than.context or 0)]

    # -- what is kept --------------------------------------------------------------------------------------------------

    def _member(self, name: str) -> _Member:
        if name not in self._members:
            self._members[name] = _Member(Breaker(self._config.breaker))
        return self._members[name]

    def _note(self, asked: _Asked, name: str) -> None:
        tried = [each.note for each in asked.tried] or None
        asked.exchange.notes |= {"member": name, "egress": self._config.routes[name].egress, "tried": tried}


class _Unreached(HopError):
    """There was no answer."""


def _beside_the_body(reply: Reply) -> dict[str, str]:
    """Limits and ids, which Codex shows also where the answer is a failure."""
    headers = forward_response(reply.headers.items())
    return {name: value for name, value in headers.items() if name not in ("content-type", "retry-after", TURN_STATE)}


def _fitting(given: Mapping[str, str], name: str, route: Route) -> Mapping[str, str]:
    """Without what is for others: a login that only ChatGPT's egress can open, and the state of a turn that somebody else began."""
    headers = {each.lower(): value for each, value in given.items()}
    if route.subscription != "chatgpt":
        headers.pop(USER_LOGIN, None)
    member, state = unmark(headers.pop(TURN_STATE, ""))
    return {**headers, TURN_STATE: state} if member == name and state else headers
