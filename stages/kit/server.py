"""A stage's HTTP server: the routes of the contract, the hop token, the canonical log line, and errors as JSON.

This file and client.py, exchange.py are the only ones that know aiohttp.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import traceback
from collections.abc import Callable
from typing import Any

import msgspec
from aiohttp import web

from ..contract.errors import INVALID_REQUEST, SERVER_ERROR, Failure, HopError, refuse
from .client import KEEPALIVE_SECONDS, MAX_HEADER
from .exchange import Exchange
from .stage import Route, Stage

BACKLOG = 1024
FIRST_WORDS_SECONDS = 2.0  # for a client that was let in before a stop to ask what it came for
LAST_WORDS_SECONDS = 0.5  # for telling clients of the end, within the second that the orchestrator grants beyond the drain time
CLIENT_CLOSED = 499  # nginx's status for a client that left; nobody receives it


class StageServer:
    """Serves one stage on one listening socket."""

    def __init__(self, stage: Stage[Any]) -> None:
        self._stage = stage
        self._handshake = stage.context.handshake
        self._log = stage.context.log
        self._routes: dict[tuple[str, str], Route] = {
            ("POST", "/v1/responses"): stage.responses,
            ("POST", "/v1/responses/compact"): stage.compact,
            ("GET", "/v1/models"): stage.models,
            ("GET", "/health"): self._health,
            ("GET", "/v1/responses"): _no_websocket,
            **stage.routes(),
        }
        self._server: _Server | None = None
        self._runner: web.ServerRunner | None = None
        self._running: set[asyncio.Task[Any]] = set()

    async def start(self, listening: socket.socket) -> None:
        self._server = _Server(
            self._handle,
            self._last_answer,
            handler_cancellation=True,  # a client that leaves cancels its handler, and with it the exchange upstream
            auto_decompress=False,  # ingress decodes bodies itself: aiohttp refuses zstd before any handler sees it
            access_log=None,
            keepalive_timeout=4 * KEEPALIVE_SECONDS,
            max_line_size=MAX_HEADER,
            max_field_size=MAX_HEADER,
        )
        self._runner = web.ServerRunner(self._server, shutdown_timeout=LAST_WORDS_SECONDS)
        await self._runner.setup()
        await web.SockSite(self._runner, listening, backlog=BACKLOG).start()

    async def refuse(self) -> None:
        """Take no new connection, and nothing more on those that have been answered. Who comes now waits on the listening socket,
        where our successor lets him in."""
        if self._runner is None or self._server is None or not self._runner.sites:
            return
        for site in list(self._runner.sites):
            await site.stop()
        await asyncio.sleep(0.01)  # those that were just accepted are made known in the next rounds of the loop
        self._server.close_answered()

    async def finish(self, limited: asyncio.Event) -> None:
        """Behind `refuse`: let running exchanges end. The drain time, after which they are cut off with a word, begins with
        `limited`."""
        if self._server is None:
            return
        self._stage.draining()
        ended = asyncio.create_task(self._server.all_gone(min(FIRST_WORDS_SECONDS, self._handshake.drain_seconds)))
        ending = asyncio.create_task(limited.wait())
        try:
            await asyncio.wait({ended, ending}, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait({ended}, timeout=self._handshake.drain_seconds)
        finally:
            ended.cancel()
            ending.cancel()

    async def stop(self) -> None:
        """Cut off what still runs, with a word, and let go of everything."""
        if self._runner is None or self._server is None:
            return
        await self.refuse()
        for task in self._running:
            task.cancel()
        await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if self._server is not None:
            self._server.heard(request.protocol)
        exchange = Exchange(request)
        outcome = "cancelled"
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        try:
            await self._dispatch(exchange)
            outcome = "ok"
        except HopError as error:
            outcome = error.failure.code
            exchange.notes["error"] = error.failure.message
            await self._answer(exchange, error.failure)
        except (ConnectionResetError, web.RequestPayloadError):
            pass  # the client went away while we were reading or writing
        except asyncio.CancelledError:
            if not exchange.connected:
                raise
            await self._answer(exchange, self._out_of_time())
        except Exception as error:
            outcome = "bug"
            self._log.event("bug", request_id=exchange.request_id, traceback=traceback.format_exc())
            await self._answer(exchange, self._bug(error))
        finally:
            self._running.discard(task)
            if exchange.ended and outcome == "cancelled":
                outcome = "ok"  # the client left with the whole answer
            self._write_line(exchange, outcome)
        return exchange.response or web.Response(status=CLIENT_CLOSED)

    async def _dispatch(self, exchange: Exchange) -> None:
        self._stage.admit(exchange)
        route = self._routes.get((exchange.method, exchange.path))
        if route is None:
            raise _no_route(exchange, {method for method, path in self._routes if path == exchange.path})
        await route(exchange)

    async def _health(self, exchange: Exchange) -> None:
        exchange.quiet = True
        running = len(self._running) - 1  # beside this one
        await exchange.reply({"ok": True, "stage": self._handshake.stage, "running": running, **await self._stage.health()})

    async def _answer(self, exchange: Exchange, failure: Failure) -> None:
        if exchange.started:
            exchange.abort()
            return
        await self._stage.fail(exchange, failure)

    def _last_answer(self, error: BaseException | None, status: int) -> Failure:
        """To what could not be read as a request, or not even be refused by the stage. Nothing is quoted here or in the log: it
        may hold a token."""
        kind = type(error).__name__ if error else "nothing"
        if status >= 500 and isinstance(error, Exception):
            self._log.event("bug", error=kind)
            return self._bug(error)
        self._log.event("noise", status=status, error=kind)
        sentence = f"{self._handshake.stage} was sent something that it cannot read as HTTP ({kind}); see what the client sends"
        return Failure(code=INVALID_REQUEST, message=sentence, status=status)

    def _out_of_time(self) -> Failure:
        sentence = f"{self._handshake.stage} was stopped before this request was answered"
        return Failure(code=SERVER_ERROR, message=sentence, status=503)

    def _bug(self, error: Exception) -> Failure:
        stage = self._handshake.stage
        sentence = f"{stage} failed on this request ({type(error).__name__}); `codex-shim pipeline logs {stage}` shows where"
        return Failure(code=SERVER_ERROR, message=sentence, status=500)

    def _write_line(self, exchange: Exchange, outcome: str) -> None:
        if exchange.quiet and outcome == "ok":
            return
        ours = {
            "request_id": exchange.request_id or None,
            "method": exchange.method,
            "path": exchange.path,
            "status": exchange.response.status if exchange.response else None,
            "outcome": outcome,
            "bytes_in": exchange.bytes_in,
            "bytes_out": exchange.bytes_out,
            "trace": exchange.span.trace,
            "span": exchange.span.span,
            "parent": exchange.caller.span if exchange.caller else None,
            **exchange.timing.fields(),
        }
        self._log.request(**(ours | exchange.notes))


Refuse = Callable[[BaseException | None, int], Failure]


class _Connection(web.RequestHandler):
    """Refuses in our own words what is no request. aiohttp would quote the line it stumbled upon, and write it into the log."""

    __slots__ = ("_refuse",)

    def __init__(self, manager: web.Server, refuse: Refuse, **options: Any) -> None:
        super().__init__(manager, **options)
        self._refuse = refuse

    def let_go(self) -> None:
        """Close it now if it waits for a request, and otherwise as soon as the one that runs is answered."""
        waits = self._waiter is not None and not self._waiter.done()
        self.close()
        if waits and self.transport is not None:
            self.transport.close()

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        if isinstance(exc, ConnectionError):
            raise exc  # the client has left while it was told what went wrong
        failure = self._refuse(exc, status)
        if request.writer.output_size > 0:
            raise ConnectionError("a part of another answer is out already")
        body = msgspec.json.encode(failure.body())
        response = web.Response(body=body, status=status, content_type="application/json")
        response.force_close()
        return response


class _Server(web.Server):
    """Knows those of its connections that have not asked for anything yet."""

    def __init__(self, handler: Any, refuse: Refuse, *, handler_cancellation: bool, **options: Any) -> None:
        super().__init__(handler, handler_cancellation=handler_cancellation)
        self._refuse = refuse
        self._options = options
        self._open: set[_Connection] = set()
        self._unheard: set[_Connection] = set()
        self._one_less = asyncio.Event()

    def __call__(self) -> web.RequestHandler:
        return _Connection(self, self._refuse, loop=asyncio.get_running_loop(), **self._options)

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        assert isinstance(handler, _Connection)
        self._open.add(handler)
        self._unheard.add(handler)

    def connection_lost(self, handler: web.RequestHandler, exc: BaseException | None = None) -> None:
        super().connection_lost(handler, exc)
        assert isinstance(handler, _Connection)
        self._open.discard(handler)
        self.heard(handler)

    def heard(self, handler: web.RequestHandler) -> None:
        assert isinstance(handler, _Connection)
        self._unheard.discard(handler)
        self._one_less.set()

    def close_answered(self) -> None:
        """Those that wait for another request are closed, those that are at work as soon as it is done."""
        for connection in self._open - self._unheard:
            connection.let_go()

    async def all_gone(self, seconds: float) -> None:
        """Return when nobody is connected any more, and all that was written to them is sent.

        A connection that is closed before it was heard is one that its client may not dare to try again: so whoever was let in may
        ask, and is given `seconds` for it.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._until_none(self._unheard)
        for connection in set(self._open):
            connection.let_go()
        await self._until_none(self._open)

    async def _until_none(self, connections: set[_Connection]) -> None:
        while connections:
            self._one_less.clear()
            await self._one_less.wait()


async def _no_websocket(exchange: Exchange) -> None:
    """426 is the one answer upon which Codex falls back to POST at once and in silence."""
    if exchange.headers.get("upgrade", "").lower() != "websocket":
        raise refuse("responses are created with POST /v1/responses", status=405)
    raise refuse("this endpoint does not speak WebSocket; use POST", status=426, code="websocket_unsupported")


def _no_route(exchange: Exchange, methods: set[str]) -> HopError:
    if methods:
        return refuse(f"{exchange.path} is asked with {' or '.join(sorted(methods))}, not {exchange.method}", status=405)
    if exchange.path.rstrip("/") in ("/responses", "/models"):
        return refuse(f"there is no {exchange.path} here; the base URL ends in /v1", status=404, code="not_found")
    return refuse(f"there is no {exchange.method} {exchange.path} here", status=404, code="not_found")
