"""Why a run failed, as a failure of the contract: whose fault, and what to do next. Pure.

Statuses are chosen by what Codex does with them: 401, 402, 403, 404 and 424 are shown once, 429 is waited for, 502 to 504 are tried
again. Inside a stream the code is the one of the contract with the same effect.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from ..contract.errors import Failure
from .codes import MISCONFIGURED, POLICY_VIOLATION, POOL_FULL, POOL_TIMEOUT, PROTOCOL_ERROR, TIMEOUT, TOOL_LOOP, UNAVAILABLE
from .redact import own_words, redact
from .refusals import CONFIG_RACE, is_answer, meaning

Clock = Literal["start", "idle", "tool", "stall", "total"]

_TABLE = "[egress.cursor]"
_CLOCKS: dict[Clock, str] = {
    "start": "did not begin within {0} seconds; try again, and run `codex-shim doctor` if it stays so",
    "idle": "said nothing for {0} seconds and was ended; try again",
    "tool": "was busy with one of its own tools for {0} seconds and was ended; try again",
    "stall": "was ended because nobody had read its answer for {0} seconds",
    "total": "was ended after {0} seconds, the most a turn may take; ask for less at once, or raise `total_seconds` of {1}",
}


def of_run(exit_code: int | None, stderr: str, home: str = "") -> Failure:
    """A run that ended without a result. `stderr` is the end of what it wrote there."""
    told = own_words(stderr)
    return meaning(told) or _protocol(f"cursor-agent ended without a result{_how(exit_code)}", told, home)


def of_result(text: str, home: str = "") -> Failure:
    """A result that says of itself that it is an error."""
    return meaning(text) or _protocol("Cursor ended the turn with an error", text, home)


def of_text(text: str) -> Failure | None:
    """The failure behind an answer that is nothing but a refusal; None for every other text."""
    return (meaning(text) or _protocol("Cursor refused to answer", text, "")) if is_answer(text) else None


def is_config_race(stderr: str) -> bool:
    """Two runs got into each other's way while writing the settings: worth starting again for, before the run has `begun`."""
    return CONFIG_RACE.search(stderr) is not None


def out_of_order() -> Failure:
    return _protocol("cursor-agent answered before it had said how it is logged in", "", "")


def cut_call() -> Failure:
    return _protocol("Cursor ended its answer in the middle of a tool call", "", "")


def wrong_login(source: str) -> Failure:
    """The run would have been paid by a key, not by the subscription."""
    used = f"`{redact(source, limit=40)}`" if source else "nothing it names"
    return misconfigured(
        f"cursor-agent was to use the login of the subscription and used {used} instead; remove the API key from its settings, "
        "run `cursor-agent login`, and try again."
    )


def policy_violation(tool: str) -> Failure:
    return Failure(
        code=POLICY_VIOLATION,
        status=403,
        message=f"The turn was ended because Cursor changed something with its own tool `{redact(tool, limit=40)}`, which it may "
        f'not; look at the files of the workspace, and run `cursor-agent update`, or use `workspace = "none"` in {_TABLE}.',
    )


def tool_loop(rejected: int) -> Failure:
    return Failure(
        code=TOOL_LOOP,
        status=424,
        message=f"The model tried {rejected} times to use tools of Cursor's own that it may not use, so the turn was ended; ask "
        "again, or choose another model.",
    )


def pool_full(waiting: int, retry_after: float) -> Failure:
    """429: every slot is taken and the queue is full."""
    return Failure(
        code=POOL_FULL,
        status=429,
        retry_after=retry_after,
        message=f"All slots for Cursor are taken and the queue is full ({waiting} waiting); try again in {retry_after:g}s, or "
        f"raise `slots` or `queue` of {_TABLE}.",
    )


def pool_timeout(seconds: float, retry_after: float = 5.0) -> Failure:
    """503: no slot became free in time."""
    return Failure(
        code=POOL_TIMEOUT,
        status=503,
        retry_after=retry_after,
        message=f"No slot for Cursor became free within {seconds:g} seconds; try again later, or raise `slots` of {_TABLE}.",
    )


def unavailable(why: str, retry_after: float | None = None, *, permanent: bool = False) -> Failure:
    """503, or 424 where it will not mend itself (disabled, no binary). `why` is a sentence with its remedy."""
    return Failure(code=UNAVAILABLE, status=424 if permanent else 503, message=why, retry_after=retry_after)


def misconfigured(why: str) -> Failure:
    """424: `why` is a sentence with its remedy."""
    return Failure(code=MISCONFIGURED, status=424, message=why)


def timeout(clock: Clock, seconds: float) -> Failure:
    """504; for the whole run 424, since the same request would take as long again."""
    words = _CLOCKS[clock].format(f"{seconds:g}", _TABLE)
    return Failure(code=TIMEOUT, status=424 if clock == "total" else 504, message=f"cursor-agent {words}.")


def too_much(what: str, limit: str) -> Failure:
    """502: beyond the cap on output or memory."""
    return _protocol(f"cursor-agent was ended because its {what} went beyond {limit}", "", "")


def _protocol(what: str, said: str, home: str) -> Failure:
    quoted = redact(said, home)
    failure = Failure(code=PROTOCOL_ERROR, status=502, message=f"{what}; try again.")
    return msgspec.structs.replace(failure, message=f"{what}: {quoted}") if quoted else failure


def _how(exit_code: int | None) -> str:
    if exit_code is None:
        return ""
    return f" (killed by signal {-exit_code})" if exit_code < 0 else f" (exit code {exit_code})"
