"""The official SDK as a reader that nobody here wrote: of what we send upstream, and of what we answer."""

import json
from pathlib import Path
from typing import Any

import pytest
import sdks

ROOT = next(parent for parent in Path(__file__).parents if parent.name == "tests") / "fixtures" / "dialects" / "chat"
REQUESTS = sorted(ROOT.glob("*/expected_request.json"))
STREAMS = sorted(ROOT.glob("*/expected.sse"))

# Codes that Codex knows and the SDK does not list.
CODES_OF_CODEX = ("context_length_exceeded", "content_policy_violation", "insufficient_quota", "model_not_found")
# Fields that providers added to the language.
ADDED = ("reasoning_content", "reasoning_details", "extra_content", "thinking")


def name_of(path: Path) -> str:
    return path.parent.name


def without_added(value: Any) -> Any:
    """Without what providers added to the language and the SDK does not know."""
    if isinstance(value, list):
        return [without_added(entry) for entry in value if not (isinstance(entry, dict) and entry.get("type") in ADDED)]
    return {key: without_added(entry) for key, entry in value.items() if key not in ADDED} if isinstance(value, dict) else value


def events_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line[5:]) for line in path.read_text().splitlines() if line.startswith("data:")]


def known(event: dict[str, Any]) -> dict[str, Any]:
    error = event.get("response", {}).get("error") or {}
    if error.get("code") in CODES_OF_CODEX:
        error["code"] = "server_error"
    return event


@pytest.mark.parametrize("path", REQUESTS, ids=name_of)
def test_every_field_we_send_is_one_that_the_api_has(path: Path):
    """What a type does not know it leaves out, so what comes back must be all of it."""
    payload = without_added(json.loads(path.read_bytes())["payload"])
    assert sdks.read(sdks.chat_request(), payload) == payload


@pytest.mark.parametrize("path", STREAMS, ids=name_of)
def test_every_stream_we_write_can_be_read(path: Path):  # D28
    sdks.follow(known(event) for event in events_of(path))


@pytest.mark.parametrize("path", STREAMS, ids=name_of)
def test_the_answer_as_one_object_can_be_read(path: Path):  # D22
    response = sdks.response().validate_python(known(events_of(path)[-1])["response"])
    assert response.status in ("completed", "failed", "incomplete")
