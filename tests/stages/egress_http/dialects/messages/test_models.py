from __future__ import annotations

import pytest
from codex_shim.stages.egress_http.dialects.messages.models import BUDGETS, LEAST_BUDGET, traits_of


@pytest.mark.parametrize(
    ("model", "output", "thinking", "off", "forced"),
    [
        ("claude-opus-5-5", 128_000, "adaptive", "never", False),
        ("claude-opus-5", 128_000, "adaptive", "up_to_high", True),
        ("claude-fable-5-1-20260801", 128_000, "adaptive", "never", False),
        ("claude-fable-5", 128_000, "adaptive", "never", True),
        ("claude-opus-4-8", 128_000, "adaptive", "always", True),
        ("claude-sonnet-5", 128_000, "adaptive", "always", True),
        ("claude-sonnet-4-6", 64_000, "adaptive", "always", True),
        ("anthropic/claude-sonnet-4.5", 64_000, "budget", "always", True),
        ("claude-haiku-4-5-20251001", 64_000, "budget", "always", True),
        ("us.anthropic.claude-opus-4-1-20250805-v1:0", 32_000, "budget", "always", True),
        ("claude-sonnet-4-20250514", 32_000, "budget", "always", True),
        ("claude-3-5-haiku-latest", 8_192, "none", "always", True),
        ("claude-saga-9", 128_000, "adaptive", "never", False),
        ("kimi-k3-5.5", 32_000, "budget", "always", True),
    ],
)
def test_what_is_known_of_a_model(model: str, output: int, thinking: str, off: str, forced: bool):
    traits = traits_of(model)
    assert (traits.output, traits.thinking, traits.off, traits.forced) == (output, thinking, off, forced)


def test_only_a_claude_checks_signatures():
    assert traits_of("Claude-Opus-5").claude
    assert not traits_of("deepseek-v4").claude


def test_every_budget_is_one_that_the_api_takes():
    assert min(BUDGETS.values()) >= LEAST_BUDGET
