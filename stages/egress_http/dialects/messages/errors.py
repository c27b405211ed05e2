"""What this API says when it refuses, before a stream and inside one.

The type of an error says more than its status, and inside a stream it is all there is. The provider's sentence is kept.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from ....contract.errors import CONTENT_POLICY, CONTEXT_OVERFLOW, MODEL_NOT_FOUND, QUOTA, Failure
from .. import provider_errors

_STATUS = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
_CREDIT = re.compile(r"credit balance is too low", re.IGNORECASE)
_TOO_LARGE = re.compile(r"request_too_large|request exceeds the maximum size", re.IGNORECASE)


def read_answer(status: int, body: bytes, retry_after: str | None) -> Failure:
    """The failure behind an answer whose status is not a success."""
    failure = provider_errors.read_answer(status, body, retry_after)
    type = _type_in(body)
    if _CREDIT.search(failure.message):
        return msgspec.structs.replace(failure, code=QUOTA)
    if type == "request_too_large" or _TOO_LARGE.search(failure.message):
        # A long history is what makes a request too large, and compacting it is what helps.
        return msgspec.structs.replace(failure, code=CONTEXT_OVERFLOW)
    if type == "not_found_error":
        return msgspec.structs.replace(failure, code=MODEL_NOT_FOUND, message=f"not found: {failure.message}")
    return failure


def read_event(data: bytes, error: Any) -> Failure:
    """The failure behind an error event, or an error that came with a status of success."""
    type = error.get("type") if isinstance(error, dict) else None
    status = _STATUS.get(type) if isinstance(type, str) else None
    if status is None:
        return provider_errors.read_chunk_error(error) if error else provider_errors.read_answer(200, data, None)
    return read_answer(status, msgspec.json.encode({"error": error}), None)


def refusal(details: Any) -> Failure:
    """The model would not go on. Why, where the provider says it."""
    told = details if isinstance(details, dict) else {}
    category, words = told.get("category"), told.get("explanation")
    about = f" ({category})" if isinstance(category, str) and category else ""
    because = f": {words}" if isinstance(words, str) and words else "."
    return Failure(code=CONTENT_POLICY, status=400, message=f"The model refused to answer{about}{because}")


def _type_in(body: bytes) -> str | None:
    try:
        type = msgspec.json.decode(body)["error"]["type"]
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError, IndexError):
        return None
    return type if isinstance(type, str) else None
