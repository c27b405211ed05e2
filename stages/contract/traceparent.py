"""W3C Trace Context: which trace a request belongs to, and which span of it has sent it."""

from __future__ import annotations

import re
from typing import NamedTuple

_SHAPE = re.compile(r"(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")


class Traceparent(NamedTuple):
    """`trace` is 32 hexadecimal digits, `span` 16, `flags` 2."""

    trace: str
    span: str
    flags: str = "01"

    def header(self) -> str:
        return f"00-{self.trace}-{self.span}-{self.flags}"


def read(header: str | None) -> Traceparent | None:
    """What the header says; None where there is none or it is not well-formed, and a trace has to begin anew."""
    found = _SHAPE.fullmatch(header) if header else None
    if found is None:
        return None
    version, trace, span, flags, more = found.groups()
    if not int(trace, 16) or not int(span, 16) or (version == "00" and more):
        return None
    return Traceparent(trace, span, flags)
