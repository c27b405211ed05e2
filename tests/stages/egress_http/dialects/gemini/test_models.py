from typing import Any

import pytest
from codex_shim.stages.contract.events import Usage
from codex_shim.stages.egress_http.dialects.gemini.models import thinking
from codex_shim.stages.egress_http.dialects.gemini.usage import read_usage

AUTO = {"includeThoughts": True}


@pytest.mark.parametrize(
    ("model", "effort", "config"),
    [
        ("gemini-2.0-flash", "high", None),
        ("gemma-3-27b-it", None, None),
        ("gemini-2.5-flash", None, AUTO),
        ("gemini-2.5-flash", "none", {"thinkingBudget": 0}),
        ("gemini-2.5-pro", "none", {**AUTO, "thinkingBudget": 128}),
        ("gemini-2.5-pro", "high", {**AUTO, "thinkingBudget": 24576}),
        ("gemini-flash-latest", "low", {**AUTO, "thinkingBudget": 1024}),
        ("gemini-2.5-pro", "anything", AUTO),
        ("gemini-3-flash", "minimal", {**AUTO, "thinkingLevel": "minimal"}),
        ("gemini-3-pro-preview", "minimal", {**AUTO, "thinkingLevel": "low"}),
        ("gemini-3-pro-preview", "medium", {**AUTO, "thinkingLevel": "high"}),
        ("gemini-3.1-pro", "medium", {**AUTO, "thinkingLevel": "medium"}),
        ("gemini-3.1-pro", "xhigh", {**AUTO, "thinkingLevel": "high"}),
    ],
)
def test_each_generation_is_told_in_its_own_way_how_hard_to_think(model: str, effort: str | None, config: dict[str, Any] | None):
    assert thinking(model, effort) == config


@pytest.mark.parametrize(
    ("raw", "usage"),
    [
        (None, Usage()),
        ({"promptTokenCount": None, "candidatesTokenCount": "x"}, Usage()),
        (
            {
                "promptTokenCount": 100,
                "toolUsePromptTokenCount": 10,
                "cachedContentTokenCount": 40,
                "candidatesTokenCount": 7,
                "thoughtsTokenCount": 5,
            },
            Usage(input=110, cached=40, output=12, reasoning=5),
        ),
    ],
)
def test_thoughts_count_as_output(raw: Any, usage: Usage):
    assert read_usage(raw) == usage
