"""Which `extra_headers` of a row can be sent.

Rule of this file: a sentence holds a header's name, never its value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_OURS = frozenset(["connection", "content-encoding", "content-length", "content-type", "host", "transfer-encoding", "upgrade"])
CREDENTIALS = frozenset(["authorization", "api-key", "x-api-key", "x-goog-api-key"])


def problems(headers: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Name and sentence of each header that cannot be sent."""
    for name, value in headers.items():
        if not _NAME.fullmatch(name):
            yield name, "a header's name has only letters, digits and signs like `-`"
        elif name.lower() in _OURS:
            yield name, f"the header `{name}` belongs to the connection and cannot be set"
        elif not _VALUE.fullmatch(value):
            yield name, f"the value of header `{name}` holds a line break or another character that cannot be sent"


def carry_credential(headers: Mapping[str, str]) -> bool:
    return any(name.lower() in CREDENTIALS for name in headers)
