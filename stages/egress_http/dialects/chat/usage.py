"""Token counts as providers of this shape report them → the contract's `Usage`.

Fields are missing, null, text or floats, and have other names at other providers. One that says nothing counts as zero.
"""

from __future__ import annotations

from typing import Any

from ....contract.events import Usage


def read_usage(raw: Any) -> Usage:
    """`prompt_tokens` includes the cached ones, `completion_tokens` the reasoning; who counts otherwise is told by the total."""
    if not isinstance(raw, dict):
        return Usage()
    prompt_details, completion_details = _dict(raw, "prompt_tokens_details"), _dict(raw, "completion_tokens_details")
    cached = _first(prompt_details, "cached_tokens") or _first(raw, "prompt_cache_hit_tokens", "cached_tokens", "num_cached_tokens")
    reasoning = _first(completion_details, "reasoning_tokens") or _first(raw, "reasoning_tokens")
    input = _first(raw, "prompt_tokens", "input_tokens")
    output = _first(raw, "completion_tokens", "output_tokens")
    if reasoning and _first(raw, "total_tokens") == input + output + reasoning:
        output += reasoning  # xAI
    if cached > input:
        input += cached
    return Usage(
        input=input,
        output=max(output, reasoning),
        cached=cached,
        cache_write=_first(prompt_details, "cache_write_tokens", "cache_creation_input_tokens"),
        reasoning=reasoning,
    )


def _dict(raw: dict[str, Any], name: str) -> dict[str, Any]:
    value = raw.get(name)
    return value if isinstance(value, dict) else {}


def _first(raw: dict[str, Any], *names: str) -> int:
    for name in names:
        value = _integer(raw.get(name))
        if value:
            return value
    return 0


def _integer(value: Any) -> int:
    try:
        return max(0, int(float(value)))
    except (TypeError, ValueError, OverflowError):
        return 0
