"""The server side of one request: what came in, and the one way to answer it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from aiohttp import web

from ..contract import traceparent
from ..contract.errors import refuse
from ..contract.headers import REQUEST_ID, TRACEPARENT
from ..contract.traceparent import Traceparent
from .timing import Timing

_MIB = 1024 * 1024

# Inner hops see bodies that ingress has already limited and decompressed; this only keeps a stray client from filling memory.
INNER_LIMIT = 512 * 1024 * 1024


class Exchange:
    """One request and its answer. `notes` end up in the canonical log line; put slugs and counts there, never content."""

    def __init__(self, request: web.BaseRequest) -> None:
        self.timing = Timing()
        self._request = request
        self.method = request.method
        self.path = request.path
        self.query: Mapping[str, str] = request.query
        self.headers: Mapping[str, str] = request.headers
        self.request_id = request.headers.get(REQUEST_ID, "")
        self.caller = traceparent.read(request.headers.get(TRACEPARENT))  # who sent this, as the caller of us names itself
        self.span = _span_of(self.caller)  # this exchange at this hop
        self.added_headers: dict[str, str] = {}  # what this stage adds for the hops behind it
        self.answer_headers: dict[str, str] = {}  # what this stage adds to its answer, whatever the answer will be
        self.notes: dict[str, Any] = {}
        self.quiet = False  # what is asked for every other second has a line in the log only where it fails
        self.heard: Callable[[bytes], None] | None = None  # gets each piece of the answer that goes out
        self.response: web.StreamResponse | None = None
        self.ended = False
        self.bytes_in = 0
        self.bytes_out = 0
        self._body: bytes | None = None

    @property
    def started(self) -> bool:
        """Whether a part of the answer is already out."""
        return self.response is not None

    @property
    def connected(self) -> bool:
        """Whether the client is still there."""
        transport = self._request.transport
        return transport is not None and not transport.is_closing()

    async def body(self, limit: int = INNER_LIMIT) -> bytes:
        """The whole body as it was sent, still compressed if it was. Raises `HopError` (413) beyond `limit` bytes."""
        if self._body is None:
            self._body = await self._read(limit)
            self.bytes_in = len(self._body)
        return self._body

    async def reply(self, payload: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        """Answer with JSON; `bytes` are taken as encoded already."""
        body = payload if isinstance(payload, bytes) else msgspec.json.encode(payload)
        self.response = web.Response(body=body, status=status, headers=self._headers(headers, "application/json"))
        self.bytes_out = len(body)
        if self.heard is not None:
            self.heard(body)
        await self.response.prepare(self._request)
        await self.response.write_eof()
        self.timing.written()
        self.ended = True

    async def start(self, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        """Begin an answer that is written piece by piece; an event stream unless `headers` say otherwise."""
        self.response = web.StreamResponse(status=status, headers=self._headers(headers, "text/event-stream"))
        await self.response.prepare(self._request)

    async def write(self, chunk: bytes) -> None:
        """Returns when the client has room for more, so that a slow client slows its upstream."""
        assert self.response is not None, "start() comes first"
        self.bytes_out += len(chunk)
        if self.heard is not None:
            self.heard(chunk)
        await self.response.write(chunk)
        self.timing.written()

    async def end(self) -> None:
        assert self.response is not None, "start() comes first"
        await self.response.write_eof()
        self.ended = True

    def abort(self) -> None:
        """Cut the connection: the client must not take what it has for a whole answer."""
        if self._request.transport is not None:
            self._request.transport.abort()

    async def _read(self, limit: int) -> bytes:
        length = self._request.content_length
        if length is not None and length > limit:
            raise too_large(limit)
        pieces: list[bytes] = []
        size = 0
        async for piece in self._request.content.iter_any():
            size += len(piece)
            if size > limit:
                raise too_large(limit)
            pieces.append(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _headers(self, headers: Mapping[str, str] | None, content_type: str) -> dict[str, str]:
        return {"content-type": content_type, **self.answer_headers, **(headers or {}), REQUEST_ID: self.request_id}


def _span_of(caller: Traceparent | None) -> Traceparent:
    """A span of our own, in the caller's trace or at the beginning of one."""
    span = os.urandom(8).hex()
    return Traceparent(caller.trace, span, caller.flags) if caller else Traceparent(os.urandom(16).hex(), span)


def too_large(limit: int) -> Exception:
    """Less than 1 MiB is for what is no conversation, and nobody can raise it."""
    if limit < _MIB:
        return refuse(f"the request body is larger than {limit // 1024} KiB, which is more than this ever needs", status=413)
    return refuse(
        f"the request body is larger than {limit // _MIB} MiB; shorten the conversation, or raise "
        "`body_limit_mib` of the ingress stage in pipeline.toml",
        status=413,
    )
