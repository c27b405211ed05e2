"""The rules of the policy stage, as they stand in pipeline.toml."""

from __future__ import annotations

from typing import Literal

import msgspec


class InjectRule(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Add a message of our own to each request.

    `at = "start"` puts it before everything, `"end"` behind the developer messages that open the conversation. Both places stay
    where they are from turn to turn, so the provider's prompt cache survives. `models` limits the rule to these slugs.
    """

    inject: str
    role: Literal["developer", "system"] = "developer"
    at: Literal["start", "end"] = "end"
    models: list[str] = []


class Options(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    rules: list[InjectRule] = []


class Config(Options, kw_only=True):
    """Nothing is added by the orchestrator."""
