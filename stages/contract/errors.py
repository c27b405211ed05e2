"""The one error shape between hops, before the first byte (JSON) and after it (`response.failed`).

A `Failure` says whose fault it was by its status, what it was by its code, and what to do next in its message. Only ingress
knows what Codex does with each of them.
"""

from __future__ import annotations

from typing import Any

import msgspec

# The codes our own stages use. A provider's code that is none of these passes through unchanged.
INVALID_REQUEST = "invalid_prompt"
MODEL_NOT_FOUND = "model_not_found"
CONTEXT_OVERFLOW = "context_length_exceeded"
CONTENT_POLICY = "content_policy_violation"
RATE_LIMITED = "rate_limit_exceeded"
QUOTA = "insufficient_quota"
AUTHENTICATION = "invalid_api_key"
LOGIN_REFUSED = "login_refused"
SERVER_ERROR = "server_error"
# What the ChatGPT backend says of a plan: it is used up, or does not hold this. Nobody waits such a thing out in a request.
USAGE_LIMIT = "usage_limit_reached"
PLAN_LIMITS = frozenset({USAGE_LIMIT, "usage_not_included"})

_TYPES = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why an exchange did not succeed.

    `status` is the HTTP status before the first byte; `retry_after` is in seconds, None where nobody said.
    """

    code: str
    message: str
    status: int = 502
    param: str | None = None
    retry_after: float | None = None

    @property
    def type(self) -> str:
        return _TYPES.get(self.status, "invalid_request_error" if self.status < 500 else "server_error")

    def body(self, request_id: str | None = None) -> dict[str, Any]:
        """The JSON object of an error answer."""
        error: dict[str, Any] = {"message": self.message, "type": self.type, "code": self.code, "param": self.param}
        if request_id:
            error["request_id"] = request_id
        return {"error": error}


class HopError(Exception):
    """Raised at the edges of a stage; the kit turns it into the answer."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


def refuse(message: str, *, status: int = 400, code: str = INVALID_REQUEST, param: str | None = None) -> HopError:
    """An error that is the caller's to mend."""
    return HopError(Failure(code=code, message=message, status=status, param=param))


class _ErrorBody(msgspec.Struct):
    error: Any = None
    message: Any = None
    detail: Any = None


def read_failure(status: int, body: bytes, retry_after: str | None = None) -> Failure:
    """Understand the error answer of another hop or of an outside proxy.

    Takes our own shape, the shapes in common use (`{"error": "text"}`, `{"detail": …}`, a list of errors) and anything else,
    of which only the first line is quoted: an HTML page is not a sentence.
    """
    error = _error_of(body)
    message = error.get("message")
    if not isinstance(message, str) or not message.strip():
        message = _first_words(body) or f"HTTP {status} without a message"
    code, param = error.get("code") or error.get("type"), error.get("param")
    return Failure(
        code=code if isinstance(code, str) else default_code(status),
        message=message.strip(),
        status=status,
        param=param if isinstance(param, str) else None,
        retry_after=parse_retry_after(retry_after),
    )


def default_code(status: int) -> str:
    """The code for a status that came without one."""
    known = {401: AUTHENTICATION, 402: QUOTA, 403: AUTHENTICATION, 408: SERVER_ERROR, 429: RATE_LIMITED}
    return known.get(status, INVALID_REQUEST if 400 <= status < 500 else SERVER_ERROR)


def parse_retry_after(value: str | None) -> float | None:
    """Seconds of a `Retry-After` header. Its date form is left to the caller that has a clock."""
    try:
        seconds = float(value) if value else -1.0
    except ValueError:
        return None
    return seconds if 0 <= seconds < float("inf") else None


def _error_of(body: bytes) -> dict[str, Any]:
    try:
        decoded = msgspec.json.decode(body)
        first = decoded[0] if isinstance(decoded, list) and decoded else decoded
        parsed = msgspec.convert(first, _ErrorBody)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return {}
    error = parsed.error or parsed.detail or parsed.message
    return error if isinstance(error, dict) else {"message": error}


def _first_words(body: bytes) -> str:
    text = body[:2000].decode("utf-8", "replace").strip()
    if text.startswith("<"):
        return "an HTML page instead of JSON"
    return text.splitlines()[0][:300] if text else ""
