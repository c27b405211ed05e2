"""Calls of Codex's tools, as the model writes them into its text.

    <call-NONCE name="exec_command">{"cmd": "ls"}</call-NONCE>

A function takes a JSON object, a freeform tool raw text; one line feed right behind the opening tag is not part of it. The nonce
cannot be guessed, so text that the model merely quotes holds no calls. A tag that is none (no such tool, broken JSON, too long)
stays text, once. Behind a call only further calls count: whatever else the model goes on to say is made up, because it has not
seen the output yet.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import msgspec

from ..contract.body import UNREADABLE
from ..contract.tools import Tool

SIZE_LIMIT = 1024 * 1024
_HEADER_LIMIT = 400

_object = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Said(msgspec.Struct, frozen=True):
    """Text for the user."""

    text: str


class Called(msgspec.Struct, frozen=True):
    """A complete call. `value` is the text of a JSON object, or the raw text for a freeform tool."""

    tool: Tool
    value: str


Piece = Said | Called


def opening(nonce: str, name: str, call_id: str = "") -> str:
    known = f' id="{call_id}"' if call_id else ""
    return f'<call-{nonce} name="{name}"{known}>'


def closing(nonce: str) -> str:
    return f"</call-{nonce}>"


class Tags:
    """Text, cut anywhere, in; text and calls out. Linear: only what may be the beginning of a tag is held back and looked at again.

    `find` knows the tools on offer. `called` is true from the first call on, `settled` once something else follows the calls.
    """

    def __init__(self, nonce: str, find: Callable[[str], Tool | None], *, parallel: bool = True) -> None:
        self.called = False
        self.settled = False
        self._head = f"<call-{nonce}"
        self._close = closing(nonce)
        self._header = re.compile(rf"""{re.escape(self._head)}\s+name=(?:"([^"]*)"|'([^']*)')[^>]*>""")
        self._find = find
        self._parallel = parallel
        self._held = ""
        self._tool: Tool | None = None
        self._body: list[str] = []
        self._size = 0

    @property
    def open(self) -> bool:
        """A call has been begun and is not complete."""
        return self._tool is not None

    def feed(self, text: str) -> list[Piece]:
        pieces: list[Piece] = []
        text, self._held = self._held + text, ""
        at = 0
        while at < len(text) and not self.settled:
            at = self._inside(text, at, pieces) if self.open else self._outside(text, at, pieces)
        return pieces

    def flush(self) -> list[Piece]:
        """The text breaks off here. What was held back is text after all, a call without its end too."""
        pieces: list[Piece] = []
        if self.open:
            self._give_up(pieces)
        held, self._held = self._held, ""
        self._say(held, pieces)
        return pieces

    def _outside(self, text: str, at: int, pieces: list[Piece]) -> int:
        start = text.find(self._head, at)
        if start < 0:
            return self._hold(text, at, self._head, lambda plain: self._say(plain, pieces))
        self._say(text[at:start], pieces)
        if self.settled:
            return len(text)
        end = text.find(">", start, start + _HEADER_LIMIT)
        if end < 0 and len(text) < start + _HEADER_LIMIT:
            self._held = text[start:]
            return len(text)
        header = text[start : end + 1] if end > 0 else self._head
        if not self._begin(header):
            self._say(header, pieces)
        return start + len(header)

    def _inside(self, text: str, at: int, pieces: list[Piece]) -> int:
        end = text.find(self._close, at)
        if end < 0:
            return self._hold(text, at, self._close, lambda body: self._take(body, pieces))
        self._take(text[at:end], pieces)
        self._finish(pieces)
        return end + len(self._close)

    def _hold(self, text: str, at: int, tag: str, give: Callable[[str], None]) -> int:
        """Gives everything but an end that `tag` may begin with."""
        start = text.rfind("<", max(at, len(text) - len(tag)))
        if start < 0 or not tag.startswith(text[start:]):
            start = len(text)
        give(text[at:start])
        self._held = text[start:]
        return len(text)

    def _say(self, text: str, pieces: list[Piece]) -> None:
        if self.called:
            self.settled = self.settled or bool(text.strip())
        elif text:
            pieces.append(Said(text))

    def _begin(self, header: str) -> bool:
        match = self._header.fullmatch(header)
        self._tool = self._find(match[1] or match[2] or "") if match else None
        self._body, self._size = [header], 0
        return self.open

    def _take(self, body: str, pieces: list[Piece]) -> None:
        self._body.append(body)
        self._size += len(body)
        if self._size > SIZE_LIMIT:
            self._say("".join(self._body), pieces)
            self._body = []

    def _finish(self, pieces: list[Piece]) -> None:
        tool, fits = self._tool, self._size <= SIZE_LIMIT
        value = _value(tool, "".join(self._body[1:])) if tool and fits else None
        if tool is None or value is None:
            self._body.append(self._close)
            self._give_up(pieces)
            return
        pieces.append(Called(tool, value))
        self.called, self._tool, self._body = True, None, []
        self.settled = not self._parallel

    def _give_up(self, pieces: list[Piece]) -> None:
        body, self._tool, self._body = "".join(self._body), None, []
        self._say(body, pieces)


def _value(tool: Tool, body: str) -> str | None:
    if tool.kind == "custom_tool_call":
        return body.removeprefix("\n")
    return _arguments(body.strip())


def _arguments(body: str) -> str | None:
    """The text of a JSON object, None for anything else. Line feeds that are not escaped are what models get wrong most."""
    if not body:
        return "{}"
    try:
        _object.decode(body)
    except UNREADABLE:
        return _mended(body)
    return body


def _mended(body: str) -> str | None:
    try:
        value: Any = json.loads(body, strict=False)
        return msgspec.json.encode(value).decode() if isinstance(value, dict) else None
    except (ValueError, RecursionError, TypeError):
        return None
