"""One provider: its address, its credential, and the exchange of one translated request for a stream of events."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from urllib.parse import urlsplit

import msgspec

from ..contract.errors import INVALID_REQUEST, Failure, HopError
from ..contract.events import ResponseBuilder
from ..contract.secret import REDACTED
from ..contract.sse import Frame
from ..kit.client import HopClient, Reply
from .config import Config
from .credentials import ApiKey
from .dialects import waits
from .dialects.base import Dialect, Output, Prepared
from .dialects.framing import Framing
from .passing import to_client

# How long usage may come after the reason to stop; some servers then leave the connection open and silent.
GRACE_SECONDS = 2.0
# Of what is shorter, like the `1` in `x-beta: 1`, an error may speak by chance.
SHORTEST_SECRET = 8

_encode = msgspec.json.Encoder().encode


class Upstream:
    """Sends prepared requests. `who` is how errors name the provider."""

    def __init__(self, config: Config, dialect: Dialect, *, grace_seconds: float = GRACE_SECONDS) -> None:
        self.who = urlsplit(config.base_url).hostname or config.base_url
        self._base_url = config.base_url.rstrip("/")
        self._headers = {
            **ApiKey(config.api_key, config.key_header).headers(),
            "content-type": "application/json",
            "accept": "text/event-stream",
            "accept-encoding": "identity",  # compressing a stream of small events only delays them
            "user-agent": "codex-shim",
            **config.headers,
        }
        self._secrets = [value for value in (config.api_key or "", *config.headers.values()) if len(value) >= SHORTEST_SECRET]
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
        self, prepared: Prepared, builder: ResponseBuilder, sent: Mapping[str, str], returned: dict[str, str]
    ) -> AsyncIterator[Sequence[Output]]:
        """The events of one response, one list per read; the first comes with the status, and may be empty. Ends with a terminal
        event.

        `sent` are the client's headers that go along, `returned` takes up those of the answer. Raises `HopError` only before the
        first list: what fails later is a `response.failed`.
        """
        body = prepared.payload if isinstance(prepared.payload, bytes) else _encode(prepared.payload)
        headers = {**sent, **prepared.headers, **self._headers}
        async with self._client.open("POST", self._base_url + prepared.path, headers, body, who=self.who) as reply:
            returned.update(to_client(reply.headers))
            if not 200 <= reply.status < 300:
                raise HopError(await self._refusal(reply))
            if "html" in reply.headers.get("content-type", ""):
                raise HopError(self._web_page())
            yield [] if prepared.begins else builder.start()
            async for events in self._translated(reply, prepared, builder):
                yield name_provider(events, self.who, self._secrets)
            await reply.drain()

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
        sentence = f"{self.who} answered with a web page instead of a model's answer; check `base_url` in models.json"
        return Failure(code=INVALID_REQUEST, message=sentence, status=502)

    async def _refusal(self, reply: Reply) -> Failure:
        if reply.status < 400:
            return self._redirect(reply)
        wait = waits.retry_after(reply.headers, time.time())
        failure = self._dialect.read_error(reply.status, await reply.read(), wait)
        said = without_secrets(failure.message, self._secrets)
        return msgspec.structs.replace(failure, message=f"{self.who}: {said}{_advice(reply.status)}")

    def _redirect(self, reply: Reply) -> Failure:
        """Not followed: the key was given for this address."""
        place = reply.headers.get("location", "").partition("?")[0] or "nowhere"
        sentence = f"{self.who} sends on to {place} (HTTP {reply.status}); write the right address as `base_url` in models.json"
        return Failure(code=INVALID_REQUEST, message=sentence, status=502)


def name_provider(events: Sequence[Output], who: str, secrets: Sequence[str] = ()) -> Sequence[Output]:
    """A translator does not know whose stream it reads, so a failure inside it gets the provider's name here."""
    last = events[-1]
    if isinstance(last, dict) and last["type"] == "response.failed":
        error = last["response"]["error"]
        error["message"] = without_secrets(error["message"], secrets)
        if not error["message"].startswith(who):
            error["message"] = f"{who}: {error['message']}"
    return events


def without_secrets(message: str, secrets: Sequence[str]) -> str:
    """Some providers repeat a key when they refuse it, and what they say ends up in logs and on screens."""
    for secret in secrets:
        message = message.replace(secret, REDACTED)
    return message


async def _frames(reply: Reply) -> AsyncIterator[list[Frame]]:
    """Frames per read."""
    framing = Framing(reply.headers.get("content-type", ""))
    async for chunk in reply.chunks():
        yield framing.feed(chunk)
    yield framing.finish()


def _advice(status: int) -> str:
    """What the user can do about it, where the provider's own sentence does not say."""
    if status in (401, 403):
        return f" (HTTP {status}; check the key of this model in models.json, then `codex-shim restart`)"
    return f" (HTTP {status})"
