"""The name of another model is found wherever Codex looks for it, and nothing else is touched."""

from __future__ import annotations

import json
from typing import Any

import pytest
from codex_shim.stages.egress_http.dialects.responses.reroute import without_model


@pytest.mark.parametrize("name", ["openai-model", "OpenAI-Model", "x-openai-model"])
@pytest.mark.parametrize(
    "type", ["response.created", "response.in_progress", "response.metadata", "codex.rate_limits", "keepalive"]
)
def test_another_models_name_is_left_out_of_an_event_of_any_type(type: str, name: str) -> None:
    headers = {"x-codex-turn-state": "T", name: "another"}
    kept = {"x-codex-turn-state": "T"}
    for event in ({"type": type, "headers": headers}, {"type": type, "response": {"id": "r", "headers": headers}}):
        told = json.loads(without_model(json.dumps(event).encode()))
        assert told.get("headers", told.get("response", {}).get("headers")) == kept
        assert told["type"] == type


@pytest.mark.parametrize(
    "event",
    [
        {"type": "response.in_progress", "response": {"headers": {"x-codex-turn-state": "T"}}},
        {"type": "response.output_text.delta", "delta": '{"headers": {"openai-model": "x"}}'},
        {"type": "response.output_item.done", "item": {"headers": {"openai-model": "x"}}},
        {"type": "response.created", "headers": ["openai-model"], "response": None},
        {"type": "response.created", "headers": None, "response": "headers"},
    ],
)
def test_every_other_event_keeps_its_bytes(event: dict[str, Any]) -> None:
    data = json.dumps(event).encode()
    assert without_model(data) is data
