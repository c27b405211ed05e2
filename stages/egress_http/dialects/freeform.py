"""Freeform tools for upstreams that only have functions.

A freeform (`custom`) tool takes raw text, such as a patch. It is offered as a function with one string parameter, `input`, and a
call comes back as `{"input": "…"}`, a string inside JSON inside JSON. `InputReader` gives out that string while it is still coming
in (for display); `unwrap` has the last word once all of it is there.

The rule: text is never altered, because a patch fits byte for byte or not at all. The one exception is `tidy`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import msgspec

from .surrogates import mend

PARAMETERS = {
    "type": "object",
    "properties": {"input": {"type": "string", "description": "The raw text for this tool."}},
    "required": ["input"],
    "additionalProperties": False,
}

# Under which models have been seen to send the text when they forget the name of the parameter.
_OTHER_KEYS = ("patch", "text", "content", "command", "code", "arguments")

_QUOTE_OR_ESCAPE = re.compile(r'["\\]')
_STRUCTURE = re.compile(r'["{}\[\]:,]')
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_HEX = re.compile(r"[0-9a-fA-F]{4}")
_SECOND_HALF = re.compile(r"\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_CUT_OFF = re.compile(r'\{\s*(".*)?|"(?:[^"\\]|\\.)*\\?', re.DOTALL)
_FENCE = re.compile(r"\s*```[a-z]*\n(.*?)\n?```\s*", re.DOTALL)
_HEREDOC = re.compile(r"\s*apply_patch\s*<<\s*(['\"]?)(\w+)\1\n(.*?)\n\2\s*", re.DOTALL)


def describe(spec: dict[str, Any]) -> str:
    """The description of the function that stands in for a freeform tool, with its grammar where it has one."""
    lines = [spec.get("description") or "", 'Pass the raw text as the string "input".']
    format = spec.get("format")
    if isinstance(format, dict) and format.get("type") == "grammar":
        lines.append(f"It must match this {format.get('syntax')} grammar:\n{format.get('definition')}")
    return "\n\n".join(line for line in lines if line)


def wrap(text: str) -> str:
    """The arguments of a freeform call in the history: the same text always gives the same bytes."""
    return msgspec.json.encode({"input": text}).decode()


def unwrap(arguments: str) -> str | None:
    """The text of a finished call, None where the arguments are visibly cut off.

    Models send, besides what they were asked for: a bare JSON string, another key, line feeds that are not escaped, and the text
    itself without any JSON.
    """
    try:
        value = json.loads(arguments, strict=False) if arguments.strip() else ""
    except (ValueError, RecursionError):
        return _unwrap_broken(arguments)
    if isinstance(value, dict):
        value = _text_of(value)
    return mend(value) if isinstance(value, str) else arguments


def tidy(name: str, text: str) -> str:
    """A patch without the fence or the shell command that models like to put around it."""
    if name != "apply_patch":
        return text
    for pattern, group in ((_FENCE, 1), (_HEREDOC, 3)):
        match = pattern.fullmatch(text)
        if match and match[group].lstrip().startswith("*** Begin Patch"):
            return match[group]
    return text


def _text_of(value: dict[str, Any]) -> str | None:
    if isinstance(value.get("input"), str):
        return value["input"]
    others = [value[key] for key in _OTHER_KEYS if isinstance(value.get(key), str)]
    return others[0] if len(others) == 1 else None


def _unwrap_broken(arguments: str) -> str | None:
    """Not JSON: wrong escapes inside an otherwise whole `{"input": "…"}`, JSON that was cut off, or bare text."""
    reader = InputReader()
    text = reader.feed(arguments)
    if reader.whole:
        return text
    return None if _CUT_OFF.fullmatch(arguments.strip()) else arguments


class InputReader:
    """Finds the string under the key `input` of a JSON object that arrives in pieces, and gives it out decoded.

    Linear: what a piece leaves undecided (an unfinished escape, at most eleven characters) is all that is looked at again.
    """

    __slots__ = ("_depth", "_held", "_key", "_key_next", "_step", "_trail")

    def __init__(self) -> None:
        self._step: Callable[[str, int, list[str]], int] = self._begin
        self._held = ""
        self._depth = 0
        self._key: list[str] = []
        self._key_next = True
        self._trail = ""

    @property
    def whole(self) -> bool:
        """The string has been closed, and the object right behind it."""
        return self._trail == "}"

    def feed(self, piece: str) -> str:
        text, self._held = self._held + piece, ""
        out: list[str] = []
        at = 0
        while at < len(text):
            at = self._step(text, at, out)
        return "".join(out)

    def _begin(self, text: str, at: int, out: list[str]) -> int:
        if not text[at].isspace():
            self._step = self._between if text[at] == "{" else self._ignore
            return at
        return at + 1

    def _ignore(self, text: str, at: int, out: list[str]) -> int:
        return len(text)

    def _between(self, text: str, at: int, out: list[str]) -> int:
        """Outside strings."""
        match = _STRUCTURE.search(text, at)
        if match is None:
            return len(text)
        char = match[0]
        if char == '"':
            self._step = self._string_step()
        elif char == ",":
            self._key_next = self._depth == 1
        elif char == ":":
            self._key_next = False
        else:
            self._depth += 1 if char in "{[" else -1
            self._key_next = char == "{"
        return match.end()

    def _string_step(self) -> Callable[[str, int, list[str]], int]:
        if self._depth == 1 and self._key_next:
            self._key = []
            return self._in_key
        wanted = self._depth == 1 and "".join(self._key) == "input"
        return self._in_value if wanted else self._in_other

    def _in_key(self, text: str, at: int, out: list[str]) -> int:
        return self._string(text, at, self._key, self._between)

    def _in_other(self, text: str, at: int, out: list[str]) -> int:
        return self._string(text, at, [], self._between)

    def _in_value(self, text: str, at: int, out: list[str]) -> int:
        return self._string(text, at, out, self._after)

    def _after(self, text: str, at: int, out: list[str]) -> int:
        self._trail = (self._trail + "".join(text[at:].split()))[:2]
        return len(text)

    def _string(self, text: str, at: int, out: list[str], then: Callable[[str, int, list[str]], int]) -> int:
        match = _QUOTE_OR_ESCAPE.search(text, at)
        end = match.start() if match else len(text)
        if end > at:
            out.append(text[at:end])
        if match is None:
            return end
        if match[0] == '"':
            self._step = then
            return end + 1
        return self._escape(text, end, out)

    def _escape(self, text: str, at: int, out: list[str]) -> int:
        size = _escape_size(text, at)
        if size is None:
            self._held = text[at:]
            return len(text)
        out.append(_unescape(text[at : at + size]))
        return at + size


def _escape_size(text: str, at: int) -> int | None:
    """How long the escape at `at` is, None while that cannot be known. A first half takes its second half along."""
    if len(text) < at + 2:
        return None
    digits = text[at + 2 : at + 6]
    if text[at + 1] != "u" or not _HEX.fullmatch(digits.ljust(4, "0")):
        return 2
    if len(digits) < 4:
        return None
    second = text[at + 6 : at + 12]
    if not ("d800" <= digits.lower() <= "dbff") or not _SECOND_HALF.fullmatch(second + "\\udc00"[len(second) :]):
        return 6
    return 12 if len(second) == 6 else None


def _unescape(escape: str) -> str:
    """An escape that JSON does not know stays as it was written."""
    if len(escape) == 2:
        return _ESCAPES.get(escape[1], escape)
    units = escape.split("\\u")[1:]
    return mend("".join(chr(int(unit, 16)) for unit in units))
