"""Finds where keys and values stand in a TOML text; `tomllib` reads them but does not say.

Rule of this file: it only ever sees text that `tomllib` has accepted, so it skips values and checks nothing.
"""

from __future__ import annotations

import re
import tomllib

import msgspec

from .positions import Path, Positions

_BLANK = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(
    r'"""(?:\\[\s\S]|[^\\])*?"""(?:"{0,2})'  # up to two quotes may stand right before the closing three
    r"|'''[\s\S]*?'''(?:'{0,2})"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
)
_SCALAR = re.compile(r"[^,\]}#\n]+")


class Statement(msgspec.Struct, frozen=True):
    """A header or a key with its value. `path` is whole; `first` and `last` are its lines, counted from 0. A header's own keys are
    statements of their own."""

    path: Path
    header: bool
    first: int
    last: int


def scan(text: str) -> Positions:
    """`text` is valid TOML with line ends of one character, as `tomllib` itself sees it."""
    scanner = _Scanner(text)
    scanner.document()
    return scanner.positions


def statements(text: str) -> list[Statement]:
    """All statements in their order; `text` as for `scan`. A line that belongs to none is blank or a comment."""
    scanner = _Scanner(text)
    scanner.document()
    return scanner.statements


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.positions = Positions(text)
        self.statements: list[Statement] = []
        self.last_index: dict[Path, int] = {}  # of each array of tables

    def document(self) -> None:
        table: Path = ()
        self.skip(_BLANK)
        while self.at < len(self.text):
            start, header = self.at, self.text[self.at] == "["
            if header:
                table = self.header()
            path = table if header else self.entry(table)
            first, last = (self.positions.line_column(offset)[0] - 1 for offset in (start, self.at - 1))
            self.statements.append(Statement(path, header, first, last))
            self.skip(_BLANK)

    def skip(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.at)
        assert match, "tomllib accepted what this scanner does not know"
        self.at = match.end()
        return match.group()

    def header(self) -> Path:
        start = self.at
        brackets = 2 if self.text.startswith("[[", start) else 1
        self.at += brackets
        *parents, last = self.key()
        self.at += brackets
        path: Path = ()
        for part in parents:
            path = self.enter((*path, part), start)
        path = (*path, last)
        return self.next_element(path, start) if brackets == 2 else self.mark(path, start, start)

    def enter(self, path: Path, start: int) -> Path:
        """A header that passes through an array of tables means its last element."""
        self.mark_once(path, start, start)
        return (*path, self.last_index[path]) if path in self.last_index else path

    def next_element(self, path: Path, start: int) -> Path:
        self.mark_once(path, start, start)
        self.last_index[path] = self.last_index.get(path, -1) + 1
        return self.mark((*path, self.last_index[path]), start, start)

    def key(self) -> list[str]:
        """One key, dotted or not; leaves the scanner behind the blanks that follow it."""
        parts = []
        while True:
            self.skip(_SPACE)
            parts.append(self.simple_key())
            self.skip(_SPACE)
            if self.text[self.at] != ".":
                return parts
            self.at += 1

    def simple_key(self) -> str:
        if self.text[self.at] in "\"'":
            return tomllib.loads(f"key = {self.skip(_STRING)}")["key"]
        return self.skip(_BARE_KEY)

    def entry(self, table: Path) -> Path:
        start = self.at
        *parents, last = self.key()
        self.at += 1  # the equals sign
        self.skip(_SPACE)
        path = table
        for part in parents:
            path = (*path, part)
            self.mark_once(path, start, start)
        path = self.mark((*path, last), start, self.at)
        self.value(path)
        return path

    def value(self, path: Path) -> None:
        first = self.text[self.at]
        if first == "[":
            self.array(path)
        elif first == "{":
            self.inline_table(path)
        else:
            self.skip(_STRING if first in "\"'" else _SCALAR)

    def array(self, path: Path) -> None:
        index = 0
        while not self.closes("]"):
            self.value(self.mark((*path, index), self.at, self.at))
            index += 1

    def inline_table(self, path: Path) -> None:
        while not self.closes("}"):
            self.entry(path)

    def closes(self, bracket: str) -> bool:
        """Steps over the opening bracket, or the comma behind an element, or the closing bracket (then True)."""
        self.skip(_BLANK)
        if self.text[self.at] in "[{,":
            self.at += 1
            self.skip(_BLANK)
        if self.text[self.at] != bracket:
            return False
        self.at += 1
        return True

    def mark(self, path: Path, key: int, value: int) -> Path:
        self.positions.mark(path, key, value)
        return path

    def mark_once(self, path: Path, key: int, value: int) -> None:
        if path not in self.positions:
            self.mark(path, key, value)
