"""A word on the command line, and the model that is meant by it."""

from __future__ import annotations

import pytest
from codex_shim.orchestrator.codex.choice import Candidate, ChoiceError, find

ON_OFFER = [
    Candidate(slug="kimi", model="kimi-k2.5", name="Kimi"),
    Candidate(slug="kimi-k2-thinking", model="kimi-k2-thinking", name="Kimi K2 Thinking"),
    Candidate(slug="opus-a", model="claude-opus-5", name="Opus at Anthropic"),
    Candidate(slug="opus-b", model="claude-opus-5", name="Opus at Bedrock"),
    Candidate(slug="composer-2-5", model="composer-2.5", name="Composer 2.5"),
]


@pytest.mark.parametrize(
    ("word", "slug"),
    [
        ("opus-a", "opus-a"),
        ("kimi-k2.5", "kimi"),
        ("composer-2.5", "composer-2-5"),
        ("Composer-2-5", "composer-2-5"),
        ("kimi", "kimi"),
        ("KIMI", "kimi"),
        ("thinking", "kimi-k2-thinking"),
        (" bedrock ", "opus-b"),
    ],
)
def test_a_slug_a_model_or_a_part_of_a_name_that_only_one_has(word: str, slug: str) -> None:
    assert find(word, ON_OFFER).slug == slug


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("claude-opus-5", "`claude-opus-5` fits 2 models; name one of them by its slug: opus-a, opus-b"),
        ("Opus", "`Opus` fits 2 models; name one of them by its slug: opus-a, opus-b"),
        ("opus-c", "there is no model named `opus-c`; did you mean `opus-"),
        ("gpt", "there is no model named `gpt`; there are kimi, kimi-k2-thinking, opus-a, opus-b, composer-2-5"),
        (" ", "there is no model named ` `; there are kimi,"),
    ],
)
def test_other_words_get_the_candidates(word: str, sentence: str) -> None:
    with pytest.raises(ChoiceError) as refused:
        find(word, ON_OFFER)
    assert str(refused.value).startswith(sentence)


def test_of_many_models_some_are_named() -> None:
    many = [Candidate(slug=f"m{number}", model=f"m{number}", name="Model") for number in range(20)]
    with pytest.raises(ChoiceError, match=r"m0, m1, .*, m7 and 12 more$"):
        find("model", many)
