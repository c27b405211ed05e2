"""What the probes of some hops tell, as it happens: one thread per probe reads, whoever asked takes.

Whoever takes slowly lets the threads wait, and with them the connections; then a probe drops what does not fit and says how much.
No stream ever waits for it. The probes are there as long as the connection to the chain is. When the chain has become another, it
says over the same connection which probes there are now.
"""

from __future__ import annotations

import contextlib
import http.client
import queue
import threading
import time
from collections.abc import Iterator
from typing import Any

import msgspec

from .. import loopback
from ..control import Connection, Message, NotRunningError
from .crossing import Record

_WAITING = 2000
_START_SECONDS = 30.0
# A probe that dies is started anew, which takes a moment; one that is away for so long has gone with its chain.
_AWAY_SECONDS = 5.0
_AGAIN_SECONDS = 0.2
# A wait without an end hears no Ctrl-C on Windows.
_TURN_SECONDS = 0.5

_GONE = "the chain was changed, and none of the hops that were watched is in it any more"


class RefusedError(Exception):
    """The chain does not put a probe there; the message says why."""


class FeedEndedError(Exception):
    """There is nothing to watch any more; the message says why."""


class Feed:
    """`next` gives one record after the other; `hops` are those that are watched at the moment. Leaving the `with` block takes the
    probes out of the chain again."""

    def __init__(self, connection: Connection, hops: list[str], *, bodies: bool = False, events: bool = False) -> None:
        self._connection = connection
        self._answers = connection.ask("probe", hops=hops)
        self._query = f"?bodies={int(bodies)}&events={int(events)}"
        self._records: queue.Queue[Record | None] = queue.Queue(_WAITING)
        self._readers: dict[str, _Reader] = {}  # by the address of the probe
        self.hops: list[str] = []

    def __enter__(self) -> Feed:
        """Returns when every hop is watched. Raises `NotRunningError` and `RefusedError`."""
        first = next(self._answers, None) or {"error": "the chain went away before it answered"}
        if "probes" not in first:
            raise RefusedError(str(first.get("error")))
        self._watch(first["probes"])
        give_up_at = time.monotonic() + _START_SECONDS
        for reader in self._readers.values():
            if not reader.watching.wait(max(0.0, give_up_at - time.monotonic())):
                self._answers.close()
                raise RefusedError(f"the probe at {reader.hop} does not answer; `codex-shim pipeline logs` tells more")
        threading.Thread(target=self._follow, name="watch the chain", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.hang_up()

    def next(self, seconds: float | None = None) -> Record | None:
        """None after `seconds` without one. Raises `FeedEndedError`."""
        give_up_at = float("inf") if seconds is None else time.monotonic() + seconds
        while True:
            left = max(0.0, give_up_at - time.monotonic())
            try:
                record = self._records.get(timeout=min(_TURN_SECONDS, left))
            except queue.Empty:
                if left <= 0:
                    return None
                continue
            if record is None:
                raise FeedEndedError("the chain has stopped, and its probes with it" if self.hops else _GONE)
            return record

    def _follow(self) -> None:
        """Whenever the chain changes, it says which probes are there now."""
        with contextlib.suppress(OSError, ValueError):
            for message in self._answers:
                self._watch(message.get("probes", []))
                if not self.hops:
                    self._records.put(None)

    def _watch(self, probes: list[Message]) -> None:
        known = self._readers
        self._readers = {
            probe["url"]: known.get(probe["url"]) or _Reader(probe, self._query, self._records, self._is_there) for probe in probes
        }
        for url in known.keys() - self._readers.keys():
            known[url].wanted = False
        self.hops = [str(probe["hop"]) for probe in probes]

    def _is_there(self) -> bool:
        try:
            return self._connection.ask_once("status").get("ok") is True
        except (NotRunningError, OSError):
            return False


class _Reader:
    """One probe's records, put into the queue of all; None where it is gone for good, though it is wanted."""

    def __init__(self, probe: Message, query: str, records: queue.Queue[Record | None], is_there: Any) -> None:
        self.hop = str(probe["hop"])
        self.watching = threading.Event()
        self.wanted = True  # otherwise it tells of what is still under way, and no more
        self._url = f"{probe['url']}/watch{query}"
        self._headers = {"authorization": f"Bearer {probe['token']}"}
        self._records = records
        self._is_there = is_there
        self._met_at = time.monotonic()
        threading.Thread(target=self._run, name=f"watch {self.hop}", daemon=True).start()

    def _run(self) -> None:
        while self.wanted and time.monotonic() < self._met_at + _AWAY_SECONDS and self._is_there():
            try:
                for record in self._watched():
                    self._records.put(record)
            except (OSError, http.client.HTTPException, msgspec.DecodeError):
                pass  # it is asked again
            time.sleep(_AGAIN_SECONDS)
        if self.wanted:
            self._records.put(None)

    def _watched(self) -> Iterator[Record]:
        with loopback.followed(self._url, self._headers) as response:
            if response.status != http.client.OK:
                return
            self.watching.set()
            try:
                for line in response:
                    if line.strip():
                        yield {"hop": self.hop, **msgspec.json.decode(line, type=dict[str, Any])}
            finally:
                self._met_at = time.monotonic()
