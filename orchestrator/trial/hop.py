"""Which hop of the chain failed, told from the lines that the stages have logged for a request; and what to do then. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from codex_shim.stages.contract.errors import (
    AUTHENTICATION,
    CONTENT_POLICY,
    LOGIN_REFUSED,
    MODEL_NOT_FOUND,
    PLAN_LIMITS,
    QUOTA,
    RATE_LIMITED,
)

from .answer import Trouble

TIMED_OUT = "timed_out"

Record = Mapping[str, Any]

_REMEDIES = {
    AUTHENTICATION: "`codex-shim list` shows how the key is given; mend it, then `codex-shim pipeline reload`",
    LOGIN_REFUSED: "log in anew (`codex login`, or `cursor-agent login`); the chain notices it by itself",
    QUOTA: "look at your account with the provider, or choose another model",
    RATE_LIMITED: "wait as long as it says, then try again",
    CONTENT_POLICY: "the provider refuses even this request; choose another model",
    TIMED_OUT: "try again with more `--seconds`, or choose another model",
    **dict.fromkeys(PLAN_LIMITS, "wait until the plan's limit is lifted, or choose another model"),
}


def records(lines: Iterable[Record], request_id: str) -> dict[str, Record]:
    """What each stage has logged for the request, by the stage's name."""
    return {
        str(line.get("stage")): line for line in lines if line.get("event") == "request" and line.get("request_id") == request_id
    }


def all_there(found: Mapping[str, Record], chain: Sequence[str]) -> bool:
    """Whether the lines that can be expected have come: that of ingress, which ends last, and that of the worker it went to."""
    workers = [str(record["egress"]) for record in found.values() if "egress" in record]
    return chain[0] in found and all(worker in found for worker in workers)


def failing(found: Mapping[str, Record], chain: Sequence[str]) -> str | None:
    """The stage nearest to the provider that told of a failure, or was still waiting when we left; `chain` is in the order of a
    request, and whatever is not in it stands behind it."""
    upstream_first = [*(name for name in found if name not in chain), *(name for name in reversed(chain) if name in found)]
    return next((name for name in upstream_first if _failed(found[name])), None)


def remedy(trouble: Trouble, hop: str | None, chain: Sequence[str]) -> str:
    """What to do, beyond what the sentence itself says."""
    at_worker = hop is not None and hop not in chain
    if trouble.code == MODEL_NOT_FOUND:
        mend = "correct `model` of this row in models.json"
        reload = "`codex-shim pipeline reload`"
        return f"{mend}, then {reload}" if at_worker else f"{reload}, so that the chain knows the model"
    if trouble.code in _REMEDIES:
        return _REMEDIES[trouble.code]
    if at_worker and "cannot be reached" in trouble.message:
        return "see whether that server runs, and whether `base_url` of this model is right"
    return f"`codex-shim pipeline logs {hop}` tells more" if hop else "`codex-shim status` and `codex-shim pipeline logs` tell more"


def _failed(record: Record) -> bool:
    return "error" in record or record.get("outcome") != "ok" or record.get("ended") in ("response.failed", "response.incomplete")
