from __future__ import annotations

import pytest
from codex_shim.orchestrator.settings.slugs import Named, assign, slugify
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("Kimi K2", "kimi-k2"),
        ("composer-2.5", "composer-2-5"),
        ("openai/gpt-oss:20b", "openai-gpt-oss-20b"),
        ("--a--", "a"),
        ("模型", ""),
    ],
)
def test_slugify(text: str, slug: str) -> None:
    assert slugify(text) == slug


@pytest.mark.parametrize(
    ("rows", "slugs"),
    [
        ([Named("", "kimi", "Kimi", 0)], ["kimi"]),
        ([Named("", "kimi", "Fast", 0), Named("", "kimi", "Slow", 1)], ["fast", "slow"]),
        ([Named("", "kimi", "", 0), Named("", "kimi", "", 7)], ["kimi", "kimi-7"]),
        ([Named("", "kimi", "", 0), Named("kimi", "other", "", 1)], ["kimi-0", "kimi"]),
        ([Named("", "a.b", "", 2), Named("", "a-b", "", 2), Named("", "a b", "", 2)], ["a-b", "a-b-2", "a-b-3"]),
    ],
)
def test_assign(rows: list[Named], slugs: list[str]) -> None:
    assert assign(rows) == slugs


NAMES = st.sampled_from(["", "a", "A", "a-0", "a-1", "b"])


@given(st.lists(st.builds(Named, NAMES, NAMES, NAMES, st.integers(0, 2)), max_size=8))
def test_no_two_are_the_same(rows: list[Named]) -> None:
    found = [slug for slug in assign(rows) if slug]
    assert len(found) == len(set(found))
