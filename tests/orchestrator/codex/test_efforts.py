"""The levels of reasoning that Codex may offer are those that a provider tells apart, as the dialects send them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from codex_shim.orchestrator.codex import efforts
from codex_shim.orchestrator.codex.efforts import Levels, levels
from codex_shim.orchestrator.settings.models import ModelRow, parse
from codex_shim.stages.egress_http.dialects.gemini.models import thinking
from codex_shim.stages.egress_http.dialects.messages.models import _TABLE, Traits, traits_of

USUAL = ("low", "medium", "high")


def row(model: str, provider: str = "openai", **more: Any) -> ModelRow:
    """A row of models.json as its reader makes it, with the facts of the provider."""
    written = {"model": model, "provider": provider, "api_key": "k", **more}
    if provider in ("openai", "azure"):
        written.setdefault("base_url", "https://llm.example.com/v1")
    models = parse(json.dumps([written]), "models.json", {}, lambda command: "")
    assert not models.problems
    return models.rows[0]


@pytest.mark.parametrize(
    ("model", "provider", "offered"),
    [
        ("anything", "openai", Levels(USUAL, "medium")),
        ("deepseek-v3.1", "deepseek", Levels((), None)),
        ("deepseek-v4", "deepseek", Levels(("none", "low", "high", "max"), "high")),
        ("glm-5", "zai", Levels(("none", "medium"), "medium")),
        ("glm-5.3", "zai", Levels(("low", "high", "max"), "high")),
        ("any/model", "openrouter", Levels((*USUAL, "xhigh"), "medium")),
        ("qwen3-32b", "groq", Levels(("none", "medium"), "medium")),
        ("gpt-oss-120b", "groq", Levels(USUAL, "medium")),
        ("llama-4", "groq", Levels((), None)),
        ("grok-3-mini", "xai", Levels(("low", "high"), "high")),
        ("mistral-large", "mistral", Levels((), None)),
        ("qwen3:32b", "ollama", Levels(USUAL, "medium")),
        ("gpt-4.1", "openai-responses", Levels((), None)),
        ("gpt-5", "openai-responses", Levels(("minimal", *USUAL), "medium")),
        ("gpt-5-mini-2025-08-07", "openai-responses", Levels(("minimal", *USUAL), "medium")),
        ("gpt-5-codex", "openai-responses", Levels(USUAL, "medium")),
        ("gpt-5-pro", "openai-responses", Levels(("high",), "high")),
        ("gpt-5-chat-latest", "openai-responses", Levels((), None)),
        ("gpt-5.1", "openai-responses", Levels(("none", *USUAL), "medium")),
        ("gpt-5.1-codex-mini", "openai-responses", Levels(USUAL, "medium")),
        ("gpt-5.1-codex-max", "openai-responses", Levels((*USUAL, "xhigh"), "medium")),
        ("openai/gpt-5.2", "openai-responses", Levels(("none", *USUAL, "xhigh"), "medium")),
        ("gpt-5.2-pro", "openai-responses", Levels(("medium", "high", "xhigh"), "medium")),
        ("gpt-5.3-codex", "openai-responses", Levels((*USUAL, "xhigh"), "medium")),
        ("GPT-5.5", "openai-responses", Levels(("none", *USUAL, "xhigh"), "medium")),
        ("gpt-5.6-sol", "openai-responses", Levels(("none", *USUAL, "xhigh", "max"), "medium")),
        ("gpt-6.1-sol", "openai-responses", Levels((*USUAL, "xhigh", "max"), "medium")),
        ("o4-mini", "openai-responses", Levels(USUAL, "medium")),
        ("my-deployment", "openai-responses", Levels(USUAL, "medium")),
        ("claude-opus-4-6", "anthropic", Levels(("none", *USUAL, "max"), "medium")),
        ("claude-3-5-haiku", "anthropic", Levels((), None)),
        ("gemini-2.5-pro", "gemini", Levels(USUAL, "medium")),
        ("gemini-3-pro", "gemini", Levels(("low", "high"), "high")),
        ("gemma-3", "gemini", Levels((), None)),
    ],
)
def test_a_model_offers_what_its_provider_has(model: str, provider: str, offered: Levels) -> None:
    assert levels(row(model, provider)) == offered


def test_a_row_may_say_otherwise() -> None:
    assert levels(row("m", quirks={"efforts": {"medium": "", "xhigh": "xhigh"}})).efforts == ("low", "high", "xhigh")
    assert levels(row("m", quirks={"effort": "drop"})) == efforts.NONE
    only = levels(row("m", quirks={"efforts": {"low": "on", "medium": "on", "high": "on"}}))
    assert only == Levels(("medium",), "medium")


@pytest.mark.parametrize("part", [part for part, _ in _TABLE] + ["some-later-one"])
def test_claudes_have_what_the_dialect_knows_of_them(part: str) -> None:
    name = f"claude-{part}" if part[0].isalpha() else f"claude-opus-{part}"
    traits = traits_of(name)
    assert levels(row(name, "anthropic")).efforts == _of(traits), name


def _of(traits: Traits) -> tuple[str, ...]:
    if traits.thinking == "none":
        return ()
    if traits.thinking == "budget":
        return ("none", *USUAL)
    return (*(() if traits.off == "never" else ("none",)), *traits.efforts)


@pytest.mark.parametrize(
    "model",
    [
        "gemini-2.0-flash",
        "gemini-2.5-flash",
        "gemini-2.5-pro",
        "gemini-3-pro",
        "gemini-3-flash",
        "gemini-3.5-pro",
        "gemini-pro-latest",
    ],
)
def test_each_level_of_a_gemini_means_something_else(model: str) -> None:
    offered = levels(row(model, "gemini")).efforts
    sent = [json.dumps(thinking(model, effort)) for effort in offered]
    assert len(set(sent)) == len(sent)
    assert bool(offered) == (thinking(model, "high") is not None)


def test_every_level_is_described_in_ascending_order() -> None:
    assert [each["effort"] for each in levels(row("any/model", "openrouter")).described] == [*USUAL, "xhigh"]
    assert all(each["description"] for each in Levels(tuple(efforts.WORDS), "low").described)
