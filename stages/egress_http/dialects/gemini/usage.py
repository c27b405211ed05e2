"""Token counts of Gemini → the contract's `Usage`. There, thoughts are not among the candidates' tokens; here output has them."""

from __future__ import annotations

from typing import Any

from ....contract.events import Usage


def read_usage(raw: Any) -> Usage:
    if not isinstance(raw, dict):
        return Usage()
    prompt = _count(raw, "promptTokenCount") + _count(raw, "toolUsePromptTokenCount")
    cached, thoughts = _count(raw, "cachedContentTokenCount"), _count(raw, "thoughtsTokenCount")
    return Usage(
        input=max(prompt, cached), cached=cached, output=_count(raw, "candidatesTokenCount") + thoughts, reasoning=thoughts
    )


def _count(raw: dict[str, Any], name: str) -> int:
    try:
        return max(0, int(raw.get(name) or 0))
    except (TypeError, ValueError, OverflowError):
        return 0
