"""What `generate` says of a new catalog."""

from __future__ import annotations

from typing import Any

import pytest
from codex_shim.orchestrator.codex.changes import compare, lines


def entries(*slugs: str, **fields: Any) -> list[dict[str, Any]]:
    return [{"slug": slug, "priority": place, **fields} for place, slug in enumerate(slugs)]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ([], entries("a", "b"), ["+ a", "+ b"]),
        (entries("a", "b"), entries("b"), ["- a"]),
        (entries("a", "b", "c"), entries("new", "a", "b", "c"), ["+ new"]),
        (entries("a", "b"), entries("b", "a"), ["the order has changed"]),
        (entries("a", context_window=1), entries("a", context_window=2, new=True), ["~ a: context_window, new"]),
        (entries("a", gone=1), entries("a"), ["~ a: gone"]),
        (entries("a"), entries("a"), []),
        (entries("demo"), entries("a"), ["+ a", "- demo"]),
    ],
)
def test_models_that_came_went_or_changed_are_named(before: list, after: list, said: list[str]) -> None:
    assert lines(compare(before, after)) == said
