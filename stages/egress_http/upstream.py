"""One provider: its address, its credential, and the exchange of one translated request for a stream of events."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from urllib.parse import urlsplit

import msgspec

from ..contract.body import UNREADABLE
from ..contract.errors import INVALID_REQUEST, Failure, HopError
from ..contract.events import ResponseBuilder
from ..contract.sse import Frame
from ..kit.client import HopClient, Reply
from ..kit.timing import Timing
from .config import Config
from .credentials import ApiKey, Credential, Proof
from .dialects import finish, waits
from .dialects.base import Dialect, Outgoing, Output, Prepared
from .dialects.framing import Framing
from .passing import to_chatgpt, to_client, to_upstream
from .redact import Redactor
from .users_login import UsersLogin

# How long usage may come after the reason to stop; some servers then leave the connection open and silent.
GRACE_SECONDS = 2.0
# A whole answer in one piece of JSON.
JSON_LIMIT = 64 * 1024 * 1024

_encode = msgspec.json.Encoder().encode


class Upstream:
    """Sends prepared requests. `who` is how errors name the provider."""

    def __init__(self, config: Config, dialect: Dialect, *, grace_seconds: float = GRACE_SECONDS) -> None:
        self.who = urlsplit(config.base_url).hostname or config.base_url
        self._base_url = config.base_url.rstrip("/")
        self._credential = credential_of(config)
        self._passed = to_chatgpt if config.login else partial(to_upstream, dialect=config.dialect)
        self._headers = {
            "content-type": "application/json",
            "accept": "text/event-stream",
            "accept-encoding": "identity",  # compressing a stream of small events only delays them
            "user-agent": "codex-shim",
        }
        self._own_headers = config.headers
        self._dialect = dialect
        self._grace = grace_seconds
        self._client = HopClient(
            patience=1.0,
            connect_seconds=config.connect_seconds,
            idle_seconds=config.idle_seconds,
            connections=config.connections,
            outside=True,
        )

    async def close(self) -> None:
        await self._client.close()

    async def events(
        self,
        prepared: Prepared,
        builder: ResponseBuilder,
        request: Mapping[str, str],
        returned: dict[str, str],
        timing: Timing | None = None,
    ) -> AsyncIterator[Sequence[Output]]:
        """The events of one response, one list per read; the first comes with the status, and may be empty. Ends with a terminal
        event.

        `request` are the headers that came to this hop, `returned` takes up those of the answer, `timing` its moments. Raises
        `HopError` only before the first list: what fails later is a `response.failed`.
        """
        proof = await self._credential.prove(request)
        async with self._accepted(prepared, proof, request, returned, timing) as reply:
            yield [] if prepared.begins else builder.start()
            redactor = self._redactor(proof)
            async for events in self._translated(reply, prepared, builder):
                yield name_provider(events, self.who, redactor)
            reply.dismiss()

    async def whole(
        self, outgoing: Outgoing, request: Mapping[str, str], returned: dict[str, str], timing: Timing | None = None
    ) -> bytes:
        """An answer in one piece of JSON, as it comes. The arguments are those of `events`; raises `HopError`."""
        proof = await self._credential.prove(request)
        async with self._accepted(outgoing, proof, request, returned, timing) as reply:
            body = await reply.read(JSON_LIMIT)
        if not _is_json(body):
            failure = finish.garbage(self._redactor(proof).body(body))
            raise HopError(msgspec.structs.replace(failure, message=f"{self.who}: {failure.message}"))
        return body

    @asynccontextmanager
    async def _accepted(
        self, outgoing: Outgoing, proof: Proof, request: Mapping[str, str], returned: dict[str, str], timing: Timing | None
    ) -> AsyncIterator[Reply]:
        """An answer that is a success."""
        body = outgoing.payload if isinstance(outgoing.payload, bytes) else _encode(outgoing.payload)
        headers = {**self._headers, **self._passed(request), **outgoing.headers, **proof.headers, **self._own_headers}
        url = self._base_url + outgoing.path
        async with self._client.open("POST", url, headers, body, who=self.who, timing=timing) as reply:
            returned.update(to_client(reply.headers))
            if not 200 <= reply.status < 300:
                raise HopError(await self._refusal(reply, proof))
            if "html" in reply.headers.get("content-type", ""):
                raise HopError(self._web_page())
            yield reply

    async def _translated(self, reply: Reply, prepared: Prepared, builder: ResponseBuilder) -> AsyncIterator[Sequence[Output]]:
        translator, batches = prepared.translator, _frames(reply)
        while not builder.ended:
            try:
                async with asyncio.timeout(self._grace if translator.settled else None):
                    batch = await anext(batches, None)
            except TimeoutError:
                break
            except HopError as error:
                if not translator.settled:
                    yield builder.fail(error.failure)
                break
            if batch is None:
                break
            if events := [event for frame in batch for event in translator.feed(frame)]:
                yield events
        if events := translator.finish():
            yield events

    def _web_page(self) -> Failure:
        sentence = f"{self.who} answered with a web page instead of a model's answer; {self._credential.lost}"
        return Failure(code=INVALID_REQUEST, message=sentence, status=502)

    async def _refusal(self, reply: Reply, proof: Proof) -> Failure:
        redactor = self._redactor(proof)
        if reply.status < 400:
            return self._redirect(reply, redactor)
        wait, body = waits.retry_after(reply.headers, time.time()), redactor.body(await reply.read())
        failure = self._credential.explain(self._dialect.read_error(reply.status, body, wait), body, reply.headers)
        said = redactor.text(failure.message)  # JSON can write a key in more ways than one
        # What the user can do about it, where the provider's own sentence does not say.
        advice = f"; {self._credential.remedy}" if reply.status in (401, 403) else ""
        return msgspec.structs.replace(failure, message=f"{self.who}: {said} (HTTP {reply.status}{advice})")

    def _redirect(self, reply: Reply, redactor: Redactor) -> Failure:
        """Not followed: the key was given for this address."""
        place = redactor.text(reply.headers.get("location", "").partition("?")[0]) or "nowhere"
        sentence = f"{self.who} sends on to {place} (HTTP {reply.status}), which is not followed; {self._credential.lost}"
        return Failure(code=INVALID_REQUEST, message=sentence, status=502)

    def _redactor(self, proof: Proof) -> Redactor:
        return Redactor([*proof.secrets, *self._own_headers.values()])


def credential_of(config: Config) -> Credential:
    """What the worker of this configuration has to show."""
    return UsersLogin(config.login) if config.login else ApiKey(config.api_key, config.key_header)


def name_provider(events: Sequence[Output], who: str, redactor: Redactor) -> Sequence[Output]:
    """A translator does not know whose stream it reads, so a failure inside it gets the provider's name here, and loses what is
    secret."""
    last = events[-1]
    if isinstance(last, dict) and last["type"] == "response.failed":
        error = redactor.value(last["response"]["error"])
        if not error["message"].startswith(who):
            error["message"] = f"{who}: {error['message']}"
        last["response"]["error"] = error
    return events


def _is_json(body: bytes) -> bool:
    try:
        msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except UNREADABLE:
        return False
    return True


async def _frames(reply: Reply) -> AsyncIterator[list[Frame]]:
    """Frames per read."""
    framing = Framing(reply.headers.get("content-type", ""))
    async for chunk in reply.chunks():
        yield framing.feed(chunk)
    yield framing.finish()
