"""What the ChatGPT backend says when a plan does not reach any further, in one sentence for its user. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from ....contract.errors import PLAN_LIMITS, USAGE_LIMIT, Failure
from ....contract.moments import utc

# What is no plain word is no plan, and not repeated.
_PLAN = re.compile(r"[A-Za-z_]{1,40}")
_WINDOWS = ("primary", "secondary")
_NAMES = {300: "5-hour limit", 1_440: "daily limit", 10_080: "weekly limit", 43_200: "monthly limit"}


def explain(failure: Failure, error: Any, headers: Mapping[str, str], now: float | None = None) -> Failure:
    """The failure with the backend's code and, for a limit that is reached, which one it is and when it resets.

    `error` is the object that came, `now` the time by the clock where there is one, in seconds since the epoch.
    """
    code = _word(error, "type") or _word(error, "code")
    if code not in PLAN_LIMITS:
        return failure
    if code != USAGE_LIMIT:
        return msgspec.structs.replace(failure, code=code)
    resets_at = _number(error.get("resets_at")) or _reset_of(headers)
    wait = None if resets_at is None or now is None else max(0.0, resets_at - now)
    return msgspec.structs.replace(failure, code=code, message=_sentence(error, headers, resets_at, wait), retry_after=wait)


def error_in(body: bytes) -> dict[str, Any]:
    """The error object of a refusal, empty where there is none."""
    try:
        error = msgspec.json.decode(body)["error"]
    except (ValueError, RecursionError, KeyError, TypeError, IndexError):
        return {}
    return error if isinstance(error, dict) else {}


def _sentence(error: dict[str, Any], headers: Mapping[str, str], resets_at: float | None, wait: float | None) -> str:
    plan = _word(error, "plan_type")
    plan = plan.replace("_", " ").title() if _PLAN.fullmatch(plan) else ""
    which = _window_of(headers)
    limit = f"the usage limit of the ChatGPT {plan} plan" if plan else "the usage limit of this ChatGPT plan"
    named = f" ({which})" if which else ""
    moment = utc(resets_at) if resets_at is not None else ""
    ends = [f"in {_duration(wait)}"] if wait is not None else []
    ends += [f"at {moment}"] if moment else []
    return f"{limit} has been reached{named}" + (f"; it resets {', '.join(ends)}" if ends else "")


def _used_up(headers: Mapping[str, str]) -> list[str]:
    return [each for each in _WINDOWS if (_number(headers.get(f"x-codex-{each}-used-percent")) or 0) >= 100]


def _window_of(headers: Mapping[str, str]) -> str:
    """The longest of the limits that are used up."""
    minutes = [_number(headers.get(f"x-codex-{each}-window-minutes")) or 0 for each in _used_up(headers)]
    return _NAMES.get(round(max(minutes, default=0)), "")


def _reset_of(headers: Mapping[str, str]) -> float | None:
    """All limits that are used up have to be filled again."""
    moments = [_number(headers.get(f"x-codex-{each}-reset-at")) for each in _used_up(headers)]
    return max((moment for moment in moments if moment), default=None)


def _word(error: Any, name: str) -> str:
    value = error.get(name) if isinstance(error, dict) else None
    return value if isinstance(value, str) else ""


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if 0 <= number < float("inf") else None


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 2:
        return "a minute"
    if minutes < 120:
        return f"{minutes} minutes"
    return f"{round(minutes / 60)} hours" if minutes < 48 * 60 else f"{round(minutes / 60 / 24)} days"
