"""What never leaves a probe: credentials in headers, and in a text whatever has the shape of one. Pure.

A key that is cut in two by the network, or that a model says letter by letter, has no shape that could be seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..contract.secret import REDACTED

_SECRET_NAMES = re.compile(
    r"authorization|cookie|x-codex-shim-|api[-_]?key|secret|password|credential|access[-_]?token|auth[-_]token|session[-_]token"
    r"|security[-_]token|chatgpt-account-id|x-amz-signature"
)
_KEY_SHAPES = re.compile(
    r"\bsk-[A-Za-z0-9_-]{16,}"  # OpenAI, Anthropic, OpenRouter and many others
    r"|\b(?:ghp|gho|ghu|ghs|ghr|gsk|xai|crsr|key|pplx|nvapi|hf|r8)[_-][A-Za-z0-9_-]{20,}"
    r"|\bgithub_pat_[A-Za-z0-9_]{20,}"
    r"|\bxox[abprs]-[A-Za-z0-9-]{10,}"
    r"|\bAIza[A-Za-z0-9_-]{35}"
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"
    r"|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"  # a JSON web token
    r"|(?i:\bbearer\s+)[A-Za-z0-9._~+/=-]{16,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    re.DOTALL,
)


def headers(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Names in lower case; the values of those that may hold a credential are replaced."""
    shown = ((name.lower(), value) for name, value in pairs)
    return {name: REDACTED if _SECRET_NAMES.search(name) else text(value) for name, value in shown}


def text(value: str) -> str:
    """The text, with every key in it replaced."""
    return _KEY_SHAPES.sub(REDACTED, value)
