"""What is wrong with a file of the user's, where, and in one sentence.

Rule of this file: a sentence names keys and places, never a value that could be a credential.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec


class Problem(msgspec.Struct, frozen=True):
    """`line` and `column` count from 1; line 0 means that the whole file is meant."""

    path: str
    line: int
    column: int
    sentence: str

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}:{self.column}" if self.line else self.path
        return f"{place}: {self.sentence}"


class ConfigError(Exception):
    """A file that cannot be used. `problems` holds all of them, in the order of the file."""

    EXIT_CODE = 78  # EX_CONFIG of sysexits.h

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(problems)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate that `word` was probably meant to be."""
    import difflib

    close = difflib.get_close_matches(word.lower(), list(candidates), n=1, cutoff=0.6)
    return close[0] if close else None


def did_you_mean(word: str, candidates: Iterable[str]) -> str:
    """The end of a sentence: empty where nothing is close."""
    close = nearest(word, candidates)
    return f"; did you mean `{close}`?" if close else ""
