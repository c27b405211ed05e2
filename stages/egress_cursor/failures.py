"""Why a run failed, as a failure of the contract: whose fault, and what to do next. Pure.

Statuses are chosen by what Codex does with them: 401, 402, 403, 404 and 424 are shown once, 429 is waited for, 502 to 504 are tried
again. Codes that begin with `cursor_` are for logs and for clients that read them.
"""

from __future__ import annotations

from typing import Literal

from ..contract.errors import Failure

AUTH_REQUIRED = "cursor_auth_required"
MISCONFIGURED = "cursor_misconfigured"
POLICY_VIOLATION = "cursor_policy_violation"
POOL_FULL = "cursor_pool_full"
POOL_TIMEOUT = "cursor_pool_timeout"
PROTOCOL_ERROR = "cursor_protocol_error"
RATE_LIMITED = "cursor_rate_limited"
TIMEOUT = "cursor_timeout"
TOOL_LOOP = "cursor_tool_loop"
UNAVAILABLE = "cursor_unavailable"
UPSTREAM_UNAVAILABLE = "cursor_upstream_unavailable"
USAGE_LIMIT = "cursor_usage_limit"

Clock = Literal["start", "idle", "tool", "stall", "total"]


def of_run(exit_code: int | None, stderr: str) -> Failure:
    """A run that ended without a result."""
    raise NotImplementedError


def of_text(text: str) -> Failure | None:
    """The failure behind an answer that is nothing but a refusal; None for every other text."""
    raise NotImplementedError


def is_config_race(exit_code: int | None, stderr: str) -> bool:
    """Two runs got into each other's way while writing the configuration: the one thing worth starting again for, before `begun`."""
    raise NotImplementedError


def pool_full(waiting: int, retry_after: float) -> Failure:
    """429: every slot is taken and the queue is full."""
    raise NotImplementedError


def pool_timeout(seconds: float) -> Failure:
    """503: no slot became free in time."""
    raise NotImplementedError


def unavailable(why: str, retry_after: float | None = None, *, permanent: bool = False) -> Failure:
    """503, or 424 where it will not mend itself (disabled, no binary). `why` is a sentence with its remedy."""
    raise NotImplementedError


def misconfigured(why: str) -> Failure:
    """424: `why` is a sentence with its remedy."""
    raise NotImplementedError


def timeout(clock: Clock, seconds: float) -> Failure:
    """504; for the whole run 424, since the same request would take as long again."""
    raise NotImplementedError


def too_much(what: str, limit: str) -> Failure:
    """502: beyond the cap on output or memory."""
    raise NotImplementedError


def redact(text: str, home: str = "", limit: int = 400) -> str:
    """What may be quoted of the program's own words: no tokens, addresses, home folder, control characters or mirrored events."""
    raise NotImplementedError
