"""The official SDKs as readers that nobody here wrote: `anthropic` of what we send, `openai` of what we answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sdks

ROOT = next(parent for parent in Path(__file__).parents if parent.name == "tests") / "fixtures" / "dialects" / "messages"
REQUESTS = sorted(ROOT.glob("*/expected_request.json"))
STREAMS = sorted(ROOT.glob("*/expected.sse"))

# Codes that Codex knows and the SDK does not list.
CODES_OF_CODEX = ("context_length_exceeded", "content_policy_violation")


def name_of(path: Path) -> str:
    return path.parent.name


@pytest.mark.parametrize("path", REQUESTS, ids=name_of)
def test_every_field_we_send_is_one_that_the_api_has(path: Path):
    """What a type does not know it leaves out, so what comes back must be all of it."""
    payload = json.loads(path.read_bytes())["payload"]
    binding = payload.get("thinking", {}).pop("block_binding", {})
    assert sdks.thinking_binding().validate_python(binding) == binding
    assert sdks.read(sdks.messages_request(), payload) == payload


@pytest.mark.parametrize("path", STREAMS, ids=name_of)
def test_every_stream_we_write_can_be_read(path: Path):
    events = [json.loads(line[5:]) for line in path.read_text().splitlines() if line.startswith("data:")]
    sdks.follow(known(event) for event in events)


def known(event: dict[str, Any]) -> dict[str, Any]:
    error = event.get("response", {}).get("error") or {}
    if error.get("code") in CODES_OF_CODEX:
        error["code"] = "server_error"
    return event
