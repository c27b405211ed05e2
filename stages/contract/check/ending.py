"""The terminal event of a stream and what it says of the whole response. Pure."""

from __future__ import annotations

from typing import Any

from .violation import Violation

_TOTALS = ("input_tokens", "output_tokens", "total_tokens")
_DETAILS = (("input_tokens_details", "cached_tokens"), ("output_tokens_details", "reasoning_tokens"))


def judge(type: str, response: Any, response_id: str | None) -> list[Violation]:
    """`response_id` is the id that `response.created` gave, None where none was given."""
    if not isinstance(response, dict):
        return [Violation("terminal-response", type, f"`{type}` without a `response`")]
    found = [_status(type, response), _id(type, response, response_id), _reason(type, response)]
    return [each for each in (*found, *_usage(type, response.get("usage"))) if each is not None]


def _status(type: str, response: dict[str, Any]) -> Violation | None:
    status = response.get("status")
    if f"response.{status}" == type:
        return None
    return Violation("terminal-status", f"{type} status", f"`{type}` whose response has the status {_shown(status)}")


def _id(type: str, response: dict[str, Any], created: str | None) -> Violation | None:
    given = response.get("id")
    if not isinstance(given, str) or not given:
        return Violation("response-id", f"{type} id", f"`{type}` whose response has no `id`; Codex takes the turn for broken")
    if created is not None and given != created:
        return Violation("response-id", f"{type} id", f"`{type}` has another response `id` than `response.created`")
    return None


def _reason(type: str, response: dict[str, Any]) -> Violation | None:
    """Why it failed, or is incomplete."""
    if type == "response.failed":
        error = response.get("error")
        words = [error.get(name) for name in ("code", "message")] if isinstance(error, dict) else [None]
        if not all(isinstance(word, str) and word for word in words):
            return Violation("terminal-reason", f"{type} error", f"`{type}` whose `error` has no code and message")
    if type == "response.incomplete":
        details = response.get("incomplete_details")
        if not isinstance(details, dict) or not isinstance(details.get("reason"), str):
            return Violation("terminal-reason", f"{type} incomplete_details", f"`{type}` without a reason")
    return None


def _usage(type: str, usage: Any) -> list[Violation]:
    """It may be missing as a whole. With one of its totals missing Codex repeats the turn."""
    if usage is None:
        return []
    if not isinstance(usage, dict):
        return [Violation("usage", f"{type} usage", f"`{type}` whose `usage` is no object")]
    lacking = [name for name in _TOTALS if not _is_count(usage.get(name))]
    for part, name in _DETAILS:
        details = usage.get(part)
        if not isinstance(details, dict) or not _is_count(details.get(name)):
            lacking.append(f"{part}.{name}")
    if lacking:
        return [Violation("usage", f"{type} usage.{lacking[0]}", f"`{type}` whose `usage` has no number for {', '.join(lacking)}")]
    return _sums(type, usage)


def _sums(type: str, usage: dict[str, Any]) -> list[Violation]:
    """Some services count thinking into the total alone, so it may be more than its parts."""
    input, output, total = (usage[name] for name in _TOTALS)
    if total < input + output:
        sentence = f"`{type}` whose `usage` has a total of {total} for {input} and {output} tokens"
        return [Violation("usage", f"{type} usage.total_tokens", sentence)]
    return []


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _shown(value: Any) -> str:
    return f"`{value}`" if isinstance(value, str) and len(value) < 40 else "of no known kind"
