"""The official SDK reads the answers of the native and the gemini dialect as it would OpenAI's: it raises where one is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sdks

ROOT = next(parent for parent in Path(__file__).parents if parent.name == "tests") / "fixtures" / "dialects"
STREAMS = [path for dialect in ("responses", "gemini") for path in sorted(ROOT.glob(f"{dialect}/*/expected.sse"))]


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: f"{path.parent.parent.name}-{path.parent.name}")
def test_the_sdk_follows_every_answer_to_its_end(path: Path) -> None:
    events = [json.loads(line[5:]) for line in path.read_text().splitlines() if line.startswith("data:")]
    sdks.follow(known(event) for event in events)


def known(event: dict[str, Any]) -> dict[str, Any]:
    """Codes of Codex's that the SDK does not list are errors all the same, and old responses lack what it wants of new ones."""
    response = event.get("response")
    if response and response.get("error"):
        response["error"]["code"] = "server_error"
    if response:
        event["response"] = {"parallel_tool_calls": True, "tool_choice": "auto", "tools": [], **response}
    return event
