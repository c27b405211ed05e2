"""Ingress: the door of the chain. It lets the right callers in, hands a plain and complete request on, and keeps the promise that
every stream ends well.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import msgspec

from ..contract import sealed
from ..contract.body import Document, check_text
from ..contract.errors import LOGIN_REFUSED, SERVER_ERROR, Failure, HopError, read_failure
from ..contract.events import ResponseBuilder
from ..contract.headers import LOCAL_TOKEN, REQUEST_ID, USER_LOGIN, forward_response
from ..contract.sse import encode_events
from ..kit import advertised
from ..kit.client import Reply
from ..kit.exchange import Exchange, too_large
from ..kit.stage import Route, Stage
from . import guard
from .codex import for_codex, is_codex
from .config import Config
from .decompress import decompress
from .ending import KEEPALIVE, StreamEnding
from .normalize import normalize

_MIB = 1024 * 1024
_SAFE_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
# Decompressing more than this is work for a thread: the loop has other streams to serve.
_QUICK_BYTES = 256 * 1024
# What the desk is told to do is short.
_ORDER_BYTES = 64 * 1024
# What is not for the chain behind us but for the stage beside it. The desk knows which of them it has.
DESK_PATHS = (
    ("GET", guard.PAGE),
    *(("GET", f"{guard.PAGE}/{name}") for name in ("picker.css", "picker.js", "icon.svg")),
    ("GET", "/api/models"),
    ("GET", "/api/chain"),
    ("GET", "/api/usage"),
    ("POST", "/api/switch"),
    ("GET", guard.METRICS),
)


class Ingress(Stage[Config]):
    config_type = Config

    def admit(self, exchange: Exchange) -> None:
        """Names the exchange for every log line behind it, then checks the caller as far as its headers tell."""
        given = exchange.headers.get(REQUEST_ID, "")
        exchange.request_id = given if _SAFE_ID.fullmatch(given) else "req_" + secrets.token_hex(12)
        exchange.added_headers = {REQUEST_ID: exchange.request_id}
        if USER_LOGIN in exchange.headers:
            exchange.headers = guard.without(exchange.headers, USER_LOGIN)  # only ingress says whose login a request brings
        token, path = guard.token_in_path(exchange.path)
        exchange.path = guard.without_token(path, self.context.config.token)
        if token:
            exchange.headers = {**guard.without(exchange.headers, LOCAL_TOKEN), LOCAL_TOKEN: token}
        guard.check_host(exchange.headers, self.context.config.allowed_hosts)
        guard.check_origin(exchange.headers, self.context.config.allowed_origins)

    def routes(self) -> Mapping[tuple[str, str], Route]:
        """The desk's, where there is one."""
        return dict.fromkeys(DESK_PATHS, self._to_desk) if self.context.config.desk else {}

    async def responses(self, exchange: Exchange) -> None:
        document = await self._read(exchange)
        exchange.notes["model"] = document.get("model", str)
        if document.get("stream", bool, False):
            await self._stream(exchange, document)
        else:
            await self.context.next.relay(exchange, document.encode())

    async def compact(self, exchange: Exchange) -> None:
        await self.context.next.relay(exchange, (await self._read(exchange)).encode())

    async def models(self, exchange: Exchange) -> None:
        await self._recognise(exchange, required=False)  # `codex doctor` asks without one, and slugs are no secret here
        await self.forward(exchange)

    async def fail(self, exchange: Exchange, failure: Failure) -> None:
        reads_streams = exchange.method == "POST" and exchange.path.rstrip("/").endswith("/responses")
        if is_codex(exchange.headers) and reads_streams and not _can_refresh(exchange, failure):
            await self._tell_codex(exchange, failure)
        else:
            await super().fail(exchange, failure)

    async def health(self) -> dict[str, Any]:
        return msgspec.to_builtins(await advertised.read(self.context.config.advertised))

    async def _to_desk(self, exchange: Exchange) -> None:
        config = self.context.config
        guard.check_desk_call(exchange.method, exchange.path, exchange.headers, config.token, config.page_token)
        exchange.quiet = exchange.method == "GET"  # an open page asks every other second
        body = await exchange.body(_ORDER_BYTES) if exchange.method == "POST" else None
        await self.context.next.to(config.desk, "the stage desk").relay(exchange, body)

    async def _recognise(self, exchange: Exchange, *, required: bool) -> None:
        """Check the caller's token; the login it may have brought goes on sealed."""
        config = self.context.config
        guard.check_token(exchange.headers, config.token, required=required)
        login = guard.users_login(exchange.headers, config.token)
        if login is not None and config.seal_key:
            exchange.added_headers[USER_LOGIN] = await asyncio.to_thread(sealed.seal, config.seal_key, login)

    async def _read(self, exchange: Exchange) -> Document:
        await self._recognise(exchange, required=True)
        guard.check_json(exchange.headers)
        limit = self.context.config.body_limit_mib * _MIB
        body = await exchange.body(limit)
        encoding = exchange.headers.get("content-encoding", "")
        if encoding and len(body) > _QUICK_BYTES:
            plain = await asyncio.to_thread(decompress, body, encoding, limit)
        else:
            plain = decompress(body, encoding, limit)
        if plain is None:
            raise too_large(limit)
        check_text(plain)
        document = Document.parse(plain)
        normalize(document)
        return document

    async def _stream(self, exchange: Exchange, document: Document) -> None:
        async with self.context.next.open(exchange, document.encode()) as reply:
            exchange.answer_headers = _beside_the_body(reply)  # also where the answer is a failure, which is rendered anew
            await _expect_stream(reply, self.context.handshake.next_name)
            await exchange.start(200, {"content-type": "text/event-stream"})
            ending = StreamEnding(document.get("model", str) or "", for_codex if is_codex(exchange.headers) else _unchanged)
            async with _keepalive(exchange, ending, self.context.config.keepalive_seconds):
                await self._copy(reply, exchange, ending)
            exchange.notes |= {"ended": ending.outcome, "usage": ending.usage}
            reply.dismiss()
            await exchange.end()

    async def _copy(self, reply: Reply, exchange: Exchange, ending: StreamEnding) -> None:
        name = self.context.handshake.next_name
        failure = Failure(code=SERVER_ERROR, message=f"{name} ended its stream without a terminal event")
        try:
            async for chunk in reply.chunks():
                if ready := ending.feed(chunk):
                    await exchange.write(ready)
                if ending.ended:
                    return
        except HopError as error:
            failure = error.failure
        except asyncio.CancelledError:
            if not exchange.connected:
                raise
            failure = Failure(code=SERVER_ERROR, message="the chain was stopped in the middle of this answer")
        exchange.notes["error"] = failure.message
        await exchange.write(ending.fail(failure))

    async def _tell_codex(self, exchange: Exchange, failure: Failure) -> None:
        """The failure as the one-event stream that Codex reads, instead of a status it would retry in vain."""
        exchange.notes |= {"upstream_status": failure.status, "ended": "response.failed"}
        builder = ResponseBuilder(str(exchange.notes.get("model") or ""), int(time.time()))
        await exchange.start()
        await exchange.write(encode_events([*builder.start(), *builder.fail(for_codex(failure))]))
        await exchange.end()


