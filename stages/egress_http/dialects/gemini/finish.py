"""Why Gemini stopped, and what that makes of the answer."""

from __future__ import annotations

from ....contract.errors import CONTENT_POLICY, INVALID_REQUEST, SERVER_ERROR, Failure

LENGTH = "MAX_TOKENS"
_GOOD = frozenset({"STOP", "FINISH_REASON_UNSPECIFIED"})
_FILTERED = frozenset({"SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "LANGUAGE"})

EMPTY = Failure(code=SERVER_ERROR, message="The model ended its turn without a word and without a call.")


def failure_of(reason: str, sentence: str) -> Failure | None:
    """None for an end that is none: the model was done, or came to its limit. A broken call is worth another sample."""
    said = f"{reason}: {sentence}" if sentence else reason
    if reason in _GOOD or reason == LENGTH:
        return None
    if reason in _FILTERED or reason.startswith("IMAGE_"):
        return Failure(code=CONTENT_POLICY, status=400, message=f"The provider's filter stopped this answer ({said}).")
    if reason == "MISSING_THOUGHT_SIGNATURE":
        return Failure(code=INVALID_REQUEST, status=400, message=f"The provider refused the history ({said}).")
    return Failure(code=SERVER_ERROR, message=f"The provider broke off its answer ({said}).")


def blocked(reason: str, sentence: str) -> Failure:
    """The question was filtered: there will be no answer."""
    said = f"{reason}: {sentence}" if sentence else reason
    return Failure(code=CONTENT_POLICY, status=400, message=f"The provider's filter refused this conversation ({said}).")
