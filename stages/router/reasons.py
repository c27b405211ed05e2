"""Which failures of one member are a reason to ask another, as data. Pure.

What would fail everywhere is none: a request that is wrong, or that a content filter refuses.
"""

from __future__ import annotations

from typing import Any

import msgspec

from ..contract.errors import (
    AUTHENTICATION,
    CONTENT_POLICY,
    CONTEXT_OVERFLOW,
    INVALID_REQUEST,
    LOGIN_REFUSED,
    MODEL_NOT_FOUND,
    PLAN_LIMITS,
    QUOTA,
    RATE_LIMITED,
    Failure,
)


class Reason(msgspec.Struct, frozen=True):
    """`name` stands in the log, `words` in a sentence behind the member's name. What is `lasting` does not go away by waiting; what
    is `of_request` says nothing about the member's health."""

    name: str
    words: str
    lasting: bool = False
    of_request: bool = False


CONNECT = Reason("connect", "cannot be reached")
TIMEOUT = Reason("timeout", "did not answer in time")
RATE = Reason("rate limit", "is rate limited")
CREDIT = Reason("credit", "has no credit left", lasting=True)
KEY = Reason("key", "refuses the key", lasting=True)
MODEL = Reason("model", "does not know the model", lasting=True)
SETUP = Reason("setup", "is not set up", lasting=True)
SERVER = Reason("server", "has a fault")
TOO_LONG = Reason("context", "finds the conversation too long", lasting=True, of_request=True)
FOREIGN = Reason("history", "cannot read the compacted history", lasting=True, of_request=True)

_BY_CODE = {
    CONTEXT_OVERFLOW: TOO_LONG,
    QUOTA: CREDIT,
    **dict.fromkeys(PLAN_LIMITS, CREDIT),
    RATE_LIMITED: RATE,
    AUTHENTICATION: KEY,
    LOGIN_REFUSED: KEY,
    MODEL_NOT_FOUND: MODEL,
}
_BY_STATUS = {
    401: KEY,
    402: CREDIT,
    403: KEY,
    404: MODEL,
    408: SERVER,
    409: SERVER,
    424: SETUP,
    425: SERVER,
    429: RATE,
    504: TIMEOUT,
}
# Inside a stream there is no status; a code that is in neither of the two is one that Codex would try again.
_STATUS_OF_CODE = {
    **dict.fromkeys((INVALID_REQUEST, CONTENT_POLICY, CONTEXT_OVERFLOW), 400),
    **dict.fromkeys((AUTHENTICATION, LOGIN_REFUSED), 401),
    **dict.fromkeys((QUOTA, *PLAN_LIMITS), 402),
    MODEL_NOT_FOUND: 404,
    RATE_LIMITED: 429,
}


def judge(failure: Failure, *, foreign: bool = False) -> Reason | None:
    """None for what another member would refuse as well. `foreign` tells that the request holds a history that was compacted by a
    service and that only this service can read."""
    if failure.code == CONTENT_POLICY:
        return None
    if failure.status < 500 and (known := _BY_CODE.get(failure.code)):
        return known
    if failure.status == 400 and foreign:
        return FOREIGN
    return _BY_STATUS.get(failure.status) or (SERVER if failure.status >= 500 else None)


def in_stream(error: Any) -> Failure:
    """Of the `error` that a response failed with."""
    told = error if isinstance(error, dict) else {}
    code, message = told.get("code"), told.get("message")
    code = code if isinstance(code, str) else ""
    return Failure(
        code=code or "server_error",
        message=message if isinstance(message, str) and message else "the model's answer failed, and nobody said why",
        status=_STATUS_OF_CODE.get(code, 502),
    )
