"""Token counts of a messages stream → the contract's `Usage`."""

from __future__ import annotations

from typing import Any

from ....contract.events import Usage


class Counts:
    """Takes up counts as they come. Later ones replace earlier ones, except where they are null or missing."""

    def __init__(self) -> None:
        self._raw: dict[str, Any] = {}

    def __bool__(self) -> bool:
        return bool(self._raw)

    def update(self, usage: Any) -> None:
        if isinstance(usage, dict):
            self._raw |= {name: value for name, value in usage.items() if value is not None}

    def usage(self) -> Usage:
        """The API counts what it read from and wrote to its cache apart from the input; for a client all of it is input."""
        cached = _count(self._raw.get("cache_read_input_tokens"))
        written = _count(self._raw.get("cache_creation_input_tokens")) or _sum(self._raw.get("cache_creation"))
        output = _count(self._raw.get("output_tokens"))
        details = self._raw.get("output_tokens_details")
        reasoning = _count(details.get("thinking_tokens")) if isinstance(details, dict) else 0
        return Usage(
            input=_count(self._raw.get("input_tokens")) + cached + written,
            output=max(output, reasoning),
            cached=cached,
            cache_write=written,
            reasoning=reasoning,
        )


def _sum(lifetimes: Any) -> int:
    return sum(_count(value) for value in lifetimes.values()) if isinstance(lifetimes, dict) else 0


def _count(value: Any) -> int:
    try:
        return max(0, int(float(value)))
    except (TypeError, ValueError, OverflowError):
        return 0
