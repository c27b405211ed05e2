"""Why an upstream stopped, and what that makes of the answer."""

from __future__ import annotations

from typing import Any, Literal

from ...contract.errors import CONTENT_POLICY, CONTEXT_OVERFLOW, INVALID_REQUEST, SERVER_ERROR, Failure

Outcome = Literal["complete", "length", "filtered", "overflow", "broken"]

_OUTCOMES: dict[str, Outcome] = {
    "length": "length",
    "max_tokens": "length",
    "max_output_tokens": "length",
    "model_length": "length",
    "content_filter": "filtered",
    "refusal": "filtered",
    "sensitive": "filtered",
    "safety": "filtered",
    "prohibited_content": "filtered",
    "recitation": "filtered",
    "blocklist": "filtered",
    "model_context_window_exceeded": "overflow",
    "context_window_exceeded": "overflow",
    "context_length_exceeded": "overflow",
    "insufficient_system_resource": "broken",
    "engine_overloaded": "broken",
    "abort": "broken",
    "aborted": "broken",
    "cancelled": "broken",
    "timeout": "broken",
    "malformed_function_call": "broken",
}

ENDED_EARLY = Failure(code=SERVER_ERROR, message="The provider ended its answer before it was finished.")
CUT_CALL = Failure(code=SERVER_ERROR, message="The provider ended its answer in the middle of a tool call.")
NAMELESS_CALL = Failure(code=SERVER_ERROR, message="The provider sent a tool call without a name.")
FILTERED = Failure(code=CONTENT_POLICY, status=400, message="The provider's content filter stopped this answer.")
OVERFLOW = Failure(code=CONTEXT_OVERFLOW, status=400, message="The conversation is longer than the model's context window.")

PAUSED = Failure(
    code=INVALID_REQUEST,
    status=400,
    message="The provider paused this answer to go on with a tool of its own, which it can do only when it is asked again: say "
    '"continue".',
)


def garbage(data: bytes) -> Failure:
    words = data[:80].decode("utf-8", "replace")
    return Failure(code=SERVER_ERROR, message=f"The provider sent something that is not part of an answer: {words}")


def broken(reason: str) -> Failure:
    return Failure(code=SERVER_ERROR, message=f"The provider broke off its answer ({reason}).")


def outcome_of(reason: str) -> Outcome:
    """What is not known to be bad is an ordinary end: whether there are calls is seen from what came, not from the reason."""
    word = reason.lower()
    return _OUTCOMES.get(word, "broken" if "error" in word else "complete")


def later_reason(known: str | None, new: Any) -> str | None:
    """The reason to go by. A bad one stays, whatever comes behind it."""
    if not isinstance(new, str) or not new or (known and outcome_of(known) != "complete"):
        return known
    return new
