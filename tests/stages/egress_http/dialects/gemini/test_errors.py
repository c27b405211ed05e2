"""What Google says when it refuses → our codes, with its own sentence."""

from __future__ import annotations

import json
from typing import Any

import pytest
from codex_shim.stages.egress_http.dialects.gemini.errors import read_answer, read_inside


def body(status: str, message: str, *details: dict[str, Any]) -> dict[str, Any]:
    return {"error": {"code": 0, "status": status, "message": message, "details": list(details)}}


WAIT = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "37.5s"}
DAILY = {
    "@type": "type.googleapis.com/google.rpc.QuotaFailure",
    "violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}],
}


@pytest.mark.parametrize(
    ("http", "error", "code", "wait"),
    [
        (429, body("RESOURCE_EXHAUSTED", "Slow down.", WAIT), "rate_limit_exceeded", 37.5),
        (429, body("RESOURCE_EXHAUSTED", "You exceeded your current quota.", WAIT), "rate_limit_exceeded", 37.5),
        (429, body("RESOURCE_EXHAUSTED", "Slow down.", DAILY, WAIT), "insufficient_quota", 37.5),
        (503, body("UNAVAILABLE", "The model is overloaded."), "server_error", None),
        (500, body("INTERNAL", "An internal error has occurred."), "server_error", None),
        (400, body("INVALID_ARGUMENT", "Request contains an invalid argument."), "invalid_prompt", None),
        (
            400,
            body("INVALID_ARGUMENT", "The input token count exceeds the maximum number of tokens allowed (1)."),
            "context_length_exceeded",
            None,
        ),
        (400, body("INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."), "invalid_api_key", None),
        (403, body("PERMISSION_DENIED", "Denied."), "invalid_api_key", None),
        (404, body("NOT_FOUND", "models/x is not found"), "model_not_found", None),
    ],
)
def test_an_answer_that_is_no_success(http: int, error: dict[str, Any], code: str, wait: float | None) -> None:
    for shape in (error, [error]):
        failure = read_answer(http, json.dumps(shape).encode(), None)
        assert (failure.code, failure.retry_after) == (code, wait)
        assert failure.message.startswith(error["error"]["message"])


def test_a_page_is_no_reason_to_stumble() -> None:
    assert read_answer(502, b"<html>", None).code == "server_error"


@pytest.mark.parametrize(
    ("error", "code", "ending"),
    [
        (body("RESOURCE_EXHAUSTED", "Slow down.", WAIT)["error"], "rate_limit_exceeded", "Please try again in 37.5s."),
        (body("UNAVAILABLE", "Overloaded.")["error"], "server_error", "Overloaded."),
        (body("INVALID_ARGUMENT", "Wrong.")["error"], "invalid_prompt", "Wrong."),
        (body("FAILED_PRECONDITION", "Not here.")["error"], "invalid_prompt", "Not here."),
        (body("UNAUTHENTICATED", "Who?")["error"], "invalid_api_key", "Who?"),
        (body("NOT_FOUND", "No model.")["error"], "model_not_found", "No model."),
        (body("DEADLINE_EXCEEDED", "Late.")["error"], "server_error", "Late."),
        ({"message": "odd", "details": {"a": 1}}, "server_error", "odd"),
        ("odd", "server_error", "odd"),
    ],
)
def test_an_error_inside_a_stream(error: Any, code: str, ending: str) -> None:
    failure = read_inside(error)
    assert failure.code == code
    assert failure.message.endswith(ending)
