"""Which placeholder stands for which secret, in one request. Pure.

A placeholder is `REDACTED_`, the kind in capitals, and five digits: signs that no tool, shell or JSON text treats specially, and a
fixed length, so that where one ends is never in doubt. Numbers follow the order of appearance, so the same history gets the same
placeholders with every request, and nothing has to be remembered between two.

A tool's arguments are JSON inside a text: a secret there is written with its escapes, and the placeholder stands for both forms.
"""

from __future__ import annotations

import json
import re

from ...contract.errors import refuse

DIGITS = 5
_HEAD = "REDACTED_"
_LITERAL = "LITERAL"
_AS_ZERO = str.maketrans("123456789", "000000000")


class Placeholders:
    """`patterns` by kind: capital letters and single underscores, and never our own word `REDACTED`. What looks like a placeholder
    already gets one of its own, so that putting back gives what was there."""

    def __init__(self, patterns: dict[str, str]) -> None:
        kinds = [*patterns, _LITERAL]
        shape = rf"{_HEAD}(?:{'|'.join(kinds)})_\d{{{DIGITS}}}"
        self._names = {f"kind{number}": kind for number, kind in enumerate([_LITERAL, *patterns])}
        groups = zip(self._names, [shape, *patterns.values()], strict=True)
        self._secrets = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in groups))
        self._shape = re.compile(shape)
        self._outlines = [f"{_HEAD}{kind}_{'0' * DIGITS}" for kind in kinds]
        self._plain: dict[str, str] = {}  # secret → placeholder
        self._escaped: dict[str, str] = {}  # secret as it stands in JSON → placeholder
        self._originals: dict[str, tuple[str, str]] = {}  # placeholder → secret, plain and as it stands in JSON

    def __len__(self) -> int:
        return len(self._originals)

    def hide(self, text: str, *, in_json: bool = False) -> str:
        """The text with a placeholder for each secret. `in_json`: the text is JSON."""
        return self._secrets.sub(lambda found: self._placeholder(found, in_json), text)

    def show(self, text: str, *, in_json: bool = False) -> str:
        """The text with what its placeholders stand for. What stands for nothing stays."""
        return self._shape.sub(lambda found: self._originals.get(found[0], (found[0], found[0]))[in_json], text)

    def begun(self, text: str) -> int:
        """Where the end of a text may be the beginning of a placeholder; its length where it is not."""
        longest = max(map(len, self._outlines)) - 1
        for place in range(max(0, len(text) - longest), len(text)):
            if text[place] == _HEAD[0] and self._may_become_one(text[place:]):
                return place
        return len(text)

    def _may_become_one(self, text: str) -> bool:
        outline = text.translate(_AS_ZERO)
        return any(each.startswith(outline) and each != outline for each in self._outlines)

    def _placeholder(self, found: re.Match[str], in_json: bool) -> str:
        if not found[0]:
            return ""  # a pattern of the user's that is content with nothing
        known = (self._escaped if in_json else self._plain).get(found[0])
        return known or self._new(found, in_json)

    def _new(self, found: re.Match[str], in_json: bool) -> str:
        number = len(self._originals) + 1
        if number >= 10**DIGITS:
            raise refuse("the rule `redact` found more in this request than it can hide", status=413)
        plain, escaped = (_unescaped(found[0]), found[0]) if in_json else (found[0], _escaped(found[0]))
        placeholder = f"{_HEAD}{self._names[found.lastgroup or '']}_{number:0{DIGITS}d}"
        self._originals[placeholder] = (plain, escaped)
        self._plain.setdefault(plain, placeholder)
        self._escaped.setdefault(escaped, placeholder)
        return placeholder


class Pieces:
    """A text that comes in pieces, with what its placeholders stand for. What may be the beginning of one is held back."""

    def __init__(self, placeholders: Placeholders, *, in_json: bool) -> None:
        self._placeholders = placeholders
        self._in_json = in_json
        self._held = ""

    def feed(self, piece: str) -> str:
        text = self._held + piece
        place = self._placeholders.begun(text)
        self._held = text[place:]
        return self._placeholders.show(text[:place], in_json=self._in_json)

    def finish(self) -> str:
        """What was held back after all."""
        held, self._held = self._held, ""
        return self._placeholders.show(held, in_json=self._in_json)


def _escaped(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _unescaped(text: str) -> str:
    """What a piece of a JSON text says; the piece itself where it is none by itself."""
    try:
        return json.loads(f'"{text}"', strict=False)
    except ValueError:
        return text
