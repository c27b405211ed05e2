"""What a request may not be, and that those of a client are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from codex_shim.stages.contract.check.answer import judge_body, judge_head
from codex_shim.stages.contract.check.digest import MOST_IDS, Hasher, RequestDigest, digest
from codex_shim.stages.contract.check.request import judge
from codex_shim.stages.contract.errors import Failure

ROOT = next(parent for parent in Path(__file__).parents if parent.name == "tests") / "fixtures" / "dialects"
NAMED = {"x-request-id": "req-1"}
CALL = {"type": "function_call", "call_id": "c1", "name": "ls", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "c1", "output": "x"}
# Requests of these cases are wrong on purpose: translators are kind to them.
ODD = {"request_call_ids": "call-id", "request_orphans": "call-output", "request_tools": "tools"}


def rules(fields: Any, headers: dict[str, str] = NAMED) -> list[tuple[str, str]]:
    raw = fields if isinstance(fields, bytes) else json.dumps(fields).encode()
    return [(violation.rule, violation.field) for violation in judge(headers, raw)[0]]


def test_the_requests_of_our_transcripts_break_no_rule() -> None:
    for path in sorted(ROOT.glob("*/*/request.json")):
        expected = [ODD[path.parent.name]] if path.parent.name in ODD else []
        assert [rule for rule, _ in rules(path.read_bytes())] == expected, path


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        (b"{", ("json", "body")),
        (b"[]", ("json", "body")),
        (b'{"model":"\xff"}', ("utf-8", "body")),
        (b'{"model":"m","input":"\\ude00"}', ("utf-8", "body")),
        ({"input": "x"}, ("model", "model")),
        ({"model": 7}, ("model", "model")),
        ({"model": "m", "stream": "yes"}, ("stream", "stream")),
        ({"model": "m", "input": 7}, ("input", "input")),
        ({"model": "m", "input": [{}, "x"]}, ("input", "input[1]")),
        ({"model": "m", "tools": {}}, ("tools", "tools")),
        ({"model": "m", "tools": [{"name": "x"}]}, ("tools", "tools[0]")),
        ({"model": "m", "input": [CALL, CALL]}, ("call-id", "input[1].call_id")),
        ({"model": "m", "input": [{**CALL, "call_id": None}]}, ("call-id", "input[0].call_id")),
        ({"model": "m", "input": [OUTPUT, CALL]}, ("call-output", "input[0].call_id")),
        ({"model": "m", "input": [{**CALL, "type": "custom_tool_call"}, OUTPUT]}, ("call-output", "input[1].call_id")),
    ],
)
def test_each_rule_can_be_broken(fields: Any, told: tuple[str, str]) -> None:
    assert rules(fields) == [told]


@pytest.mark.parametrize(
    "fields",
    [
        {"model": "m"},
        {"model": "m", "input": "hello", "stream": None, "field_of_next_year": {"x": 1}},
        {"model": "m", "input": [{"type": "dream_sequence"}, {"role": "user", "content": "x"}, CALL, OUTPUT], "tools": []},
        {"model": "m", "input": [OUTPUT], "previous_response_id": "resp_1"},
    ],
)
def test_what_is_allowed_breaks_no_rule(fields: dict[str, Any]) -> None:
    assert rules(fields) == []


def test_a_request_without_its_id_is_told_of() -> None:
    assert rules({"model": "m"}, {}) == [("request-id", "x-request-id")]


@pytest.mark.parametrize(
    ("status", "kind", "stream", "fine"),
    [
        (200, "text/event-stream; charset=utf-8", True, True),
        (200, "application/json", True, False),
        (200, "text/event-stream", False, False),
        (200, "Application/JSON", False, True),
        (429, "application/json", True, True),
        (502, "application/problem+json", True, True),
        (502, "text/html", True, False),
        (200, None, True, False),
    ],
)
def test_an_answer_is_of_the_kind_that_was_asked_for(status: int, kind: str | None, stream: bool, fine: bool) -> None:
    assert (judge_head(status, kind, stream=stream) == []) == fine


def test_an_error_is_one_that_a_client_can_read() -> None:
    assert judge_body(404, json.dumps(Failure(code="model_not_found", message="no", status=404).body("r")).encode()) == []
    assert [violation.field for violation in judge_body(502, b"<html>")] == ["error"]
    assert [violation.field for violation in judge_body(400, b'{"error":"no"}')] == ["error"]
    assert [violation.field for violation in judge_body(400, b'{"error":{"code":"x"}}')] == ["error.message"]
    assert [violation.field for violation in judge_body(400, b'{"error":{"message":"m","code":7}}')] == ["error.code"]
    assert judge_body(200, b'{"object":"response"}') == []
    assert [violation.rule for violation in judge_body(200, b"hello")] == ["json-answer"]


def digested(fields: dict[str, Any], key: str = "run") -> RequestDigest:
    return digest(fields, json.dumps(fields).encode(), Hasher(key))


def test_a_digest_knows_what_nobody_may_drop_and_says_nothing_of_it() -> None:
    fields = {"model": "m", "secret_field": "the words", "input": [{"type": "dream", "id": "d1"}, {**CALL}]}
    known = digested(fields)
    assert (list(known.fields), len(known.items), len(known.ids or [])) == (["secret_field"], 1, 2)
    assert "words" not in repr(known)
    assert known.fields != digested(fields, "another run").fields
    assert known == digested(json.loads(json.dumps(fields)))


def test_a_digest_of_a_long_request_stays_short() -> None:
    items = [{"type": "function_call", "call_id": f"c{number}", f"key{number}": 1} for number in range(5000)]
    odd = {f"field_{number}": number for number in range(5000)}
    known = digested({"model": "m", "input": items, **odd})
    assert known.ids is None
    assert len(msgspec.json.encode(digested({"input": items[:MOST_IDS], **odd}))) < 15_000
