"""What one look finds: a sentence, how bad it is, and what to do about it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

Status = Literal["OK", "WARN", "FAIL", "INFO"]


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """`remedy` says what to do, with the command in backticks; every WARN and FAIL has one. `details` are lines below the message.

    Nothing of it may hold a credential: it is made to be copied into a bug report.
    """

    section: str
    status: Status
    message: str
    remedy: str | None = None
    details: list[str] = []


class Section:
    """Makes the checks of one section of the report. What is optional and not there is an INFO, not a WARN."""

    def __init__(self, name: str) -> None:
        self.name = name

    def ok(self, message: str, details: Sequence[str] = ()) -> Check:
        return Check(section=self.name, status="OK", message=message, details=list(details))

    def info(self, message: str, remedy: str | None = None, details: Sequence[str] = ()) -> Check:
        return Check(section=self.name, status="INFO", message=message, remedy=remedy, details=list(details))

    def warn(self, message: str, remedy: str, details: Sequence[str] = ()) -> Check:
        return Check(section=self.name, status="WARN", message=message, remedy=remedy, details=list(details))

    def fail(self, message: str, remedy: str, details: Sequence[str] = ()) -> Check:
        return Check(section=self.name, status="FAIL", message=message, remedy=remedy, details=list(details))


def count(number: int, noun: str) -> str:
    """`1 model`, `2 models`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
