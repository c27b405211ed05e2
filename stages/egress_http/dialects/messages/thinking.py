"""How hard the model shall think: the effort of a request → `thinking` and `output_config.effort`.

Without an effort nothing is asked for, and the model does what it does by itself. Three things can stand in the way, and each is
noted: a model that cannot be kept from thinking, a demanded tool call (the API takes only one of the two), and a tool loop that
began without thinking, which models with a budget then have to end without.
"""

from __future__ import annotations

from typing import Any

from ....contract.notes import Notes
from .models import BUDGETS, LEAST_BUDGET, Traits

# Codex's word for an effort → the API's. Words that neither knows count as `high`.
_EFFORTS = {"minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "xhigh", "max": "max", "ultra": "max"}
_INTERLEAVED = {"anthropic-beta": "interleaved-thinking-2025-05-14"}
_BINDING = {"anthropic-beta": "thinking-binding-controls-2026-08-01"}
# Tools come and go in a session, and histories are shortened. Without this, one such change would spoil the thread for good.
_DROPPED_WHERE_UNFIT = {"block_binding": {"prefix_mismatch_behavior": "drop_block"}}


def settings(reasoning: dict[str, Any], traits: Traits, limit: int, forced: bool, bare_loop: bool, notes: Notes) -> dict[str, Any]:
    """The fields `thinking` and `effort`, each where it is to be sent. `limit` is the `max_tokens` of the request."""
    effort = reasoning.get("effort")
    if traits.thinking == "none":
        if effort not in (None, "none"):
            notes.add("the reasoning effort was not sent: this model does not think before it answers")
        return {}
    if forced or effort == "none":
        return _off(reasoning, traits, forced and effort is not None, notes)
    if effort is None:
        return {"thinking": _adaptive(reasoning, traits)} if traits.off == "never" else {}
    wanted = _EFFORTS.get(str(effort), "high")
    if traits.thinking == "adaptive":
        return {"thinking": _adaptive(reasoning, traits), "effort": _closest(wanted, traits)}
    return _budget(wanted, limit, bare_loop, notes)


def headers(thinking: Any, traits: Traits) -> dict[str, str]:
    """Models with a budget think between tool calls only when told to; binding can be spoken of only under this name."""
    if not isinstance(thinking, dict):
        return {}
    if "block_binding" in thinking:
        return _BINDING
    return _INTERLEAVED if thinking["type"] == "enabled" and traits.claude else {}


def can_be_forced(traits: Traits) -> bool:
    """Whether a tool call can be demanded: not while the model thinks, so only where it can be kept from it."""
    return traits.forced and traits.off != "never"


def _adaptive(reasoning: dict[str, Any], traits: Traits) -> dict[str, Any]:
    """The text of the thoughts comes only when it is asked for; the signed block comes in any case."""
    shown = {"display": "summarized"} if reasoning.get("summary") not in (None, "none") else {}
    return {"type": "adaptive", **shown, **(_DROPPED_WHERE_UNFIT if traits.bound else {})}


def _off(reasoning: dict[str, Any], traits: Traits, forced: bool, notes: Notes) -> dict[str, Any]:
    if forced:
        notes.add("the model was kept from thinking: this upstream does not take a demanded tool call together with it")
    if traits.off == "never":
        notes.add("this model cannot be kept from thinking; it was asked for as little as possible")
        return {"thinking": _adaptive(reasoning, traits), "effort": "low"}
    return {"thinking": {"type": "disabled"}}


def _closest(wanted: str, traits: Traits) -> str:
    """The wanted effort, or the next lower one this model knows."""
    order = list(BUDGETS)
    return next(effort for effort in reversed(order[: order.index(wanted) + 1]) if effort in traits.efforts)


def _budget(wanted: str, limit: int, bare_loop: bool, notes: Notes) -> dict[str, Any]:
    """At least a quarter of the limit stays for the answer itself."""
    budget = min(BUDGETS[wanted], limit * 3 // 4)
    if bare_loop:
        notes.add("thinking was left off until the next question: these tool calls were begun without it")
        return {"thinking": {"type": "disabled"}}
    if budget < LEAST_BUDGET:
        notes.add("thinking was left off: the output limit leaves no room for it")
        return {}
    return {"thinking": {"type": "enabled", "budget_tokens": budget}}
