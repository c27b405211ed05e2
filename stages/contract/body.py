"""A request body of which most is never looked at.

`Document` splits a JSON object into its top-level values and keeps each as the bytes it came in. A hop decodes the one value it
needs and puts one other back; unknown fields, key order and every byte of the rest stay as they were, which is what providers'
prompt caches depend on.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from .errors import refuse

T = TypeVar("T")

# What decoding raises: broken JSON or another type (one is a subclass of the other), bytes that are no text, brackets in brackets.
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Document:
    """One JSON object. `encode()` of an untouched document is the very bytes it was parsed from."""

    __slots__ = ("_source", "_values")

    def __init__(self, values: dict[str, msgspec.Raw], source: bytes | None = None) -> None:
        self._values = values
        self._source = source

    @classmethod
    def parse(cls, raw: bytes) -> Document:
        """Raises `HopError` (400) with a sentence where `raw` is no JSON object."""
        try:
            return cls(_decoder.decode(raw), raw)
        except msgspec.ValidationError as error:
            raise refuse("the request body must be a JSON object") from error
        except UNREADABLE as error:
            raise refuse(f"the request body is not valid JSON: {explain(error)}") from error

    def __contains__(self, name: str) -> bool:
        return name in self._values

    @property
    def names(self) -> list[str]:
        """Those of the top-level values, in their order."""
        return list(self._values)

    def get(self, name: str, type: type[T], default: T | None = None) -> T | None:
        """Decode one value, `default` where it is missing or null. A value of another type raises `HopError` (400)."""
        raw = self._values.get(name)
        if raw is None or bytes(raw) == b"null":
            return default
        try:
            return msgspec.json.decode(raw, type=type)
        except UNREADABLE as error:
            raise refuse(f"`{name}` in the request body is not usable: {explain(error)}", param=name) from error

    def raw(self, name: str) -> msgspec.Raw | None:
        return self._values.get(name)

    def set(self, name: str, value: Any) -> None:
        """Put a value in its place (a new name goes to the end). `msgspec.Raw` is taken as it is."""
        self._source = None
        self._values[name] = value if isinstance(value, msgspec.Raw) else msgspec.Raw(msgspec.json.encode(value))

    def drop(self, name: str) -> None:
        if self._values.pop(name, None) is not None:
            self._source = None

    def encode(self) -> bytes:
        if self._source is None:
            self._source = msgspec.json.encode(self._values)
        return self._source


def decode_object(raw: bytes) -> dict[str, Any]:
    """The whole body, for whoever needs to look at all of it. Raises `HopError` (400)."""
    try:
        return msgspec.json.decode(raw, type=dict[str, Any])
    except UNREADABLE as error:
        raise refuse(f"the request body is not usable: {explain(error)}") from error


def check_text(raw: bytes) -> None:
    """Raises `HopError` (400) for what is not UTF-8. `Document` does not look inside values, and somebody behind it will."""
    if raw.isascii():
        return
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        raise refuse(f"the request body is not valid JSON: {explain(error)}") from error


def explain(error: Exception) -> str:
    """In words, for one of `UNREADABLE`."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return "it is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else str(error)
