"""What a provider's prompt cache sees: the bytes of each message, item or content of a request, and those of all the rest."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

_HISTORIES = ("messages", "input", "contents")
_APART = "client_metadata"  # for OpenAI's service about the turn; no part of the prompt
_MARK = b'"cache_control":{"type":"ephemeral"}'  # where the provider shall remember; no part of what it remembers


class Sent(NamedTuple):
    """`rest` is every other field that the model reads, in its order."""

    history: list[bytes]
    rest: list[tuple[str, bytes]]


def read(raw: bytes) -> Sent:
    fields = msgspec.json.decode(raw.replace(b"," + _MARK, b""), type=dict[str, msgspec.Raw])
    (name,) = [name for name in _HISTORIES if name in fields]
    history = msgspec.json.decode(fields.pop(name), type=list[msgspec.Raw])
    return Sent([bytes(each) for each in history], [(name, bytes(value)) for name, value in fields.items() if name != _APART])


def difference(before: Sent, after: Sent) -> str | None:
    """A sentence where `after` does not begin with all of `before`, or does not go on behind it."""
    if before.rest != after.rest:
        changed = [old[0] for old, new in zip(before.rest, after.rest, strict=False) if old != new]
        return f"what stands beside the history has changed: {changed or [name for name, _ in after.rest]}"
    for old, new in zip(before.history, after.history, strict=False):
        if old != new:
            return f"what was sent before has changed, from\n  {old.decode()}\nto\n  {new.decode()}"
    return None if len(after.history) > len(before.history) else "the history has not grown"
