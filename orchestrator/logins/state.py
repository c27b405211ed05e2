"""What is known of one login. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

# What the subscriptions are called where people read.
TITLES = {"chatgpt": "ChatGPT", "cursor": "Cursor"}


class LoginState(msgspec.Struct, frozen=True, kw_only=True):
    """`reason` is a sentence with the remedy where the login is not usable, else a plain description; never an e-mail or a token.

    `until` (seconds since the epoch) is when it stops being so by itself. A state that is not `certain` is what is left to say
    where the login could not be looked at: asking again soon may tell more.
    """

    usable: bool
    reason: str
    until: float | None = None
    certain: bool = True


def is_on(environ: Mapping[str, str], name: str) -> bool:
    """How a switch is set by a variable of the environment."""
    return environ.get(name, "").strip().lower() in ("1", "true", "yes", "on")
