"""Which models of OpenAI's service the local Codex knows, and what it must not be believed."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from codex_shim.orchestrator.codex.known_models import FALLBACK, KnownModel, is_openai, read


def entry(slug: str, priority: int = 0, **more: Any) -> dict[str, Any]:
    """What Codex requires of one, and a field that only it understands."""
    return {
        "slug": slug,
        "display_name": slug.upper(),
        "supported_reasoning_levels": [],
        "shell_type": "unified_exec",
        "visibility": "list",
        "supported_in_api": True,
        "priority": priority,
        "support_verbosity": True,
        "truncation_policy": {"mode": "tokens", "limit": 1},
        "experimental_supported_tools": [],
        "base_instructions": f"You are {slug}.",
        "comp_hash": "2911",
        **more,
    }


def cache(*entries: dict[str, Any], etag: str | None = 'W/"abc"') -> bytes:
    """As Codex 0.169.0 writes models_cache.json."""
    return json.dumps({"fetched_at": "2026-11-21T09:20:49Z", "etag": etag, "client_version": "0.169.0", "models": entries}).encode()


def bundled(*entries: dict[str, Any]) -> bytes:
    return json.dumps({"models": entries}).encode()


def slugs(models: list[KnownModel]) -> list[str]:
    return [model.slug for model in models]


def test_the_list_that_codex_was_sent_last_comes_first() -> None:
    found = read(cache(entry("gpt-7", 2), entry("gpt-7-mini", 1)), bundled(entry("gpt-5.5")))
    assert slugs(found) == ["gpt-7-mini", "gpt-7"], "in Codex's own order"
    assert found[0].entry is not None
    assert msgspec.json.decode(found[0].entry) == entry("gpt-7-mini", 1), "whole"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"models":3}', b'{"models":[]}', b'{"models":[3]}'])
def test_without_it_the_list_that_codex_carries_counts_and_without_that_a_fallback(content: bytes) -> None:
    assert slugs(read(content, bundled(entry("gpt-5.5")))) == ["gpt-5.5"]
    found = read(content, content)
    assert slugs(found) == list(FALLBACK)
    assert [model.slug for model in found if not model.listed] == ["codex-auto-review"]
    assert found[2].name == "GPT-5.4-Mini"


@pytest.mark.parametrize("odd", [b'"\xe9"', b"[" * 100_000 + b"]" * 100_000], ids=["no text", "nested"])
def test_a_list_that_cannot_be_read_is_none(odd: bytes) -> None:
    content = cache(entry("gpt-7")).replace(b'"gpt-7"', odd, 1)
    assert slugs(read(content, content)) == list(FALLBACK)


def test_one_entry_of_another_shape_takes_no_other_along_and_a_slug_counts_once() -> None:
    odd: Any = [3, None, {"slug": 5}, entry("gpt-8", priority="high")]  # pyright: ignore[reportArgumentType]
    found = read(cache(*odd, entry("gpt-7"), entry("gpt-7", display_name="Another")), b"")
    assert [(model.slug, model.name) for model in found] == [("gpt-7", "GPT-7")]


def test_d53_a_list_that_we_have_sent_ourselves_says_nothing() -> None:
    ours = cache(entry("gpt-5.5"), entry("gpt-of-mine"), etag='W/"codex-shim-0123"')
    assert slugs(read(ours, bundled(entry("gpt-6")))) == ["gpt-6"]


def test_d53_models_of_others_are_not_openais_whatever_they_are_called() -> None:
    foreign = [entry(slug) for slug in ("gpt-oss-120b", "codex-auto", "kimi", "composer-2-5", "GPT-5.5", "gpt-5.5\n", "")]
    assert slugs(read(cache(*foreign, entry("o4-mini")), b"")) == ["o4-mini"]
    assert [slug for slug in FALLBACK if not is_openai(slug)] == []


@pytest.mark.parametrize("visibility", ["hide", "none"])
def test_d53_hidden_models_are_served_and_not_listed(visibility: str) -> None:
    hidden, shown = read(cache(entry("codex-auto-review", visibility=visibility), entry("gpt-5.5", 1)), b"")
    assert (hidden.listed, shown.listed) == (False, True)


@pytest.mark.parametrize("field", ["shell_type", "base_instructions", "truncation_policy"])
def test_an_entry_that_would_make_the_catalog_unusable_is_replaced(field: str) -> None:
    """One that an older Codex has kept may lack what this one requires."""
    old = {name: value for name, value in entry("gpt-5.5").items() if name != field}
    (known,) = read(cache(old), bundled(entry("gpt-5.5", 7)))
    assert known.entry is not None
    assert msgspec.json.decode(known.entry)["priority"] == 7
    (unknown,) = read(cache(old), b"")
    assert (unknown.slug, unknown.entry) == ("gpt-5.5", None)


def test_instructions_may_stand_in_a_template() -> None:
    """That is how 0.169.0 writes its cache."""
    made = entry("gpt-5.5", model_messages={"instructions_template": "You are …"})
    del made["base_instructions"]
    assert read(cache(made), b"")[0].entry is not None
