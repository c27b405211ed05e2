"""No part of a credential is repeated that could be put together again."""

from __future__ import annotations

import pytest
from codex_shim.stages.egress_http.redact import SHORTEST, Redactor

KEY = "sk-marked-0123456789"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("no key here", "no key here"),
        (f"the key {KEY} is not known", "the key [REDACTED] is not known"),
        (f"{KEY}{KEY}", "[REDACTED][REDACTED]"),
        (f"no such key: {KEY[:-1]}", "no such key: [REDACTED]"),
        (f"{KEY} is not {KEY[:SHORTEST]}", "[REDACTED] is not [REDACTED]"),
        (f"too short to tell: {KEY[: SHORTEST - 1]}", f"too short to tell: {KEY[: SHORTEST - 1]}"),
        ("", ""),
    ],
)
def test_a_quotation_may_end_in_the_middle_of_a_secret(said: str, shown: str) -> None:
    assert Redactor([KEY]).text(said) == shown


def test_a_body_is_cleaned_before_it_is_read() -> None:
    assert Redactor([KEY]).body(f'{{"detail":"{KEY}"}}'.encode()) == b'{"detail":"[REDACTED]"}'


def test_what_is_too_short_to_be_a_secret_is_left_alone() -> None:
    assert Redactor(["1"]).text("HTTP 401") == "HTTP 401"
