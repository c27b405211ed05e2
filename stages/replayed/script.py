"""Which recorded answer a request gets: the one to the same conversation, or else the next that nobody has had. Pure."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec


class Choice(NamedTuple):
    """`place` counts from 0. `known` tells that it is the answer to this very conversation."""

    place: int
    known: bool


class Script:
    """`requests` are the paths and bodies that were recorded, in their order."""

    def __init__(self, requests: Sequence[tuple[str, str]]) -> None:
        self._paths = [path for path, _ in requests]
        self._free = dict.fromkeys(range(len(requests)))
        self._known: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        for place, (path, body) in enumerate(requests):
            self._known[path, digest(body.encode())].append(place)

    def choose(self, path: str, body: bytes) -> Choice | None:
        """None where nothing is left. Who asks the same again gets the same again: the last of the answers to it."""
        if places := self._known.get((path, digest(body))):
            place = next((each for each in places if each in self._free), places[-1])
            self._free.pop(place, None)
            return Choice(place, True)
        place = next((each for each in self._free if self._paths[each] == path), None)
        if place is None:
            return None
        del self._free[place]
        return Choice(place, False)


def digest(body: bytes) -> str:
    """Of what was said in a conversation and of what tools have answered. Names, ids, settings and the form of a call differ with
    the place of the chain and with the model; what was said does not."""
    try:
        fields = msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return hashlib.sha256(body).hexdigest()
    return hashlib.sha256("\0".join(_said(fields.get("input"))).encode("utf-8", "replace")).hexdigest()


def _said(input: Any) -> Iterator[str]:
    if isinstance(input, str):
        yield input
        return
    for item in input if isinstance(input, list) else []:
        if isinstance(item, dict):
            yield from _texts(item.get("content"))
            if str(item.get("type", "")).endswith("_output"):
                yield from _texts(item.get("output"))


def _texts(content: Any) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    for part in content if isinstance(content, list) else []:
        if isinstance(part, dict) and isinstance(part.get("text"), str):
            yield part["text"]
