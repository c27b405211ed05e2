"""D14: the effort a user picks has an effect."""

from __future__ import annotations

from typing import Any

import pytest
from codex_shim.stages.contract.notes import Notes
from codex_shim.stages.egress_http.dialects.messages.models import traits_of
from codex_shim.stages.egress_http.dialects.messages.thinking import can_be_forced, headers, settings

OPUS, SONNET, OLD, SOVEREIGN, KIMI = "claude-opus-4-6", "claude-sonnet-4-5", "claude-3-5-haiku", "claude-opus-5-5", "kimi-k3"

EFFORTS = ("low", "medium", "high", "xhigh", "max")
BOUND = {"type": "adaptive", "block_binding": {"prefix_mismatch_behavior": "drop_block"}}


def asked(
    model: str, effort: Any = None, summary: Any = None, limit: int = 64_000, forced: bool = False, bare: bool = False
) -> Any:
    notes = Notes()
    reasoning = {"effort": effort, "summary": summary}
    return settings(reasoning, traits_of(model), limit, forced, bare, notes), len(notes.all())


@pytest.mark.parametrize(
    ("model", "effort", "sent"),
    [
        (OPUS, None, {}),
        (OPUS, "minimal", {"thinking": {"type": "adaptive"}, "effort": "low"}),
        (OPUS, "medium", {"thinking": {"type": "adaptive"}, "effort": "medium"}),
        (OPUS, "xhigh", {"thinking": {"type": "adaptive"}, "effort": "high"}),
        (OPUS, "ultra", {"thinking": {"type": "adaptive"}, "effort": "max"}),
        (OPUS, ["odd"], {"thinking": {"type": "adaptive"}, "effort": "high"}),
        *(("claude-opus-4-8", effort, {"thinking": {"type": "adaptive"}, "effort": effort}) for effort in EFFORTS),
        ("claude-opus-4-8", "ultra", {"thinking": {"type": "adaptive"}, "effort": "max"}),
        (OPUS, "none", {"thinking": {"type": "disabled"}}),
        (SONNET, "low", {"thinking": {"type": "enabled", "budget_tokens": 4_096}}),
        (SONNET, "max", {"thinking": {"type": "enabled", "budget_tokens": 48_000}}),
        (KIMI, "none", {"thinking": {"type": "disabled"}}),
        (OLD, "none", {}),
        (OLD, None, {}),
        (SOVEREIGN, None, {"thinking": BOUND}),
    ],
)
def test_effort_in_the_words_of_the_model(model: str, effort: Any, sent: Any):
    assert asked(model, effort) == (sent, 0)


def test_a_summary_is_shown_where_it_is_asked_for():
    assert asked(OPUS, "high", "auto")[0]["thinking"] == {"type": "adaptive", "display": "summarized"}
    assert asked(OPUS, "high", "none")[0]["thinking"] == {"type": "adaptive"}


@pytest.mark.parametrize(
    ("case", "sent"),
    [
        ({"model": OLD, "effort": "high"}, {}),
        ({"model": SOVEREIGN, "effort": "none"}, {"thinking": BOUND, "effort": "low"}),
        ({"model": SONNET, "effort": "high", "limit": 1_200}, {}),
        ({"model": SONNET, "effort": "high", "bare": True}, {"thinking": {"type": "disabled"}}),
        ({"model": OPUS, "effort": "high", "forced": True}, {"thinking": {"type": "disabled"}}),
    ],
)
def test_what_stands_in_the_way_is_noted(case: dict[str, Any], sent: Any):
    assert asked(**case) == (sent, 1)


def test_a_demanded_call_keeps_the_model_from_thinking_where_that_can_be_done():
    assert asked(OPUS, None, forced=True) == ({"thinking": {"type": "disabled"}}, 0)
    assert can_be_forced(traits_of(OPUS))
    assert not can_be_forced(traits_of(SOVEREIGN))
    assert not can_be_forced(traits_of("claude-fable-5"))


def test_thinking_between_calls_is_asked_for_where_it_does_not_come_by_itself():
    budget = {"type": "enabled", "budget_tokens": 2_000}
    assert headers(budget, traits_of(SONNET))
    assert not headers(budget, traits_of(KIMI))
    assert not headers({"type": "adaptive"}, traits_of(OPUS))
    assert not headers(None, traits_of(SONNET))


def test_a_thought_that_no_longer_fits_its_conversation_is_dropped_and_does_not_end_it():
    """A tool that was found or lost, or a shortened history, changes what a bound block was made in."""
    assert asked(SOVEREIGN, "high")[0]["thinking"] == BOUND
    assert headers(BOUND, traits_of(SOVEREIGN)) == {"anthropic-beta": "thinking-binding-controls-2026-08-01"}
