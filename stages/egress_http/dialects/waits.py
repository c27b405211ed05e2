"""How long a provider asks its clients to wait, from the headers of a refusal.

The standard header counts most, as seconds or as a date. Without it, the limits that are used up say when they are filled again:
Anthropic as a time, OpenAI and those like it as a duration. Several of them are over when the last one is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

_ANTHROPIC_LIMIT = re.compile(r"anthropic-ratelimit-(.+)-remaining")
_OPENAI_LIMIT = re.compile(r"x-ratelimit-remaining-(.+)")
_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+)ms)?")
_UNITS = (86_400, 3_600, 60, 1, 0.001)


def retry_after(headers: Mapping[str, str], now: float) -> str | None:
    """Seconds, as `Retry-After` has them. `now` is the time by the clock."""
    seconds = _said(headers, now)
    if seconds is None:
        seconds = max(_refills(headers, now), default=None)
    return None if seconds is None else f"{max(0.0, seconds):.3f}".rstrip("0").rstrip(".")


def _said(headers: Mapping[str, str], now: float) -> float | None:
    value = headers.get("retry-after", "")
    number = _number(value)
    if number is None and value:
        number = _until(value, now)
    milliseconds = _number(headers.get("retry-after-ms", ""))
    return milliseconds / 1000 if number is None and milliseconds is not None else number


def _refills(headers: Mapping[str, str], now: float) -> Iterator[float]:
    for name, value in headers.items():
        if _number(value) != 0:
            continue
        if match := _ANTHROPIC_LIMIT.fullmatch(name.lower()):
            seconds = _until(headers.get(f"anthropic-ratelimit-{match[1]}-reset", ""), now)
        elif match := _OPENAI_LIMIT.fullmatch(name.lower()):
            seconds = _duration(headers.get(f"x-ratelimit-reset-{match[1]}", ""))
        else:
            continue
        if seconds is not None:
            yield seconds


def _until(moment: str, now: float) -> float | None:
    """A date of HTTP or of RFC 3339."""
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            return read(moment).timestamp() - now
        except (ValueError, TypeError, OverflowError):
            continue
    return None


def _duration(text: str) -> float | None:
    number = _number(text)
    if number is not None:
        return number
    match = _DURATION.fullmatch(text)
    if match is None or not any(match.groups()):
        return None
    return sum(float(part or 0) * unit for part, unit in zip(match.groups(), _UNITS, strict=True))


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 <= number < float("inf") else None
