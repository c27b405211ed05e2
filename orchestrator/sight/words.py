"""What differs between two texts: line by line where there are several, else word by word. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

Tone = Literal["same", "removed", "added", "left out"]

# Around a difference so much is shown. Beyond the third number nobody compares word by word: it would take seconds.
LINES_AROUND = 2
WORDS_AROUND = 6
MOST_COMPARED = 4000

_WORDS = re.compile(r"\s*\S+|\s+")


class Piece(NamedTuple):
    """`left out` stands for a run that is the same on both sides; its text says how long it is."""

    tone: Tone
    text: str


def is_long(before: str, after: str) -> bool:
    """Whether the two are compared line by line; each piece is one line then."""
    return before.count("\n") + after.count("\n") > 1


def difference(before: str, after: str) -> list[Piece]:
    """Empty where nothing differs."""
    if before == after:
        return []
    if is_long(before, after):
        return _pieces(before.split("\n"), after.split("\n"), LINES_AROUND, "line")
    return _joined(_pieces(_WORDS.findall(before), _WORDS.findall(after), WORDS_AROUND, "word"))


def _pieces(before: Sequence[str], after: Sequence[str], around: int, unit: str) -> list[Piece]:
    start = _common(before, after)
    end = _common(before[start:][::-1], after[start:][::-1])
    old, new = before[start : len(before) - end], after[start : len(after) - end]
    tail = [Piece("same", each) for each in before[len(before) - end :]]
    whole = [*(Piece("same", each) for each in before[:start]), *_compared(old, new), *tail]
    return _shortened(whole, around, unit)


def _common(before: Sequence[str], after: Sequence[str]) -> int:
    """How many stand alike at the beginning of both."""
    return next((place for place, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), min(len(before), len(after)))


def _compared(old: Sequence[str], new: Sequence[str]) -> list[Piece]:
    if len(old) + len(new) > MOST_COMPARED:
        return [*(Piece("removed", each) for each in old), *(Piece("added", each) for each in new)]
    found: list[Piece] = []
    for kind, i, i_end, j, j_end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            found += [Piece("same", each) for each in old[i:i_end]]
        else:
            found += [Piece("removed", each) for each in old[i:i_end]] + [Piece("added", each) for each in new[j:j_end]]
    return found


def _shortened(pieces: list[Piece], around: int, unit: str) -> list[Piece]:
    """Long runs of what is the same are left out but for what stands next to a difference."""
    shown: list[Piece] = []
    place = 0
    while place < len(pieces):
        end = place
        while end < len(pieces) and pieces[end].tone == "same":
            end += 1
        if end == place:
            shown.append(pieces[place])
            place += 1
            continue
        shown += _ends_of(pieces[place:end], around if place else 0, around if end < len(pieces) else 0, unit)
        place = end
    return shown


def _ends_of(run: list[Piece], head: int, tail: int, unit: str) -> list[Piece]:
    hidden = len(run) - head - tail
    if hidden <= 1:  # to say that one is left out takes more room than the one
        return run
    note = Piece("left out", f"… {hidden} {unit}s …")
    return [*run[:head], note, *run[len(run) - tail :]]


def _joined(pieces: list[Piece]) -> list[Piece]:
    """Words of one tone behind one another are one piece."""
    found: list[Piece] = []
    for piece in pieces:
        if found and found[-1].tone == piece.tone:
            found[-1] = Piece(piece.tone, found[-1].text + piece.text)
        else:
            found.append(piece)
    return found
