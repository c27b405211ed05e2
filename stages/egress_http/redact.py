"""What a provider says, without the credential it was sent. Pure.

Some repeat a key or a token when they refuse it, and what they say ends up in logs and on screens. Only failures are cleaned: the
words of a model belong to the user.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..contract.secret import REDACTED

# Of what is shorter, like the `1` in `x-beta: 1`, an error may speak by chance.
SHORTEST = 8


class Redactor:
    """Knows what in one request is secret."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._secrets = [secret for secret in secrets if len(secret) >= SHORTEST]

    def body(self, raw: bytes) -> bytes:
        """A whole body, before anybody reads it: what is shortened or put in other words later cannot be found any more."""
        for secret in self._secrets:
            raw = raw.replace(secret.encode(), REDACTED.encode())
        return raw

    def text(self, text: str) -> str:
        """A quotation, which may have been cut off in the middle of a secret."""
        for secret in self._secrets:
            text = text.replace(secret, REDACTED)
            begun = _begun_at_the_end(text, secret)
            text = text.removesuffix(begun) + REDACTED if begun else text
        return text

    def value(self, value: Any) -> Any:
        """A JSON value, with every text in it."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.value(each) for each in value]
        return {self.text(name): self.value(each) for name, each in value.items()} if isinstance(value, dict) else value


def _begun_at_the_end(text: str, secret: str) -> str:
    """The longest beginning of `secret` that `text` ends with; empty where that is too short to tell."""
    lengths = range(min(len(text), len(secret) - 1), SHORTEST - 1, -1)
    return next((secret[:length] for length in lengths if text.endswith(secret[:length])), "")
