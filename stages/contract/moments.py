"""Moments in words. Pure."""

from __future__ import annotations

from datetime import UTC, datetime


def utc(seconds: float) -> str:
    """`2026-11-21 08:00 UTC`, of seconds since the epoch; empty for a year that no calendar has."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (ValueError, OverflowError, OSError):
        return ""
