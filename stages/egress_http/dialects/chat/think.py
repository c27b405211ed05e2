"""Thinking that a server left in the answer text, as `<think>…</think>`.

The tag counts only where it opens the answer: later ones are code or prose about the tag. Tags may be cut anywhere between chunks.
"""

from __future__ import annotations

from typing import Literal

Kind = Literal["text", "reasoning"]

_OPEN = "<think>"
_CLOSE = "</think>"


class ThinkSplitter:
    """Pieces of content in, pieces by kind out. Once `plain`, what follows need not pass through any more.

    `before` and `after` are what stood around the thinking, for providers that want it back to the letter. `opened` is for servers
    that leave out the tag at the beginning.
    """

    def __init__(self, opened: bool = False) -> None:
        self.plain = False
        self.before = ""
        self.after = ""
        self._thinking = opened
        self._thought = False
        self._blank: list[str] = []
        self._stub = ""

    def feed(self, piece: str) -> list[tuple[Kind, str]]:
        if self.plain:
            return [("text", piece)] if piece else []
        piece, self._stub = self._stub + piece, ""
        return self._in_thought(piece) if self._thinking else self._before_text(piece)

    def flush(self) -> list[tuple[Kind, str]]:
        """What was held back, because no more of it comes. Blank text is not worth a message."""
        stub, self._stub = self._stub, ""
        self._blank = []
        return [("reasoning" if self._thinking else "text", stub)] if stub else []

    def _before_text(self, piece: str) -> list[tuple[Kind, str]]:
        text = piece.lstrip()
        blank = piece[: len(piece) - len(text)]
        self._blank.append(blank)
        if self._thought:
            self.after += blank
        if not self._thought and text.startswith(_OPEN):
            self._thinking = True
            self.before = "".join([*self._blank, _OPEN])
            self._blank = []
            return self._in_thought(text[len(_OPEN) :])
        if not text or (not self._thought and _OPEN.startswith(text)):
            self._stub = text
            return []
        self.plain = True
        return [("text", text if self._thought else "".join(self._blank) + text)]

    def _in_thought(self, piece: str) -> list[tuple[Kind, str]]:
        thought, close, text = piece.partition(_CLOSE)
        if not close:
            keep = _overlap(piece, _CLOSE)
            self._stub = piece[len(piece) - keep :]
            thought = piece[: len(piece) - keep]
        else:
            self._thinking, self._thought = False, True
            self.after = _CLOSE
        thoughts: list[tuple[Kind, str]] = [("reasoning", thought)] if thought else []
        return thoughts + (self._before_text(text) if text else [])


def _overlap(text: str, tag: str) -> int:
    """How many characters at the end of `text` could be the beginning of `tag`."""
    return next((size for size in range(min(len(text), len(tag) - 1), 0, -1) if text.endswith(tag[:size])), 0)
