"""A request as rules see it: decoded as far as they ask, and put back with all that they left alone as the bytes it was. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec

from ..contract import json_path
from ..contract.body import Document
from ..contract.json_path import Path
from . import tokens

_CWD = re.compile(r"<cwd>(.*?)</cwd>", re.DOTALL)
_IMAGES = ("input_image", "image")


class Item(msgspec.Struct):
    """What a rule must know of an item to tell whether it concerns it. Unknown kinds have no type that anybody asks for."""

    type: Any = None
    role: Any = None
    call_id: Any = None
    content: Any = None
    output: Any = None

    @property
    def is_message(self) -> bool:
        return self.type in (None, "message") and isinstance(self.role, str)

    @property
    def is_output(self) -> bool:
        return isinstance(self.type, str) and self.type.endswith("_output")


class Request:
    """One request on its way through the rules. `headers` has names in lower case, `now` is local time."""

    def __init__(self, document: Document, headers: Mapping[str, str], now: datetime) -> None:
        self.document = document
        self.headers = headers
        self.now = now

    @property
    def model(self) -> str:
        return self.document.get("model", str) or ""

    @property
    def items(self) -> list[msgspec.Raw]:
        """The items of `input`, each as its bytes; none where `input` is a text."""
        raw = self.document.raw("input")
        return msgspec.json.decode(raw, type=list[msgspec.Raw]) if raw is not None and bytes(raw).lstrip()[:1] == b"[" else []

    def put_items(self, items: list[Any]) -> None:
        """Those that are `msgspec.Raw` stay the bytes they are."""
        self.document.set("input", items)

    @property
    def project(self) -> str:
        """The folder that Codex works in: it says so in the opening of a conversation, and again when it moves."""
        found = ""
        for item in self.read(self.items):
            if item.is_message and item.role in ("user", "developer"):
                found = next((match[1].strip() for text in texts(item.content) for match in _CWD.finditer(text)), found)
        return found

    @property
    def said(self) -> str:
        """What the user said last."""
        raw = self.document.raw("input")
        if raw is not None and bytes(raw).lstrip()[:1] == b'"':
            return msgspec.json.decode(raw)
        users = [item for item in self.read(self.items) if item.is_message and item.role == "user"]
        return "\n".join(texts(users[-1].content)) if users else ""

    @property
    def has_images(self) -> bool:
        return any(
            isinstance(part, dict) and part.get("type") in _IMAGES
            for item in self.read(self.items)
            for held in (item.content, item.output)
            for part in (held if isinstance(held, list) else ())
        )

    @property
    def tokens(self) -> int:
        """Estimated, of the whole request."""
        return tokens.estimate(len(self.document.encode()))

    def values(self, path: Path) -> list[Any]:
        """What stands at a JSON path now. Only the field that it begins with is decoded."""
        first, rest = path[:1], path[1:]
        if not first or not isinstance(first[0], str):
            return json_path.select(msgspec.json.decode(self.document.encode()), path)
        raw = self.document.raw(first[0])
        return [] if raw is None else json_path.select(msgspec.json.decode(raw), rest)

    def read(self, items: Iterable[msgspec.Raw]) -> Iterator[Item]:
        """What rules must know of each."""
        for raw in items:
            try:
                yield msgspec.json.decode(raw, type=Item)
            except msgspec.ValidationError:
                yield Item()  # not even an object: whoever is asked will say so


def texts(content: Any) -> list[str]:
    """The texts of a message's content, or of a tool's output, in whichever of their forms."""
    if isinstance(content, str):
        return [content]
    parts = content if isinstance(content, list) else ()
    return [part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str)]
