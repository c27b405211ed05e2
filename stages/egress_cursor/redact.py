"""What may be quoted of the words of `cursor-agent`, in an error or a log. Pure."""

from __future__ import annotations

import re

LIMIT = 400

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_INVISIBLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060\ufeff]+")
_EVENT = re.compile(r"[\s\ufeff\u200b]*(?:\[?std(?:out|err)\]?:?\s*)?\{")
_SECRETS = (
    (re.compile(r"(?i)\bbearer\s+\S+"), "Bearer [REDACTED]"),
    (re.compile(r"\beyJ[\w-]{5,}(?:\.[\w-]*)*"), "[REDACTED]"),
    (re.compile(r"\b(?:crsr|key)_[\w-]+"), "[REDACTED]"),
    (re.compile(r"\bsk-[\w-]{6,}"), "[REDACTED]"),
    (re.compile(r"""(?i)\b((?:access|refresh|auth|id)_?token|api_?key)(["']?\s*[:=]\s*["']?)[^\s"',}]+"""), r"\1\2[REDACTED]"),
    (re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+"), "[address]"),
    (re.compile(r"(?:/home|/Users)/[^/\s:'\"]+|(?i:[a-z]:\\Users\\)[^\\\s:'\"]+"), "~"),
)


def own_words(text: str) -> str:
    """Without the lines that are events, which some builds repeat on standard error: they may hold the prompt."""
    return "\n".join(line for line in _ANSI.sub("", text).splitlines() if not _EVENT.match(line))


def redact(text: str, home: str = "", limit: int = LIMIT) -> str:
    """Own words without tokens, addresses, home folder, control characters: one line of at most `limit` characters."""
    line = " ".join(_INVISIBLE.sub(" ", own_words(text)).split())
    if len(home) > 1:
        line = line.replace(home, "~")
    for pattern, instead in _SECRETS:
        line = pattern.sub(instead, line)
    return line if len(line) <= limit else line[: limit - 1] + "…"
