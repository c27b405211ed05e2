"""The official SDKs as readers that nobody here wrote: `anthropic` of what we send, `openai` of what we answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from anthropic.types.beta import BetaThinkingBlockBindingParam
from anthropic.types.message_create_params import MessageCreateParamsStreaming
from openai import omit
from openai.lib.streaming.responses._responses import ResponseStreamState
from openai.types.responses import ResponseStreamEvent
from pydantic import TypeAdapter

ROOT = next(parent for parent in Path(__file__).parents if parent.name == "tests") / "fixtures" / "dialects" / "messages"
REQUESTS = sorted(ROOT.glob("*/expected_request.json"))
STREAMS = sorted(ROOT.glob("*/expected.sse"))

# Codes that Codex knows and the SDK does not list.
CODES_OF_CODEX = ("context_length_exceeded", "content_policy_violation")

request_type: TypeAdapter[Any] = TypeAdapter(MessageCreateParamsStreaming)
binding_type: TypeAdapter[Any] = TypeAdapter(BetaThinkingBlockBindingParam)
event_type: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)


def name_of(path: Path) -> str:
    return path.parent.name


def plain(value: Any) -> Any:
    """The models read lists lazily."""
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    if value is None or isinstance(value, (str, int, float)):
        return value
    return [plain(entry) for entry in value]


@pytest.mark.parametrize("path", REQUESTS, ids=name_of)
def test_every_field_we_send_is_one_that_the_api_has(path: Path):
    """What a type does not know it leaves out, so what comes back must be all of it."""
    payload = json.loads(path.read_bytes())["payload"]
    binding = payload.get("thinking", {}).pop("block_binding", {})  # still a beta, with a type of its own
    assert binding_type.validate_python(binding) == binding
    assert plain(request_type.validate_python(payload)) == payload


@pytest.mark.parametrize("path", STREAMS, ids=name_of)
def test_every_stream_we_write_can_be_read(path: Path):
    state = ResponseStreamState(input_tools=omit, text_format=omit)
    for line in path.read_text().splitlines():
        if line.startswith("data:"):
            event = json.loads(line[5:])
            error = event.get("response", {}).get("error") or {}
            if error.get("code") in CODES_OF_CODEX:
                error["code"] = "server_error"
            state.handle_event(event_type.validate_python(event))
