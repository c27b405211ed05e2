"""What `cursor-agent` says when it refuses, on standard error or, sometimes, in place of an answer. Pure.

A table of patterns and what each of them means. The program's own sentence is quoted only where ours does not say all of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ..contract.errors import CONTEXT_OVERFLOW, INVALID_REQUEST, MODEL_NOT_FOUND, Failure
from .codes import AUTH_REQUIRED, MISCONFIGURED, RATE_LIMITED, UPSTREAM_UNAVAILABLE, USAGE_LIMIT
from .redact import redact

RATE_WAIT_SECONDS = 15

_Make = Callable[[re.Match[str], str], Failure]

_RESET = re.compile(r"reset[^.\n]{0,60}?\bon\s+(\d{1,2}/\d{1,2}/\d{2,4})", re.IGNORECASE)


def _auth(match: re.Match[str], said: str) -> Failure:
    return Failure(
        code=AUTH_REQUIRED,
        status=401,
        message="Cursor's own program is not logged in, or its login has expired; run `cursor-agent login` and try again.",
    )


def _keychain(match: re.Match[str], said: str) -> Failure:
    return Failure(
        code=AUTH_REQUIRED,
        status=401,
        message="Cursor's login cannot be read because the macOS login keychain is locked; unlock it with "
        "`security unlock-keychain` and try again.",
    )


def _limit(match: re.Match[str], said: str) -> Failure:
    reset = _RESET.search(said)
    when = f" It is reset on {reset[1]}." if reset else ""
    return Failure(
        code=USAGE_LIMIT,
        status=402,
        message=f"The usage limit of the Cursor plan is reached.{when} Choose another model, or raise the limit on cursor.com.",
    )


def _plan(match: re.Match[str], said: str) -> Failure:
    return Failure(
        code=MODEL_NOT_FOUND,
        status=404,
        message="The Cursor plan of this login does not include this model; choose another, or change the plan on cursor.com.",
    )


def _model(match: re.Match[str], said: str) -> Failure:
    return Failure(
        code=MODEL_NOT_FOUND,
        status=404,
        message=f"Cursor does not offer this login the model `{redact(match[1], limit=80)}`; `cursor-agent --list-models` says "
        "which it offers.",
    )


def rate_limited(seconds: int) -> Failure:
    """429: Cursor lets nobody in for some seconds."""
    return Failure(
        code=RATE_LIMITED,
        status=429,
        retry_after=float(seconds),
        message=f"Cursor has no room for this request at the moment; try again in {seconds}s.",
    )


def _rate(match: re.Match[str], said: str) -> Failure:
    return rate_limited(RATE_WAIT_SECONDS)


def _passing(match: re.Match[str], said: str) -> Failure:
    return Failure(
        code=UPSTREAM_UNAVAILABLE,
        status=503,
        message=f"Cursor's service cannot be reached or broke off ({redact(match[0], limit=80)}); try again, and look at your "
        "network or proxy if it stays so.",
    )


def _overflow(match: re.Match[str], said: str) -> Failure:
    return Failure(code=CONTEXT_OVERFLOW, status=400, message="The conversation is longer than this model of Cursor's can take.")


def _invalid(match: re.Match[str], said: str) -> Failure:
    return Failure(code=INVALID_REQUEST, status=400, message=f"Cursor refused this request as invalid: {redact(said)}")


def _trust(match: re.Match[str], said: str) -> Failure:
    return Failure(
        code=MISCONFIGURED,
        status=424,
        message="cursor-agent does not trust the folder it was started in, in spite of --trust; update it with "
        "`cursor-agent update`, or open the folder once with `cursor-agent`.",
    )


def _option(match: re.Match[str], said: str) -> Failure:
    return Failure(
        code=MISCONFIGURED,
        status=424,
        message=f"This cursor-agent does not know the option {redact(match[1], limit=40)}; update it with `cursor-agent update`.",
    )


def _race(match: re.Match[str], said: str) -> Failure:
    return Failure(
        code=MISCONFIGURED,
        status=503,
        message="Another cursor-agent was changing the same settings at the same moment; try again.",
    )


CONFIG_RACE = re.compile(r"ENOENT[^\n]*rename[^\n]*cli-config\.json", re.IGNORECASE)

_TABLE: tuple[tuple[re.Pattern[str], _Make], ...] = (
    (CONFIG_RACE, _race),
    (re.compile(r"login keychain is locked", re.IGNORECASE), _keychain),
    (re.compile(r"authentication (?:required|failed)|\bnot logged in\b|\[unauthenticated\]", re.IGNORECASE), _auth),
    (re.compile(r"hit your usage limit|spendLimitHit|usage limits? will reset", re.IGNORECASE), _limit),
    (re.compile(r"Cannot use this model: (.+?)\.?(?: Available models\b|\s*$)", re.IGNORECASE | re.MULTILINE), _model),
    (re.compile(r"Workspace Trust Required|Pass --trust", re.IGNORECASE), _trust),
    (re.compile(r"unknown option '?(-[\w-]+)"), _option),
    (re.compile(r"\[resource_exhausted\]"), _rate),
    (re.compile(r"\b(?:free|hobby) plan|named models?\b", re.IGNORECASE), _plan),
    (re.compile(r"(?:context (?:length|window)|prompt) (?:is )?(?:exceeded|too long|too large)", re.IGNORECASE), _overflow),
    (re.compile(r"\[(?:unavailable|canceled|cancelled|deadline_exceeded|internal|aborted|unknown)\]"), _passing),
    (re.compile(r"\b(?:ECONNREFUSED|ECONNRESET|ENOTFOUND|ETIMEDOUT|EAI_AGAIN)\b|fetch failed|socket hang up"), _passing),
    (re.compile(r"\[(?:invalid_argument|failed_precondition|out_of_range|permission_denied)\]"), _invalid),
)

# A text that is one of these from its first character to its last, and so is no answer.
_ANSWERS = re.compile(
    r"(?:Error: )?(?:"
    r"\w*: \[\w+\] Error"
    r"|You've hit your usage limit.*"
    r"|Authentication (?:required|failed)[.:].*"
    r"|Your macOS login keychain is locked\..*"
    r"|Cannot use this model: .*"
    r")",
    re.DOTALL,
)
_BEGINNINGS = (
    *(
        "RetriableError: [",
        "ConnectError: [",
        "S: [",
        "T: [",
        "You've hit your usage limit",
        "Your macOS login keychain is locked.",
    ),
    *("Authentication required", "Authentication failed", "Cannot use this model: "),
)
_LONGEST = 600


def meaning(said: str) -> Failure | None:
    """What the program means, None where it says nothing that is known."""
    for pattern, make in _TABLE:
        if match := pattern.search(said):
            return make(match, said)
    return None


def is_answer(text: str) -> bool:
    """Whether a whole answer is nothing but a refusal."""
    text = text.strip()
    return len(text) <= _LONGEST and _ANSWERS.fullmatch(text) is not None


def may_become_answer(text: str) -> bool:
    """Whether a refusal may be all that a text that begins like this will be. Of ordinary text not even a word is held back."""
    if len(text) > _LONGEST:
        return False
    text = text.lstrip()
    if "Error: ".startswith(text):
        return True
    text = text.removeprefix("Error: ")
    return any(text.startswith(known) or known.startswith(text) for known in _BEGINNINGS)
