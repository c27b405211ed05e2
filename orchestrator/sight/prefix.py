"""How much of what a model has read already a request begins with again: what a provider's prompt cache gives for nothing. Pure."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, NamedTuple

import msgspec

from .changes import beneath, parse

# Sessions that are remembered at a time; each holds the bytes of one request.
MOST_SESSIONS = 32

_VISIBLE = ("instructions", "tools", "input")


class Part(NamedTuple):
    """A piece of a request that the model reads, as the bytes it came in."""

    path: str
    raw: bytes


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """`total` is how many bytes the request before had, `kept` how many of them this one begins with; `broken_at` the path of the
    first difference, None where all were kept."""

    kept: int
    total: int
    broken_at: str | None


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The same of a request as it came into a stage and as it went out of it."""

    came: Kept
    went: Kept

    @property
    def sentence(self) -> str:
        of = f"{size(self.went.kept)} of {size(self.went.total)}"
        if self.went.broken_at is None:
            return f"prefix kept: {of}"
        tail = f"a provider's cache starts anew from there ({of} kept)"
        if self.came.broken_at is None:
            return f"prefix broken at {self.went.broken_at}: {tail}; it came in whole"
        came = f"{size(self.came.kept)} of {size(self.came.total)} kept, broken at {self.came.broken_at}"
        return f"prefix broken at {self.went.broken_at}: {tail}; it came in with {came}"


class Sessions:
    """`feed` takes the requests of a session in their order, as texts, and judges each by the one before it."""

    def __init__(self, most: int = MOST_SESSIONS) -> None:
        self._most = most
        self._last: OrderedDict[str, tuple[list[Part], list[Part]]] = OrderedDict()

    def feed(self, session: str, came: str, went: str) -> Verdict | None:
        """None for the first of a session, and for a body that cannot be read. `session` should name the model too: each has a
        cache of its own."""
        now = visible(came), visible(went)
        before = self._last.pop(session, None)
        if not (now[0] and now[1]):
            return None
        self._last[session] = now
        if len(self._last) > self._most:
            self._last.popitem(last=False)
        return Verdict(came=kept(before[0], now[0]), went=kept(before[1], now[1])) if before else None


def visible(body: str) -> list[Part]:
    """What the model reads, in the order in which caches take it; empty for what is no request."""
    try:
        fields = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, RecursionError):
        return []
    return [part for name in _VISIBLE if name in fields for part in _parts(name, bytes(fields[name]))]


def kept(before: list[Part], after: list[Part]) -> Kept:
    total = sum(len(part.raw) for part in before)
    same = 0
    for old, new in zip(before, after, strict=False):
        if old != new:
            alike = common(old.raw, new.raw) if old.path == new.path else 0
            return Kept(kept=same + alike, total=total, broken_at=_first_difference(old, new))
        same += len(old.raw)
    return Kept(kept=same, total=total, broken_at=before[len(after)].path if len(before) > len(after) else None)


def common(before: bytes, after: bytes) -> int:
    """How many bytes both begin with."""
    low, high = 0, min(len(before), len(after))
    while low < high:
        middle = (low + high + 1) // 2
        if before[low:middle] == after[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def size(count: int) -> str:
    """`812 B`, `41.2 kB`, `3.4 MB`."""
    if count < 1000:
        return f"{count} B"
    return f"{count / 1000:.1f} kB" if count < 999_950 else f"{count / 1_000_000:.1f} MB"


def _parts(name: str, raw: bytes) -> list[Part]:
    try:
        listed = msgspec.json.decode(raw, type=list[msgspec.Raw])
    except msgspec.DecodeError:
        return [Part(name, raw)]
    return [Part(beneath(name, place), bytes(each)) for place, each in enumerate(listed)]


def _first_difference(old: Part, new: Part) -> str:
    if old.path != new.path:
        return new.path
    try:
        inner = _walk(parse(old.raw.decode()), parse(new.raw.decode()), new.path)
    except ValueError:
        inner = None
    return inner or new.path


def _walk(old: Any, new: Any, path: str) -> str | None:
    """The path of the first value that differs, None where only its spelling does."""
    if isinstance(old, dict) and isinstance(new, dict):
        pairs = list(zip(old.items(), new.items(), strict=False))
        for (old_name, old_value), (new_name, new_value) in pairs:
            if old_name != new_name:
                return beneath(path, new_name)
            if (found := _walk(old_value, new_value, beneath(path, new_name))) is not None:
                return found
        return _surplus(list(old), list(new), path)
    if isinstance(old, list) and isinstance(new, list):
        for place, (left, right) in enumerate(zip(old, new, strict=False)):
            if (found := _walk(left, right, beneath(path, place))) is not None:
                return found
        return _surplus(list(range(len(old))), list(range(len(new))), path)
    return None if repr(old) == repr(new) else path


def _surplus(old: list[Any], new: list[Any], path: str) -> str | None:
    """The first of what only one of the two has."""
    longer = max(old, new, key=len)
    shared = min(len(old), len(new))
    return beneath(path, longer[shared]) if len(longer) > shared else None
