"""What never leaves a probe: credentials in headers, and in a text whatever has the shape of one. Pure.

A key that is cut in two by the network, or that a model says letter by letter, has no shape that could be seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..contract import key_shapes
from ..contract.secret import REDACTED

_SECRET_NAMES = re.compile(
    r"authorization|cookie|x-codex-shim-|api[-_]?key|secret|password|credential|access[-_]?token|auth[-_]token|session[-_]token"
    r"|security[-_]token|chatgpt-account-id|x-amz-signature"
)
_KEY_SHAPES = re.compile(f"{key_shapes.KEYS}|{key_shapes.PRIVATE_KEYS}")


def headers(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Names in lower case; the values of those that may hold a credential are replaced."""
    shown = ((name.lower(), value) for name, value in pairs)
    return {name: REDACTED if _SECRET_NAMES.search(name) else text(value) for name, value in shown}


def text(value: str) -> str:
    """The text, with every key in it replaced."""
    return _KEY_SHAPES.sub(REDACTED, value)
