"""The client side of a hop: one pooled keep-alive session, streaming both ways, and errors in our own words.

A request is sent again in three cases only, never once a byte of the answer has come. The connection was never made: the next
stage may just be changing hands. Or it was made earlier, kept alive, and died: the other side closed it while we were writing.
Or it was new and died, which a program that closes its port does to those who had been waiting there: then once, and only to a
stage of the chain: a provider is never asked twice because of it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp

from ..contract.errors import SERVER_ERROR, Failure, HopError
from ..contract.handshake import is_loopback
from .timing import Timing

# Codex's turn metadata is JSON in a header and outgrows aiohttp's 8 KiB.
MAX_HEADER = 256 * 1024
READ_SIZE = 256 * 1024
# Shorter than the server's own patience (kit/server.py), so that a connection is rarely reused while it is being closed.
KEEPALIVE_SECONDS = 30.0
_FIRST_PAUSE = 0.02
# How long an answer that has said all it has to say may take to end. A provider may have few places to serve from.
_REST_SECONDS = 5.0
_REST_SECONDS_OUTSIDE = 0.5


class Reply:
    """An answer whose headers have come."""

    def __init__(self, response: aiohttp.ClientResponse, who: str, timing: Timing) -> None:
        self._response = response
        self._who = who
        self._timing = timing
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers
        self.dismissed = False

    @property
    def is_stream(self) -> bool:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower() == "text/event-stream"

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes. Raises `HopError` where it breaks off or stays silent too long."""
        try:
            async for chunk in self._response.content.iter_any():
                self._timing.read()
                yield chunk
        except TimeoutError as error:
            raise _broken(f"{self._who} sent nothing for too long and was given up", 504) from error
        except (aiohttp.ClientError, OSError) as error:
            raise _broken(f"{self._who} broke off in the middle of its answer") from error

    async def read(self, limit: int = 8 * 1024 * 1024) -> bytes:
        """The whole body, up to `limit` bytes; the rest is not waited for."""
        pieces: list[bytes] = []
        size = 0
        async for chunk in self.chunks():
            pieces.append(chunk)
            size += len(chunk)
            if size >= limit:
                break
        return b"".join(pieces)[:limit]

    def dismiss(self) -> None:
        """It has said all it has to say: behind the `open` block, what is left of its body is taken in the background. So nobody
        waits for it, the connection can serve again, and no hop takes a turn that ended well for one that was cancelled."""
        self.dismissed = True


