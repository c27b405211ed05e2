"""What Codex is told of a model: the truth, in the user's order, and no more than it can list."""

from __future__ import annotations

import json
from typing import Any

import pytest
from codex_shim.orchestrator.codex import catalog
from codex_shim.orchestrator.codex.cli import FALLBACK_PROMPT
from codex_shim.orchestrator.settings.models import ModelRow, parse

# Codex 0.169.0 refuses the whole file where one of them is missing.
REQUIRED = {
    *("slug", "display_name", "supported_reasoning_levels", "shell_type", "visibility", "supported_in_api", "priority"),
    *("support_verbosity", "truncation_policy", "experimental_supported_tools", "base_instructions"),
}


def rows(*written: dict[str, Any]) -> list[ModelRow]:
    keyed = [{"provider": "openai", "base_url": "https://llm.example.com/v1", "api_key": "k", **each} for each in written]
    return parse(json.dumps(keyed), "models.json", {}, lambda command: "").rows


def test_d56_the_order_is_the_user_s_and_priorities_ascend() -> None:
    made = catalog.entries(rows({"model": "z"}, {"model": "a"}, {"model": "first", "index": -1}), "prompt")
    assert [(entry["slug"], entry["priority"]) for entry in made] == [("first", 0), ("z", 1), ("a", 2)]


def test_an_entry_has_all_that_codex_requires_and_says_what_the_model_can() -> None:
    (made,) = catalog.entries(rows({"model": "m", "max_context_limit": 64_000, "no_image_support": True}), "You are Codex.")
    assert set(made) >= REQUIRED
    assert (made["context_window"], made["max_context_window"], made["input_modalities"]) == (64_000, 64_000, ["text"])
    assert (made["base_instructions"], made["apply_patch_tool_type"]) == ("You are Codex.", "freeform")
    assert made["default_reasoning_level"] in [level["effort"] for level in made["supported_reasoning_levels"]]


def test_d57_every_model_has_the_instructions_of_codex_itself_or_short_ones_without_a_gap() -> None:
    made = [
        *catalog.entries(rows({"model": "a"}, {"model": "b"}), "Codex's own {words}"),
        *catalog.entries([], "Codex's own {words}"),
    ]
    assert {entry["base_instructions"] for entry in made} == {"Codex's own {words}"}
    assert not set("{}<>") & set(FALLBACK_PROMPT), "nothing that somebody would have to fill in"
    assert "apply_patch" in FALLBACK_PROMPT


def test_a_model_without_levels_has_none_and_no_default() -> None:
    (made,) = catalog.entries(rows({"model": "m", "quirks": {"effort": "drop"}}), "p")
    assert (made["supported_reasoning_levels"], made["default_reasoning_level"]) == ([], None)
    (demo,) = catalog.entries([], "p")
    assert (demo["slug"], demo["supported_reasoning_levels"]) == ("demo", [])


def test_d56_no_more_are_listed_than_codex_desktop_loads() -> None:
    made = catalog.entries(rows(*({"model": f"m{number}"} for number in range(catalog.LISTED + 2))), "p")
    assert [entry["visibility"] for entry in made] == ["list"] * catalog.LISTED + ["hide"] * 2


@pytest.mark.parametrize("name", ['"quoted"', "back\\slash", "line\nbreak", "ünïcode ✓"])
def test_d68_no_name_spoils_the_file(name: str) -> None:
    made = catalog.entries(rows({"model": "m", "display_name": name}), "p")
    assert json.loads(json.dumps({"models": made}, ensure_ascii=False))["models"][0]["display_name"] == name


def test_d59_one_bad_row_hides_no_other() -> None:
    found = rows({"model": "good"}, {"model": "bad", "index": "one"}, {"model": "worse", "extra_headers": ["x"]}, {"model": "fine"})
    assert [entry["slug"] for entry in catalog.entries(found, "p")] == ["good", "fine"]