def _can_refresh(exchange: Exchange, failure: Failure) -> bool:
    """Codex brought its own login and that was refused: a plain 401 makes it refresh the token and ask again, nothing else does."""
    return failure.code == LOGIN_REFUSED and USER_LOGIN in exchange.added_headers


def _beside_the_body(reply: Reply) -> dict[str, str]:
    """The headers of an answer that hold whatever its body is: limits, the state of a turn, another server's id of it."""
    headers = forward_response(reply.headers.items())
    headers.pop("content-type", None)
    return headers


async def _expect_stream(reply: Reply, who: str) -> None:
    if reply.status != 200:
        raise HopError(read_failure(reply.status, await reply.read(), reply.headers.get("retry-after")))
    if not reply.is_stream:
        kind = reply.headers.get("content-type", "nothing")
        raise HopError(
            Failure(code=SERVER_ERROR, message=f"{who} answered a stream request with {kind} instead of an event stream")
        )


@asynccontextmanager
async def _keepalive(exchange: Exchange, ending: StreamEnding, seconds: float) -> AsyncIterator[None]:
    """Write a keepalive whenever the stream has been silent for so long; it re-arms Codex's idle timer, a comment would not."""

    async def watch() -> None:
        while True:
            before = exchange.bytes_out
            await asyncio.sleep(seconds)
            if ending.ended:
                return  # its last bytes may still be on their way to a slow client; nothing comes behind them
            if exchange.bytes_out == before:
                await exchange.write(KEEPALIVE)

    async def watch_while_connected() -> None:
        with suppress(ConnectionResetError):
            await watch()

    watcher = asyncio.create_task(watch_while_connected())
    try:
        yield
    finally:
        watcher.cancel()


def _unchanged(failure: Failure) -> Failure:
    return failure