class HopClient:
    """Opens exchanges with the next hop or, `outside`, with a provider.

    `patience` is for how many seconds a refused connection is tried again; `idle_seconds` how long an answer may be silent, None
    for ever. Only outside do HTTPS_PROXY and its kin count (never toward this machine itself), and only inside is a request sent
    again that died on a new connection: a provider may have counted it.
    """

    def __init__(
        self,
        *,
        patience: float = 5.0,
        connect_seconds: float = 10.0,
        idle_seconds: float | None = None,
        connections: int = 0,
        outside: bool = False,
    ) -> None:
        self._patience = patience
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=connect_seconds, sock_read=idle_seconds)
        self._connections = connections
        self._outside = outside
        self._rests: set[asyncio.Task[None]] = set()
        self._proxy_of: dict[str, str | None] = {}
        self._session: aiohttp.ClientSession | None = None

    @asynccontextmanager
    async def open(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None = None,
        *,
        who: str = "the next hop",
        timing: Timing | None = None,
    ) -> AsyncIterator[Reply]:
        """Yields once the status is known. Leaving the block early closes the connection, which cancels the other side, unless the
        reply was dismissed. `timing` is the clock of the exchange that this is done for."""
        timing = timing or Timing()
        timing.sent()
        response = await self._send(method, url, headers, body, who, timing)
        timing.answered()
        reply = Reply(response, who, timing)
        try:
            yield reply
        finally:
            # A fully read response has already given its connection back; anything else must not be reused.
            if reply.dismissed and not response.closed:
                self._take_rest(reply, response)
            else:
                response.close()

    async def close(self) -> None:
        for rest in self._rests:
            rest.cancel()
        await asyncio.gather(*self._rests, return_exceptions=True)
        if self._session:
            await self._session.close()

    def _take_rest(self, reply: Reply, response: aiohttp.ClientResponse) -> None:
        def taken(rest: asyncio.Task[None]) -> None:  # also where it was cancelled before it began
            self._rests.discard(rest)
            response.close()

        rest = asyncio.create_task(_read_rest(reply, _REST_SECONDS_OUTSIDE if self._outside else _REST_SECONDS))
        self._rests.add(rest)
        rest.add_done_callback(taken)

    async def _send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, who: str, timing: Timing
    ) -> aiohttp.ClientResponse:
        loop = asyncio.get_running_loop()
        give_up_at, pause = loop.time() + self._patience, _FIRST_PAUSE
        may_die = not self._outside
        while True:
            trace = SimpleNamespace(reused=False)
            try:
                return await self._open_session().request(
                    method,
                    url,
                    headers=headers,
                    data=body,
                    allow_redirects=False,
                    proxy=self._proxy_for(url),
                    trace_request_ctx=trace,
                )
            except aiohttp.ClientConnectorError as error:
                if loop.time() + pause > give_up_at:
                    raise _broken(f"{who} cannot be reached at {_origin(url)}: {_why(error)}") from error
                timing.again("no connection")
                await asyncio.sleep(pause)
                pause = min(pause * 2, 0.5)
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
                if not trace.reused:
                    if not may_die:
                        raise _broken(f"{who} closed the connection without an answer") from error
                    may_die = False
                    await asyncio.sleep(pause)
                timing.again("the connection died")
            except TimeoutError as error:
                raise _broken(f"{who} did not answer in time", 504) from error
            except (aiohttp.ClientError, ValueError) as error:
                raise _broken(f"{who} did not answer in HTTP: {type(error).__name__}") from error

    def _proxy_for(self, url: str) -> str | None:
        """Asked once per origin, and not through aiohttp's `trust_env`: that asks in two threads for every request, and sends what
        ~/.netrc knows of a host where the user gave no key, or refuses the request where he did."""
        if not self._outside:
            return None
        origin = _origin(url)
        if origin not in self._proxy_of:
            address = urlsplit(url)
            host = address.hostname or ""
            direct = is_loopback(host) or proxy_bypass(host)
            self._proxy_of[origin] = None if direct else getproxies().get(address.scheme)
        return self._proxy_of[origin]

    def _open_session(self) -> aiohttp.ClientSession:
        """Made on first use: a session belongs to a running loop."""
        if self._session is None:
            tracer = aiohttp.TraceConfig()
            tracer.on_connection_reuseconn.append(_mark_reused)
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=self._connections, keepalive_timeout=KEEPALIVE_SECONDS, happy_eyeballs_delay=0.25
                ),
                timeout=self._timeout,
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding"),
                max_line_size=MAX_HEADER,
                max_field_size=MAX_HEADER,
                read_bufsize=READ_SIZE,
                trace_configs=[tracer],
            )
        return self._session


async def _read_rest(reply: Reply, seconds: float) -> None:
    with suppress(TimeoutError, HopError):
        async with asyncio.timeout(seconds):
            async for _ in reply.chunks():
                pass


async def _mark_reused(session: aiohttp.ClientSession, context: Any, params: Any) -> None:
    context.trace_request_ctx.reused = True


def _broken(sentence: str, status: int = 502) -> HopError:
    return HopError(Failure(code=SERVER_ERROR, message=sentence, status=status))


def _why(error: aiohttp.ClientConnectorError) -> str:
    number = error.os_error.errno
    return os.strerror(number) if number and number > 0 else str(error.os_error)


def _origin(url: str) -> str:
    return "/".join(url.split("/", 3)[:3])
