"""The request that is measured: of the size it says, and such as Codex sends."""

from __future__ import annotations

import json

import pytest
from codex_shim.orchestrator.bench.body import request_body


@pytest.mark.parametrize("size", [2_000, 20_000, 20_001, 500_000])
def test_it_has_the_size_that_was_asked_for(size: int) -> None:
    assert len(request_body(size, "bench")) == size


@pytest.mark.parametrize("size", [2_000, 20_000, 500_000])
def test_it_is_always_the_same(size: int) -> None:
    assert request_body(size, "bench") == request_body(size, "bench")


def test_a_large_one_has_everything_that_a_turn_of_codex_has() -> None:
    body = json.loads(request_body(20_000, "bench"))
    assert body["model"] == "bench"
    assert body["stream"] is True
    assert len(body["tools"]) == 12
    assert [item.get("role") for item in body["input"][:2]] == ["developer", "user"]
    calls = {item["call_id"] for item in body["input"] if item["type"] == "function_call"}
    outputs = {item["call_id"] for item in body["input"] if item["type"] == "function_call_output"}
    assert calls == outputs != set()


def test_one_that_is_too_small_is_the_least_there_can_be() -> None:
    assert json.loads(request_body(1, "bench"))["input"]
