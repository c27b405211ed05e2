"""Send a request on and its answer back, as bytes.

Nothing of the answer is parsed unless the stage wants to change it. An answer that breaks off is broken off toward the client
too: only ingress may make a well-formed end out of it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from ..contract.headers import TRACEPARENT, forward_request, forward_response
from ..contract.secret import Secret
from ..contract.sse import Frame, SSEDecoder, encode_frame
from .client import HopClient, Reply
from .exchange import INNER_LIMIT, Exchange


class FrameFilter(Protocol):
    """Changes a stream: frames in, frames out, each as soon as it is known."""

    def feed(self, frame: Frame) -> list[Frame]: ...

    def finish(self) -> list[Frame]: ...


class NextHop:
    """Where a stage sends to, and how it proves that it belongs to the chain."""

    def __init__(self, client: HopClient, base_url: str, token: Secret | None, name: str) -> None:
        self._client = client
        self._name = name
        self._base_url = base_url
        self._token = token

    def headers(self, exchange: Exchange) -> dict[str, str]:
        """The client's end-to-end headers with the hop's own token in place of the client's."""
        headers = forward_request(exchange.headers.items()) | exchange.added_headers
        headers[TRACEPARENT] = exchange.span.header()
        if self._token:
            headers["authorization"] = f"Bearer {self._token.reveal()}"
        return headers

    def to(self, base_url: str, name: str, client: HopClient | None = None) -> NextHop:
        """Another destination with the same credentials: a router has many. `client` is for who is patient in another way."""
        return NextHop(client or self._client, base_url, self._token, name)

    def open(self, exchange: Exchange, body: bytes | None) -> AbstractAsyncContextManager[Reply]:
        """The reply, once its status is known."""
        target = self._base_url + exchange.path
        return self._client.open(exchange.method, target, self.headers(exchange), body, who=self._name, timing=exchange.timing)

    async def relay(
        self,
        exchange: Exchange,
        body: bytes | None,
        *,
        change: FrameFilter | None = None,
        change_whole: Callable[[bytes], bytes] | None = None,
    ) -> None:
        """Forward the exchange. `change` is applied to an event stream, frame by frame; `change_whole` to the body of any other
        successful answer, which is then read to its end first. Without them, and for errors, bytes pass as they come.
        """
        async with self.open(exchange, body) as reply:
            if change_whole is not None and reply.status == 200 and not reply.is_stream:
                whole = change_whole(await reply.read(INNER_LIMIT))
                await exchange.reply(whole, headers=forward_response(reply.headers.items()))
                return
            await exchange.start(reply.status, forward_response(reply.headers.items()))
            if change is not None and reply.is_stream:
                await _copy_changed(reply, exchange, change)
            else:
                async for chunk in reply.chunks():
                    await exchange.write(chunk)
            await exchange.end()


async def _copy_changed(reply: Reply, exchange: Exchange, change: FrameFilter) -> None:
    decoder = SSEDecoder()
    async for chunk in reply.chunks():
        await _write_changed(exchange, decoder.feed(chunk), change)
    await _write_changed(exchange, decoder.finish(), change)
    await _write_frames(exchange, change.finish())


async def _write_changed(exchange: Exchange, frames: list[Frame], change: FrameFilter) -> None:
    """Where a filter fails, what it had let through before goes out first: it came in one read only by chance."""
    changed: list[Frame] = []
    try:
        for frame in frames:
            changed += change.feed(frame)
    finally:
        await _write_frames(exchange, changed)


async def _write_frames(exchange: Exchange, frames: list[Frame]) -> None:
    if frames:
        await exchange.write(b"".join([encode_frame(frame) for frame in frames]))
