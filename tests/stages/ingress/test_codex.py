"""The carrier for each failure: what Codex must show once, wait for, or try again."""

from __future__ import annotations

import pytest
from codex_shim.stages.contract.errors import Failure
from codex_shim.stages.ingress.codex import for_codex, is_codex


@pytest.mark.parametrize(
    ("status", "code", "retry_after", "shown", "words"),
    [
        (400, "invalid_prompt", None, "invalid_prompt", "no."),
        (400, "unknown_parameter", None, "invalid_prompt", "no."),
        (400, "content_policy_violation", None, "invalid_prompt", "no."),
        (400, "context_length_exceeded", None, "context_length_exceeded", "no."),
        (401, "invalid_api_key", None, "invalid_prompt", "no."),
        (402, "insufficient_quota", None, "invalid_prompt", "no."),
        (403, "forbidden", None, "invalid_prompt", "no."),
        (404, "model_not_found", None, "model_not_found", "no."),
        (404, "not_found", None, "invalid_prompt", "no."),
        (408, "timeout", None, "server_error", "no."),
        (413, "too_large", None, "invalid_prompt", "no."),
        (422, "x", None, "invalid_prompt", "no."),
        (429, "rate_limit_exceeded", 7, "rate_limit_exceeded", "no. Please try again in 7s."),
        (429, "rate_limit_exceeded", 0.2, "rate_limit_exceeded", "no. Please try again in 1s."),
        (429, "rate_limit_exceeded", None, "rate_limit_exceeded", "no. Please try again in 5s."),
        (429, "rate_limit_exceeded", 100, "invalid_prompt", "no. The provider asks to wait 100 seconds."),
        (429, "rate_limit_exceeded", 3600, "invalid_prompt", "no. The provider asks to wait about 60 minutes."),
        (429, "insufficient_quota", 3600, "invalid_prompt", "no."),
        (429, "usage_limit_reached", 3600, "invalid_prompt", "no."),
        (429, "usage_not_included", None, "invalid_prompt", "no."),
        (429, "something", 3, "rate_limit_exceeded", "no. Please try again in 3s."),
        (500, "server_error", None, "server_error", "no."),
        (502, "bad_gateway", None, "server_error", "no."),
        (503, "server_is_overloaded", None, "server_error", "no."),
        (529, "overloaded_error", None, "server_error", "no."),
    ],
)
def test_each_failure_has_its_carrier(status: int, code: str, retry_after: float | None, shown: str, words: str) -> None:
    rendered = for_codex(Failure(code=code, message="no.", status=status, retry_after=retry_after))
    assert (rendered.code, rendered.message) == (shown, words)


def test_a_wait_that_the_message_names_is_not_named_twice() -> None:
    failure = Failure(code="rate_limit_exceeded", message="Try again in 1.5s", status=429, retry_after=9)
    assert for_codex(failure).message == "Try again in 1.5s"


def test_what_is_added_is_a_sentence_of_its_own() -> None:
    failure = Failure(code="rate_limit_exceeded", message="Slow down (HTTP 429)", status=429, retry_after=2)
    assert for_codex(failure).message == "Slow down (HTTP 429). Please try again in 2s."


def test_codex_is_known_by_its_originator() -> None:
    assert is_codex({"originator": "codex_exec"})
    assert not is_codex({"user-agent": "openai-python"})
