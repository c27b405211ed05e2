"""Which of the crossings somebody wants to see: by model, session, status and id, every Nth, and only so many. Pure."""

from __future__ import annotations

import fnmatch
import re
from collections import OrderedDict
from typing import Any

import msgspec

from .crossing import MOST_OPEN, Record, key_of

_STATUS = re.compile(r"[1-5x][0-9x][0-9x]")
_REMEMBERED = 10_000


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """None wants all. `slug` may hold `*`, `session` and `id` are the beginning or the end of one, of `statuses` each is like `404`
    or `4xx`."""

    slug: str | None = None
    session: str | None = None
    id: str | None = None
    statuses: tuple[str, ...] = ()

    def asks(self, request: Record) -> bool:
        """What can be told of the request alone."""
        if self.slug is not None and not fnmatch.fnmatchcase(str(request.get("model") or ""), self.slug):
            return False
        return _begins_or_ends(request.get("session"), self.session) and _begins_or_ends(request.get("id"), self.id)

    def answers(self, status: Any) -> bool:
        return not self.statuses or any(_fits(str(status), pattern) for pattern in self.statuses)


def statuses(text: str | None) -> tuple[str, ...]:
    """`4xx,503` → its patterns. Raises `ValueError` with the word that is none."""
    words = tuple(word.strip().lower() for word in (text or "").split(",") if word.strip())
    if wrong := [word for word in words if not _STATUS.fullmatch(word)]:
        raise ValueError(wrong[0])
    return words


class Selection:
    """`feed` gives back what is to be shown now: nothing, the record, or also those of its request that waited for the status.

    `sample` lets every so-manieth request through, the first of them included, `limit` only so many, None all. A request that
    crosses several hops counts once, and is shown at all of them.
    """

    def __init__(self, wanted: Wanted, sample: int = 1, limit: int | None = None) -> None:
        self._wanted = wanted
        self._sample = sample
        self._limit = limit
        self._waiting: OrderedDict[tuple[str, str], list[Record]] = OrderedDict()
        self._shown: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._chosen: OrderedDict[str, bool] = OrderedDict()
        self._met = 0
        self.count = 0

    @property
    def done(self) -> bool:
        """Whether the limit is reached and all that was let through has ended."""
        return self._limit is not None and self.count >= self._limit and not self._shown

    def takes(self, id: str, model: str | None, session: str | None, status: int | None) -> bool:
        """The same decision for a request of which everything is known."""
        key = {"hop": "", "id": id}
        asked = self.feed({"type": "request", **key, "model": model, "session": session})
        return bool(asked + self.feed({"type": "end", **key, "status": status}))

    def feed(self, record: Record) -> list[Record]:
        kind, key = record.get("type"), key_of(record)
        if kind == "dropped":
            return [record]
        if kind == "request":
            return self._begin(key, record)
        if key in self._shown:
            if kind == "end":
                del self._shown[key]
            return [record]
        return self._decide(key, record) if key in self._waiting else []

    def _begin(self, key: tuple[str, str], record: Record) -> list[Record]:
        self._waiting.pop(key, None)
        self._shown.pop(key, None)
        if not self._wanted.asks(record):
            return []
        if self._wanted.statuses:
            _put(self._waiting, key, [record], MOST_OPEN)
            return []
        return self._let_through(key, [record])

    def _decide(self, key: tuple[str, str], record: Record) -> list[Record]:
        """The status comes with the response; where there was none, with the end."""
        waiting = self._waiting[key]
        waiting.append(record)
        if record.get("type") not in ("response", "end"):
            return []
        del self._waiting[key]
        return self._let_through(key, waiting) if self._wanted.answers(record.get("status")) else []

    def _let_through(self, key: tuple[str, str], records: list[Record]) -> list[Record]:
        if not self._is_chosen(key[1]):
            return []
        if records[-1].get("type") != "end":
            _put(self._shown, key, None, MOST_OPEN)
        return records

    def _is_chosen(self, id: str) -> bool:
        """One decision for all hops of a request."""
        if id not in self._chosen:
            self._met += 1
            chosen = (self._met - 1) % self._sample == 0 and (self._limit is None or self.count < self._limit)
            self.count += chosen
            _put(self._chosen, id, chosen, _REMEMBERED)
        return self._chosen[id]


def _begins_or_ends(value: Any, wanted: str | None) -> bool:
    text = str(value or "")
    return wanted is None or text.startswith(wanted) or text.endswith(wanted)


def _fits(status: str, pattern: str) -> bool:
    return len(status) == len(pattern) and all(want in ("x", got) for want, got in zip(pattern, status, strict=True))


def _put(into: OrderedDict[Any, Any], key: Any, value: Any, most: int) -> None:
    into[key] = value
    while len(into) > most:
        into.popitem(last=False)
