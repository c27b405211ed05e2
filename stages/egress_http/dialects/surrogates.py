"""Half characters.

Some servers cut an escaped emoji in two (`"\\ud83d"` in one chunk, `"\\ude00"` in the next). Python then holds strings that no
encoder takes. Every string that may hold such a half goes through here before it gets into an event.
"""

from __future__ import annotations


def mend(text: str) -> str:
    """Join halves that belong together; a half that stays alone becomes U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


class Halves:
    """Keeps, per channel, the first half that a piece ended with, and puts it before the channel's next piece."""

    def __init__(self) -> None:
        self._held: dict[object, str] = {}

    def join(self, channel: object, piece: str) -> str:
        text = self._held.pop(channel, "") + piece
        if text and "\ud800" <= text[-1] <= "\udbff":
            self._held[channel] = text[-1]
            text = text[:-1]
        return mend(text)
