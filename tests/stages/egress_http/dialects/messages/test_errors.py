"""Errors of the API, before a stream and inside one."""

from __future__ import annotations

import json

import pytest
from codex_shim.stages.egress_http.dialects.messages.errors import read_answer, read_event, refusal


def body(type: str, message: str) -> bytes:
    return json.dumps({"type": "error", "error": {"type": type, "message": message}, "request_id": "req_1"}).encode()


@pytest.mark.parametrize(
    ("status", "type", "message", "code"),
    [
        (400, "invalid_request_error", "messages.0: bad", "invalid_prompt"),
        (400, "invalid_request_error", "prompt is too long: 208310 tokens > 200000 maximum", "context_length_exceeded"),
        (
            400,
            "invalid_request_error",
            "input length and `max_tokens` exceed context limit: 190000 + 64000 > 200000",
            "context_length_exceeded",
        ),
        (400, "invalid_request_error", "Your credit balance is too low to access the Anthropic API.", "insufficient_quota"),
        (401, "authentication_error", "invalid x-api-key", "invalid_api_key"),
        (402, "billing_error", "Payment is needed.", "insufficient_quota"),
        (403, "permission_error", "Your API key may not use this.", "invalid_api_key"),
        (404, "not_found_error", "model: claude-nothing", "model_not_found"),
        (413, "request_too_large", "Request exceeds the maximum size", "context_length_exceeded"),
        (429, "rate_limit_error", "This request would exceed your rate limit.", "rate_limit_exceeded"),
        (500, "api_error", "Internal server error", "server_error"),
        (504, "timeout_error", "Timed out", "server_error"),
        (529, "overloaded_error", "Overloaded", "server_error"),
    ],
)
def test_every_type_has_its_code_and_keeps_its_sentence(status: int, type: str, message: str, code: str):
    """The same inside a stream (D3), where there is no status."""
    outside, inside = read_answer(status, body(type, message), None), read_event(b"", {"type": type, "message": message})
    assert (outside.code, inside.code) == (code, code)
    assert message in outside.message
    assert message in inside.message
    assert outside.status == inside.status == status


def test_the_wait_of_a_rate_limit_is_kept():
    """D30."""
    assert read_answer(429, body("rate_limit_error", "Slow."), "7").retry_after == 7


ODD = ["boom", {"message": "boom"}, {"type": ["odd"], "message": "boom"}, {"type": "new", "message": "boom"}]


@pytest.mark.parametrize("error", ODD)
def test_an_error_of_no_known_type_is_tried_again(error: object):
    failure = read_event(json.dumps({"error": error}).encode(), error)
    assert (failure.code, failure.message) == ("server_error", "boom")


def test_a_refusal_says_why():
    assert refusal({"category": "bio", "explanation": "No."}).message == "The model refused to answer (bio): No."
    assert refusal(None).message == refusal({"category": 5}).message == "The model refused to answer."
    assert refusal(None).code == "content_policy_violation"
