"""What of a request could not be handed on, in sentences for the log."""

from __future__ import annotations


class Notes:
    """Sentences for the log, each once, in the order they came up."""

    def __init__(self) -> None:
        self._sentences: dict[str, None] = {}

    def add(self, sentence: str) -> None:
        self._sentences[sentence] = None

    def all(self) -> list[str]:
        return list(self._sentences)
