"""What Codex makes of a failure, and the carrier that makes it do the right thing. Pure.

Observed on Codex 0.169.0: most 4xx statuses are retried five times and a 500 thirty times, with the sentence lost on the way. A
`response.failed` on status 200 is read closely: `invalid_prompt` shows the message once and stops, `rate_limit_exceeded` waits as
long as "try again in Ns" says, any unknown code is retried five times. So a client that is Codex gets that, others plain HTTP.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from ..contract.errors import CONTEXT_OVERFLOW, INVALID_REQUEST, MODEL_NOT_FOUND, PLAN_LIMITS, RATE_LIMITED, SERVER_ERROR, Failure

# Longer than this, a user would rather read the sentence than watch a spinner.
PATIENCE_SECONDS = 60
# Where a provider limits without saying for how long.
DEFAULT_WAIT_SECONDS = 5

_TRANSIENT = frozenset({408, 409, 425})


def is_codex(headers: Mapping[str, str]) -> bool:
    """Codex names its front end in `originator`; other clients do not send the header."""
    return "originator" in headers


def for_codex(failure: Failure) -> Failure:
    """The same failure with the code, and where needed the words, that Codex acts rightly upon."""
    if failure.code in (CONTEXT_OVERFLOW, MODEL_NOT_FOUND):
        return failure
    if failure.code in PLAN_LIMITS:
        return _recoded(failure, INVALID_REQUEST)
    if failure.code == RATE_LIMITED or (failure.status == 429 and failure.code != "insufficient_quota"):
        return _limited(failure)
    if failure.code == SERVER_ERROR or failure.status in _TRANSIENT or (failure.status >= 500 and failure.code != INVALID_REQUEST):
        return _recoded(failure, SERVER_ERROR)
    return _recoded(failure, INVALID_REQUEST)


def _limited(failure: Failure) -> Failure:
    if "try again in" in failure.message.lower():
        return _recoded(failure, RATE_LIMITED)
    wait = math.ceil(failure.retry_after if failure.retry_after is not None else DEFAULT_WAIT_SECONDS)
    if wait > PATIENCE_SECONDS:
        return _recoded(failure, INVALID_REQUEST, f" The provider asks to wait {_duration(wait)}.")
    return _recoded(failure, RATE_LIMITED, f" Please try again in {wait}s.")


def _recoded(failure: Failure, code: str, more: str = "") -> Failure:
    message = failure.message.rstrip()
    if more and not message.endswith((".", "!", "?")):
        message += "."
    return Failure(code=code, message=message + more, status=failure.status, retry_after=failure.retry_after)


def _duration(seconds: int) -> str:
    return f"{seconds} seconds" if seconds < 120 else f"about {round(seconds / 60)} minutes"
