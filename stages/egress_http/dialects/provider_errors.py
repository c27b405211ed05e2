"""What providers say when they refuse, sorted into the codes of the contract.

The provider's own sentence is kept; only the code is ours, because it decides whether a client tries again. The patterns are those
that providers of this shape are known to use.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from ...contract import errors
from ...contract.errors import Failure

_OVERFLOW = re.compile(
    r"maximum context l|exceeds? (the )?(model's )?(available )?context (limit|size|window|length)"
    r"|longer than the model's context length|input tokens exceed|prompt is too long|input is too long|`max_tokens` exceed context"
    r"|exceeds the maximum number of tokens|`inputs` tokens \+ `max_new_tokens`|current length is \d+ while limit is"
    r"|maximum input length is .* tokens|context_length_exceeded|context[_ ]?window[_ ]?exceed(ed|s limit)",
    re.IGNORECASE,
)
# A request that is too large (413) may be so in bytes, for which nothing is known to help, or in what a shorter history mends.
_LONG_TALK = re.compile(
    r"\btokens?\b|context|prompt|conversation|history|\bmessages?\b|request_too_large|request exceeds the maximum size",
    re.IGNORECASE,
)
_QUOTA = re.compile(
    r"insufficient[_ ](quota|balance|credits?|funds)|exceeded your current quota|billing|out of credits|requires more credits"
    r"|quota exhausted",
    re.IGNORECASE,
)
_FILTER = re.compile(
    r"content[_ ]filter|content[_ ]policy|content management policy|flagged|moderation|safety system", re.IGNORECASE
)
_NO_MODEL = re.compile(
    r"model.{0,80}(not[ _]found|does not exist|not exist|unknown|not supported|unavailable)|unknown model|no such model",
    re.IGNORECASE,
)
_RATE = re.compile(r"rate[_ ]?limit|too many requests", re.IGNORECASE)
_BUSY = re.compile(
    r"overloaded|at capacity|slow_down|unavailable|internal server error|server_error|api_error|timeout", re.IGNORECASE
)
_KEY = re.compile(r"invalid_api_key|incorrect api key|invalid api key|authentication", re.IGNORECASE)
_RESAMPLE = re.compile(r"tool_use_failed", re.IGNORECASE)
_WAIT = re.compile(r"(?:try again|retry) in (?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)(ms|s))?", re.IGNORECASE)
_PLAIN_WAIT = re.compile(r"try again in \d+(\.\d+)?(s|ms)", re.IGNORECASE)

_PASSING = frozenset({408, 409, 425})


def read_answer(status: int, body: bytes, retry_after: str | None) -> Failure:
    """The failure behind an answer whose status is not a success."""
    plain = errors.read_failure(status, body, retry_after)
    message = plain.message + _behind(body)
    named = plain.code if plain.code != errors.default_code(status) else ""
    code, status = _sort(status, f"{named} {message}")
    wait = plain.retry_after if plain.retry_after is not None else _wait_of(message)
    return Failure(code=code, message=message, status=status, param=plain.param, retry_after=wait)


def read_chunk_error(error: Any) -> Failure:
    """The failure behind an error that came inside an answer that had begun well.

    From there only the message gets through, so a wait is said in the one form that Codex reads: plain seconds.
    """
    failure = read_answer(_status_in(error), msgspec.json.encode({"error": error}), None)
    if failure.code != errors.RATE_LIMITED or failure.retry_after is None or _PLAIN_WAIT.search(failure.message):
        return failure
    return msgspec.structs.replace(failure, message=f"{failure.message} Please try again in {failure.retry_after:g}s.")


def _sort(status: int, text: str) -> tuple[str, int]:
    """The code and the status for it. What the provider says in words outranks the status it chose."""
    if _OVERFLOW.search(text):
        return errors.CONTEXT_OVERFLOW, 400
    if status == 413 and _LONG_TALK.search(text):
        return errors.CONTEXT_OVERFLOW, 413
    if _RESAMPLE.search(text):
        return errors.SERVER_ERROR, 502
    if status == 402 or (status < 500 and _QUOTA.search(text)):
        return errors.QUOTA, 429 if status == 200 else status
    if status == 429:
        return errors.RATE_LIMITED, 429
    if status == 200:
        return _sort_by_words(text)
    if status >= 500 or status in _PASSING:
        return errors.SERVER_ERROR, status
    return _sort_refusal(status, text), status


def _sort_refusal(status: int, text: str) -> str:
    if _FILTER.search(text):
        return errors.CONTENT_POLICY
    if status in (401, 403):
        return errors.AUTHENTICATION
    if status in (400, 404) and _NO_MODEL.search(text):
        return errors.MODEL_NOT_FOUND
    return errors.INVALID_REQUEST


def _sort_by_words(text: str) -> tuple[str, int]:
    """No status, as inside a stream. What says nothing is a passing fault, so that it is tried again."""
    for pattern, code, status in (
        (_RATE, errors.RATE_LIMITED, 429),
        (_BUSY, errors.SERVER_ERROR, 503),
        (_FILTER, errors.CONTENT_POLICY, 400),
        (_KEY, errors.AUTHENTICATION, 401),
        (_NO_MODEL, errors.MODEL_NOT_FOUND, 404),
    ):
        if pattern.search(text):
            return code, status
    return (errors.INVALID_REQUEST, 400) if "invalid_request" in text else (errors.SERVER_ERROR, 502)


def _status_in(error: Any) -> int:
    """The HTTP status some gateways put inside an error, 200 where there is none."""
    for name in ("status", "status_code", "code", "http_status"):
        value = error.get(name) if isinstance(error, dict) else None
        if isinstance(value, str) and value.isdecimal():
            value = int(value)
        if isinstance(value, int) and 400 <= value < 600:
            return value
    return 200


def _behind(body: bytes) -> str:
    """What the provider behind a gateway said, where the gateway only says that there was an error (OpenRouter)."""
    try:
        raw = msgspec.json.decode(body)["error"]["metadata"]["raw"]
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError, IndexError):
        return ""
    if not isinstance(raw, str):
        return ""
    return ": " + errors.read_failure(502, raw.encode(), None).message


def _wait_of(message: str) -> float | None:
    match = _WAIT.search(message)
    if match is None or not any(match.groups()):
        return None
    hours, minutes, number, unit = match.groups()
    seconds = float(number or 0) / (1000 if unit == "ms" else 1)
    return int(hours or 0) * 3600 + int(minutes or 0) * 60 + seconds
