"""Finds where keys and values stand in a JSON text; `json` reads them but does not say.

Rule of this file: it only ever sees text that `json` has accepted, so it skips values and checks nothing.
"""

from __future__ import annotations

import json
import re

from .positions import Path, Positions

_BLANK = re.compile(r"[ \t\r\n]*")
_STRING = re.compile(r'"(?:\\.|[^"\\])*"')
_SCALAR = re.compile(r"[^,\]} \t\r\n]+")


def scan(text: str) -> Positions:
    scanner = _Scanner(text)
    scanner.value(())
    return scanner.positions


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.positions = Positions(text)

    def skip(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.at)
        assert match, "json accepted what this scanner does not know"
        self.at = match.end()
        return match.group()

    def value(self, path: Path) -> None:
        self.skip(_BLANK)
        first = self.text[self.at]
        if first == "[":
            self.array(path)
        elif first == "{":
            self.object(path)
        else:
            self.skip(_STRING if first == '"' else _SCALAR)
        self.skip(_BLANK)

    def array(self, path: Path) -> None:
        index = 0
        while not self.closes("]"):
            self.positions.mark((*path, index), self.at, self.at)
            self.value((*path, index))
            index += 1

    def object(self, path: Path) -> None:
        while not self.closes("}"):
            start = self.at
            key = json.loads(self.skip(_STRING), strict=False)
            self.skip(_BLANK)
            self.at += 1  # the colon
            self.skip(_BLANK)
            self.positions.mark((*path, key), start, self.at)
            self.value((*path, key))

    def closes(self, bracket: str) -> bool:
        """Steps over the opening bracket, or the comma behind an element, or the closing bracket (then True)."""
        if self.text[self.at] in "[{,":
            self.at += 1
            self.skip(_BLANK)
        if self.text[self.at] != bracket:
            return False
        self.at += 1
        return True
