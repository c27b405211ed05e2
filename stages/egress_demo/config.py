"""The demo model's one setting."""

from __future__ import annotations

import msgspec


class Options(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`word_seconds` is the pause between two words of an answer."""

    word_seconds: float = 0.02


class Config(Options, kw_only=True):
    """Nothing is added by the orchestrator."""
