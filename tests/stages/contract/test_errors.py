"""Errors: one shape out, many shapes in."""

from __future__ import annotations

import pytest
from codex_shim.stages.contract.errors import Failure, parse_retry_after, read_failure, refuse


@pytest.mark.parametrize(
    ("body", "message", "code"),
    [
        (b'{"error":{"message":"no","type":"t","code":"c","param":"p"}}', "no", "c"),
        (b'{"error":{"message":"no","type":"t","code":null}}', "no", "t"),
        (b'{"error":"plain words"}', "plain words", "invalid_prompt"),
        (b'{"detail":"not here"}', "not here", "invalid_prompt"),
        (b'{"message":"bare"}', "bare", "invalid_prompt"),
        (b'[{"error":{"message":"in a list","code":429}}]', "in a list", "invalid_prompt"),
        (b"just text\nand more", "just text", "invalid_prompt"),
        (b"<!doctype html><html>", "an HTML page instead of JSON", "invalid_prompt"),
        (b"", "HTTP 400 without a message", "invalid_prompt"),
        (b"\xff\xfe\x00", "��\x00", "invalid_prompt"),
        (b'{"error":{}}', '{"error":{}}', "invalid_prompt"),
    ],
)
def test_whatever_another_program_answers_becomes_a_sentence(body: bytes, message: str, code: str) -> None:
    failure = read_failure(400, body)
    assert (failure.message, failure.code, failure.status) == (message, code, 400)


def test_our_own_shape_comes_back_as_it_was() -> None:
    failure = Failure(code="model_not_found", message="no such model", status=404, param="model")
    import msgspec

    assert read_failure(404, msgspec.json.encode(failure.body("req_1"))) == failure
    assert failure.body("req_1")["error"]["request_id"] == "req_1"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), ("1.5", 1.5), ("0", 0.0), ("-1", None), ("soon", None), (None, None), ("", None), ("inf", None), ("nan", None)],
)
def test_retry_after_is_seconds_or_nothing(header: str | None, seconds: float | None) -> None:
    assert parse_retry_after(header) == seconds


def test_the_type_says_whose_fault_it_was() -> None:
    assert refuse("x").failure.type == "invalid_request_error"
    assert Failure(code="x", message="y", status=429).type == "rate_limit_error"
    assert Failure(code="x", message="y", status=503).type == "server_error"
