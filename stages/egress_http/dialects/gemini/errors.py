"""What Google's APIs say when they refuse: a status in words, a sentence, and details such as how long to wait."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from ....contract import errors
from ....contract.errors import Failure
from .. import provider_errors

_STATUS = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "OUT_OF_RANGE": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "RESOURCE_EXHAUSTED": 429,
    "INTERNAL": 500,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
_KEY = re.compile(r"api key (not valid|expired)|API_KEY_INVALID", re.IGNORECASE)
_DAILY = re.compile(r"per ?day", re.IGNORECASE)
_SECONDS = re.compile(r"(\d+(?:\.\d+)?)s")


def read_answer(status: int, body: bytes, retry_after: str | None) -> Failure:
    """The failure behind an answer whose status is not a success."""
    failure = provider_errors.read_answer(status, body, retry_after)
    try:
        decoded = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return failure
    first = decoded[0] if isinstance(decoded, list) and decoded else decoded
    error = first.get("error") if isinstance(first, dict) else None
    return _sorted(failure, error) if isinstance(error, dict) else failure


def read_inside(error: Any) -> Failure:
    """The failure behind an error that came with a status of success."""
    named = error.get("status") if isinstance(error, dict) else None
    status = _STATUS.get(named, 200) if isinstance(named, str) else 200
    given = error if isinstance(error, dict) else {"message": str(error)}
    failure = read_answer(status, msgspec.json.encode({"error": given}), None) if status != 200 else None
    failure = failure or provider_errors.read_chunk_error(given)
    if failure.code != errors.RATE_LIMITED or failure.retry_after is None or "try again in" in failure.message:
        return failure
    # Inside a stream only the sentence gets through, so the wait is said in it.
    return msgspec.structs.replace(failure, message=f"{failure.message} Please try again in {failure.retry_after:g}s.")


def _sorted(failure: Failure, error: dict[str, Any]) -> Failure:
    if _KEY.search(failure.message):
        return msgspec.structs.replace(failure, code=errors.AUTHENTICATION, status=401)
    if failure.code == errors.CONTEXT_OVERFLOW:
        return failure
    if error.get("status") == "NOT_FOUND":
        return msgspec.structs.replace(failure, code=errors.MODEL_NOT_FOUND)
    if error.get("status") != "RESOURCE_EXHAUSTED":
        return failure
    wait = failure.retry_after if failure.retry_after is not None else _wait(error)
    code = errors.QUOTA if _is_daily(error) else errors.RATE_LIMITED
    return msgspec.structs.replace(failure, code=code, status=429, retry_after=wait)


def _wait(error: dict[str, Any]) -> float | None:
    for detail in _details(error):
        found = _SECONDS.fullmatch(str(detail.get("retryDelay")))
        if found:
            return float(found[1])
    return None


def _is_daily(error: dict[str, Any]) -> bool:
    """A quota that is full until tomorrow is not worth waiting for."""
    violated = [each for detail in _details(error) for each in detail.get("violations") or [] if isinstance(each, dict)]
    return any(_DAILY.search(f"{each.get('quotaId')} {each.get('description')}") for each in violated)


def _details(error: dict[str, Any]) -> list[dict[str, Any]]:
    details = error.get("details")
    return [detail for detail in details if isinstance(detail, dict)] if isinstance(details, list) else []
