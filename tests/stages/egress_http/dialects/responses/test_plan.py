"""A plan that is used up says which limit it was and when it ends."""

from __future__ import annotations

import json
from typing import Any

import pytest
from codex_shim.stages.contract.errors import Failure
from codex_shim.stages.egress_http.dialects.responses.plan import error_in, explain

NOW = 1_900_000_000.0
PLAIN = Failure(code="rate_limit_exceeded", message="The usage limit has been reached", status=429)
REACHED = {"type": "usage_limit_reached", "message": "The usage limit has been reached"}
FIVE_HOURS = {
    "x-codex-primary-used-percent": "100",
    "x-codex-primary-window-minutes": "300",
    "x-codex-primary-reset-at": "1900003600",
}
WEEK = {"x-codex-secondary-used-percent": "100.0", "x-codex-secondary-window-minutes": "10080"}
WEEK |= {"x-codex-secondary-reset-at": "1900172800"}


@pytest.mark.parametrize(
    ("more", "headers", "sentence", "wait"),
    [
        (
            {"plan_type": "plus", "resets_at": NOW + 3600},
            {},
            "the usage limit of the ChatGPT Plus plan has been reached; it resets in 60 minutes, at 2030-03-17 18:46 UTC",
            3600,
        ),
        (
            {"plan_type": "pro"},
            FIVE_HOURS,
            "the usage limit of the ChatGPT Pro plan has been reached (5-hour limit); "
            "it resets in 60 minutes, at 2030-03-17 18:46 UTC",
            3600,
        ),
        (
            {},
            {**FIVE_HOURS, **WEEK},
            "the usage limit of this ChatGPT plan has been reached (weekly limit); it resets in 2 days, at 2030-03-19 17:46 UTC",
            172_800,
        ),
        ({"plan_type": 5, "resets_at": "soon"}, {}, "the usage limit of this ChatGPT plan has been reached", None),
        (
            {"resets_at": NOW - 5},
            {},
            "the usage limit of this ChatGPT plan has been reached; it resets in a minute, at 2030-03-17 17:46 UTC",
            0,
        ),
        ({"resets_at": 1e300}, {"x-codex-primary-used-percent": "99"}, None, None),
    ],
)
def test_the_limit_and_its_end_are_named(
    more: dict[str, Any], headers: dict[str, str], sentence: str | None, wait: float | None
) -> None:
    failure = explain(PLAIN, {**REACHED, **more}, headers, NOW)
    assert (failure.code, failure.status) == ("usage_limit_reached", 429)
    if sentence is not None:
        assert (failure.message, failure.retry_after) == (sentence, wait)


def test_without_a_clock_the_moment_is_named_alone() -> None:
    failure = explain(PLAIN, {"code": "usage_limit_reached", "resets_at": NOW}, {})
    assert failure.message == "the usage limit of this ChatGPT plan has been reached; it resets at 2030-03-17 17:46 UTC"
    assert failure.retry_after is None


def test_a_plan_that_does_not_hold_it_keeps_the_services_sentence() -> None:
    failure = explain(PLAIN, {"type": "usage_not_included"}, FIVE_HOURS, NOW)
    assert (failure.code, failure.message) == ("usage_not_included", PLAIN.message)


@pytest.mark.parametrize("error", [{}, {"type": "rate_limit_exceeded"}, None, "text", []])
def test_any_other_failure_is_left_alone(error: Any) -> None:
    assert explain(PLAIN, error, FIVE_HOURS, NOW) is PLAIN


def test_the_error_of_a_refusal_is_found_where_there_is_one() -> None:
    assert error_in(json.dumps({"error": REACHED}).encode()) == REACHED
    for body in (b"", b"\xff", b"[]", b'{"error": "text"}', b'{"detail": "x"}', b"[" * 100_000):
        assert error_in(body) == {}
