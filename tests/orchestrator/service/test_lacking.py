"""Which models lose their key after a reboot."""

from __future__ import annotations

from collections.abc import Mapping

from codex_shim.orchestrator.service.lacking import lacking


def read(environ: Mapping[str, str]) -> list[str]:
    """`one` and `two` need A, `three` needs B or C, `four` nothing."""
    slugs = ["one", "two"] if environ.get("A") else []
    return [*slugs, *(["three"] if environ.get("B") or environ.get("C") else []), "four"]


def test_a_variable_that_a_service_does_not_have_names_its_models() -> None:
    assert lacking(read, {"A": "key", "B": "key"}, {}) == {"A": ["one", "two"], "B": ["three"]}


def test_what_a_service_has_or_this_terminal_lacks_too_or_can_be_done_without_is_not_named() -> None:
    assert lacking(read, {"A": "key"}, {"A": "key"}) == {}
    assert lacking(read, {"A": ""}, {}) == {}
    assert lacking(read, {"B": "key", "C": "key", "OTHER": "x"}, {}) == {}
