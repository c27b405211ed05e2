"""A provider of chat completions that says what a test tells it to, over raw sockets, so that it can also break every rule.

    upstream.script(says("Hello"), refuses(500, {"error": {"message": "boom"}}))
    upstream.script(lambda request: says("child") if "poem" in request.text else says("parent"))

Answers are used in order, one per request. A function is asked for every request from its place on. A request nobody scripted
is answered with 400 and fails the test in the end. It runs in a thread of its own; everything here may be called from the test's.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
import time
from collections.abc import Callable
from typing import Any

import marked
from chat_answers import Answer, refuses
from ports import held_port
from upstream_connection import Connection, Received
from waiting import PATIENCE

Scripted = Answer | Callable[[Received], Answer]

UNSCRIPTED = "this request was not scripted"
KEY = marked.key("scripted")
# Room for all who connect at once: beyond it the system lets them try again, a second later.
_BACKLOG = 1024


class Gate:
    """A point in an answer that waits for the test. `reached` is set when the answer has come to it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.reached = threading.Event()
        self._loop = loop
        self._open = asyncio.Event()

    def open(self) -> None:
        self._loop.call_soon_threadsafe(self._open.set)

    def wait_reached(self, seconds: float = PATIENCE) -> None:
        assert self.reached.wait(seconds), f"the upstream did not come to this point within {seconds:g} s"

    async def pass_through(self) -> None:
        """For the upstream itself."""
        self.reached.set()
        await self._open.wait()


class ScriptedUpstream:
    """`requests` are all that came, in order; `url` is the base URL for models.json. It ends in `path`; with `tls` it is https."""

    def __init__(self, path: str = "/v1", tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Received] = []
        self.unscripted: list[Received] = []
        self.port = 0
        self._path, self._tls = path, tls
        self._changed = threading.Condition()
        self._script: list[Scripted] = []
        self._loop = asyncio.new_event_loop()
        self._connections: set[Connection] = set()
        self._server: asyncio.Server | None = None
        self._held = held_port()
        self._thread = threading.Thread(target=self._loop.run_forever, name="scripted upstream", daemon=True)
        self._thread.start()
        self.listen()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}{self._path}"

    @property
    def open_connections(self) -> int:
        return len(self._connections)

    def model(self, **row: Any) -> dict[str, Any]:
        """A row of models.json that leads here. Its key is a marked one (marked.py)."""
        return {"model": "scripted", "provider": "openai", "base_url": self.url, "api_key": KEY, **row}

    def script(self, *answers: Scripted) -> None:
        """What to answer from now on. Forgets an earlier script and earlier requests."""
        with self._changed:
            self.requests.clear()
            self.unscripted.clear()
            self._script = list(answers)

    def gate(self) -> Gate:
        return Gate(self._loop)

    def wait_for_request(self, number: int = 1, seconds: float = PATIENCE) -> Received:
        """The `number`th request since `script`, counted from 1."""
        with self._changed:
            come = self._changed.wait_for(lambda: len(self.requests) >= number, seconds)
            assert come, f"request {number} did not come within {seconds:g} s; there were {len(self.requests)}"
            return self.requests[number - 1]

    def listen(self) -> None:
        """Accept connections, on the same port again after `refuse_connections`."""
        self._on_loop(self._listen())

    def refuse_connections(self) -> None:
        """Be gone: nothing listens, and every open connection is cut."""
        self._on_loop(self._go())

    def close(self) -> None:
        self.refuse_connections()
        self._held.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    # -- in the thread of the upstream --------------------------------------------------------------------------------

    async def _listen(self) -> None:
        def connection() -> Connection:
            return Connection(self._answer, self._connections)

        self.port = self._held.getsockname()[1]
        self._server = await self._loop.create_server(connection, sock=self._held, ssl=self._tls, backlog=_BACKLOG)

    async def _go(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
            self._held = held_port(self.port)
        tasks = [connection.abort() for connection in list(self._connections)]
        await asyncio.gather(*tasks, return_exceptions=True)

    def _answer(self, request: Received) -> Answer:
        with self._changed:
            answer = self._next()
            request.number = len(self.requests) + 1
            self.requests.append(request)
            if answer is None:
                self.unscripted.append(request)
            self._changed.notify_all()
        if answer is None:
            return refuses(400, {"error": {"message": UNSCRIPTED, "type": "invalid_request_error"}})
        return answer if isinstance(answer, Answer) else answer(request)

    def _next(self) -> Scripted | None:
        if not self._script:
            return None
        return self._script.pop(0) if isinstance(self._script[0], Answer) else self._script[0]

    def _on_loop(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE)


def seconds_since(moment: float) -> float:
    return time.monotonic() - moment
