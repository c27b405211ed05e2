"""Whether the `usage` of a response is whole, and how it is made so: a missing number makes Codex repeat the turn."""

from __future__ import annotations

from typing import Any

from ....contract.events import Usage

_DETAILS = (("input_tokens_details", "cached_tokens"), ("output_tokens_details", "reasoning_tokens"))


def is_whole(usage: Any) -> bool:
    if not isinstance(usage, dict):
        return False
    totals = all(_is_count(usage.get(name)) for name in ("input_tokens", "output_tokens", "total_tokens"))
    return totals and all(isinstance(usage.get(part), dict) and _is_count(usage[part].get(name)) for part, name in _DETAILS)


def mended(usage: Any) -> dict[str, Any]:
    """What is there is kept, what is missing counts as zero."""
    given: dict[str, Any] = usage if isinstance(usage, dict) else {}
    whole = Usage(input=_count(given.get("input_tokens")), output=_count(given.get("output_tokens"))).wire()
    for part, _ in _DETAILS:
        details = given.get(part)
        whole[part] |= {name: _count(value) for name, value in details.items()} if isinstance(details, dict) else {}
    whole["total_tokens"] = _count(given.get("total_tokens")) or whole["total_tokens"]
    return {**given, **whole}


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _count(value: Any) -> int:
    try:
        return max(0, int(value))
    except (TypeError, ValueError, OverflowError):
        return 0
