"""Error answers as providers send them, and the code each must get."""

import json
from typing import Any

import pytest
from codex_shim.stages.egress_http.dialects.provider_errors import read_answer, read_chunk_error


def answer(status: int, message: str, **fields: Any) -> tuple[str, int]:
    failure = read_answer(status, json.dumps({"error": {"message": message, **fields}}).encode(), None)
    assert failure.message.startswith(message)
    return failure.code, failure.status


@pytest.mark.parametrize(
    "message",
    [
        "This model's maximum context length is 8192 tokens. However, you requested 9000.",
        "Requested token count exceeds the model's maximum context length of 131072 tokens.",
        "prompt is too long: 210000 tokens > 200000 maximum",
        "Input is too long for requested model.",
        "The input token count (1048577) exceeds the maximum number of tokens allowed (1048576).",
        "the request exceeds the available context size. try increasing the context size",
        "Please reduce the length of the messages. Current length is 9000 while limit is 8192",
        "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000",
        "Your input exceeds the context window of this model.",
        "litellm.ContextWindowExceededError: litellm.BadRequestError: 9000 tokens",
        "context window exceeds limit (2013)",
        "`inputs` tokens + `max_new_tokens` must be <= 4096.",
    ],
)
def test_an_overflow_is_known_by_its_words(message: str):
    assert answer(400, message) == ("context_length_exceeded", 400)
    assert answer(500, message) == ("context_length_exceeded", 400)


GROQ = (
    "Request too large for model `llama` in organization `org` service tier `on_demand` on tokens per minute (TPM): "
    "Limit 6000, Requested 9131, please reduce your message size and try again."
)


@pytest.mark.parametrize(
    ("message", "fields"),
    [
        (GROQ, {"type": "tokens", "code": "rate_limit_exceeded"}),
        ("Request exceeds the maximum size", {"type": "request_too_large"}),
        ("Please shorten the conversation.", {}),
    ],
)
def test_a_request_that_is_too_large_is_an_overflow_where_a_shorter_history_helps(message: str, fields: dict[str, Any]):
    assert answer(413, message, **fields)[0] == "context_length_exceeded"


@pytest.mark.parametrize(
    ("status", "message", "fields", "code"),
    [
        (413, "Payload Too Large", {}, "invalid_prompt"),
        (400, "Unsupported parameter: 'max_tokens'.", {"type": "invalid_request_error"}, "invalid_prompt"),
        (422, "Extra inputs are not permitted", {}, "invalid_prompt"),
        (413, "Request too large", {}, "invalid_prompt"),
        (400, "string too long for parameter user", {"code": "string_above_max_length"}, "invalid_prompt"),
        (401, "Incorrect API key provided: sk-…", {"code": "invalid_api_key"}, "invalid_api_key"),
        (403, "Forbidden", {}, "invalid_api_key"),
        (403, "Your input was flagged", {}, "content_policy_violation"),
        (402, "Insufficient Balance", {}, "insufficient_quota"),
        (429, "You exceeded your current quota, please check your plan and billing details.", {}, "insufficient_quota"),
        (429, "Rate limit reached for requests", {"code": "rate_limit_exceeded"}, "rate_limit_exceeded"),
        (404, "The model `gpt-9` does not exist or you do not have access to it.", {}, "model_not_found"),
        (404, 'model "llama9" not found, try pulling it first', {}, "model_not_found"),
        (400, "Model Not Exist", {}, "model_not_found"),
        (404, "404 page not found", {}, "invalid_prompt"),
        (400, "The response was filtered", {"code": "content_filter"}, "content_policy_violation"),
        (400, "Failed to call a function.", {"code": "tool_use_failed"}, "server_error"),
        (408, "Timeout", {}, "server_error"),
        (409, "Conflict", {}, "server_error"),
        (500, "The server had an error", {"type": "server_error"}, "server_error"),
        (503, "That model is overloaded", {"code": "server_is_overloaded"}, "server_error"),
        (529, "Overloaded", {"type": "overloaded_error"}, "server_error"),
    ],
)
def test_an_answer_gets_one_of_our_codes(status: int, message: str, fields: dict[str, Any], code: str):
    assert answer(status, message, **fields)[0] == code


def test_a_failure_worth_a_new_try_has_a_status_that_says_so():
    assert answer(400, "Failed to call a function.", code="tool_use_failed")[1] == 502


def test_the_wait_comes_from_the_header_or_from_the_words():
    assert read_answer(429, b'{"error":{"message":"slow"}}', "7").retry_after == 7
    for words, seconds in (
        ("try again in 1.5s", 1.5),
        ("try again in 200ms", 0.2),
        ("try again in 7m12s", 432),
        ("retry in 1h2m", 3720),
    ):
        assert read_answer(429, json.dumps({"error": f"Please {words}."}).encode(), None).retry_after == seconds
    assert read_answer(429, b'{"error":"Please try again in a while"}', None).retry_after is None


def test_what_the_provider_behind_a_gateway_said_is_kept():
    raw = json.dumps({"error": {"message": "temperature must be 1"}})
    body = {"error": {"message": "Provider returned error", "code": 400, "metadata": {"raw": raw, "provider_name": "X"}}}
    assert read_answer(400, json.dumps(body).encode(), None).message == "Provider returned error: temperature must be 1"


@pytest.mark.parametrize(
    "body", [b"", b"<html><body>502</body></html>", b"[]", b"null", b'{"error":{"metadata":{"raw":5}}}', b"\xff"]
)
def test_an_answer_without_a_sentence_is_a_failure_all_the_same(body: bytes):
    failure = read_answer(502, body, None)
    assert failure.code == "server_error"
    assert failure.message


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ({"message": "x", "code": 429}, "rate_limit_exceeded"),
        ({"message": "x", "code": "400"}, "invalid_prompt"),
        ({"message": "x", "type": "rate_limit_error"}, "rate_limit_exceeded"),
        ({"message": "x", "type": "overloaded_error"}, "server_error"),
        ({"message": "x", "type": "invalid_request_error"}, "invalid_prompt"),
        ({"message": "x", "type": "authentication_error"}, "invalid_api_key"),
        ({"message": "x", "code": "content_filter"}, "content_policy_violation"),
        ({"message": "x", "code": "insufficient_quota"}, "insufficient_quota"),
        ({"message": "no such model"}, "model_not_found"),
        ({"message": "x"}, "server_error"),
        ("something", "server_error"),
        ({"code": True}, "server_error"),
        ([1], "server_error"),
    ],
)
def test_an_error_inside_a_stream_is_sorted_by_what_it_says(error: Any, code: str):
    assert read_chunk_error(error).code == code


def test_inside_a_stream_a_wait_is_said_in_plain_seconds():
    """Codex reads no other form, and there is no header any more."""
    said = read_chunk_error({"message": "Try again in 1m2.5s.", "code": 429}).message
    assert said == "Try again in 1m2.5s. Please try again in 62.5s."
    plain = "Please try again in 2s."
    assert read_chunk_error({"message": plain, "code": 429}).message == plain
