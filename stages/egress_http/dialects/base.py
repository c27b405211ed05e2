"""What a dialect is: a language some upstream speaks, translated from and to Responses.

A dialect takes values and returns values. It has no network, clock, environment, files or logging; ids and the creation time come
with the `ResponseBuilder` it is handed, so the same request and the same bytes always give the same answer. A provider is data in
models.json; only a language that none of these speaks is new code.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

import msgspec

from ...contract.errors import Failure
from ...contract.events import Event, ResponseBuilder
from ...contract.sse import Frame
from ..config import Quirks


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """The model asked, by its upstream name, and what it can take.

    `provider` names whoever serves it, so that opaque state goes back only to where it came from; `host` is that of its address.
    `from_codex` says that Codex wrote the request, not another client.
    """

    model: str
    provider: str = ""
    host: str = ""
    max_output_tokens: int | None = None
    images: bool = True
    quirks: Quirks = Quirks()
    from_codex: bool = False


# The code of a refusal of opaque state in the request: somebody else made it, or it was changed on the way.
UNVERIFIED = "invalid_encrypted_content"


class Passed(NamedTuple):
    """A frame of an upstream that speaks Responses itself, ready to be sent. `event` is what is inside, where somebody looked."""

    data: bytes
    event: Event | None = None


Output = Event | Passed


def last_event(outputs: Sequence[Output]) -> Event | None:
    """The event at the end of these, None where nobody looked at it."""
    last = outputs[-1] if outputs else None
    return last.event if isinstance(last, Passed) else last


class Translator(Protocol):
    """One upstream answer, turned into the events of one response."""

    @property
    def ended(self) -> bool:
        """The terminal event has been given out; everything after it is `[]`."""
        ...

    @property
    def settled(self) -> bool:
        """The upstream has said why it stopped: nothing but usage can follow, and a break is no loss."""
        ...

    def feed(self, frame: Frame) -> Sequence[Output]:
        """One frame of the upstream body in, the events it causes out."""
        ...

    def finish(self) -> Sequence[Output]:
        """The upstream body is over, in whatever way. Afterwards `ended` is true."""
        ...


class Second(msgspec.Struct, frozen=True, kw_only=True):
    """What to send instead where the upstream refuses a request as `UNVERIFIED`: `payload` makes it, None where there is nothing
    that could be left out; `note` says for the log what was."""

    note: str
    payload: Callable[[], bytes | None]


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """What to send.

    `path` is appended to the base URL, `payload` is the JSON body (bytes where it must not be encoded anew), `headers` are what the
    language itself asks for, `notes` are sentences for the log: what of the request this upstream cannot be given, and so was left
    out or put in other words.
    """

    path: str
    payload: dict[str, Any] | bytes
    notes: list[str]
    headers: dict[str, str] = {}
    second: Second | None = None


class Prepared(Outgoing, frozen=True, kw_only=True):
    """And who reads the answer. `begins` says that the translator gives out the beginning of the response too."""

    translator: Translator
    begins: bool = False


class Dialect(Protocol):
    """One language."""

    def prepare(self, body: dict[str, Any], target: Target, builder: ResponseBuilder, *, raw: bytes = b"") -> Prepared:
        """Translate a Responses request. Does not change `body`, which was decoded from `raw`.

        Raises `HopError` where it cannot be said in this language.
        """
        ...

    def read_error(self, status: int, body: bytes, retry_after: str | None) -> Failure:
        """Understand an answer that is not a success: one of our codes, the provider's own sentence."""
        ...


@runtime_checkable
class NativeCompaction(Protocol):
    """What a dialect is besides where its upstream shortens conversations by itself: a `compaction_trigger` goes there like
    anything else, and `/responses/compact` is asked in its own words."""

    def prepare_compaction(self, body: dict[str, Any], target: Target, *, raw: bytes) -> Outgoing:
        """A request of `POST /v1/responses/compact`. The answer is passed on as it comes. Raises as `prepare` does."""
        ...
