"""Pictures on their way to the model: attached by the user, looked at by a tool, and kept from models that cannot see."""

from __future__ import annotations

import pytest
from chat_answers import call, calls, says
from codex_cli import Codex
from png import DATA_URL, PNG
from scripted_upstream import ScriptedUpstream
from upstream_connection import Received

LOOK = calls(call("view_image", {"path": "img.png"}, "call_look"))


@pytest.fixture(autouse=True)
def image(codex: Codex) -> None:
    (codex.workspace / "img.png").write_bytes(PNG)


def images_in(request: Received) -> list[tuple[str, str]]:
    """Role and URL of each picture."""
    with_parts = [(message["role"], message["content"]) for message in request.messages if isinstance(message["content"], list)]
    return [(role, part["image_url"]["url"]) for role, parts in with_parts for part in parts if part["type"] == "image_url"]


def test_an_attached_picture_reaches_the_model(codex: Codex, upstream: ScriptedUpstream) -> None:
    upstream.script(says("red"))
    assert codex.exec("which colour?", "-i", "img.png").text == "red"
    assert images_in(upstream.requests[0]) == [("user", DATA_URL)]
    assert upstream.requests[0].messages[-1]["content"][-1] == {"type": "text", "text": "which colour?"}


def test_a_picture_in_a_tool_result_reaches_the_model_behind_the_result(codex: Codex, upstream: ScriptedUpstream) -> None:
    upstream.script(LOOK, says("red"))
    assert codex.exec("which colour?").text == "red"
    assert images_in(upstream.requests[1]) == [("user", DATA_URL)]
    *_, result, shown = upstream.requests[1].messages
    assert (result["role"], result["tool_call_id"]) == ("tool", "call_look")
    assert result["content"], "an empty result is refused by some providers"
    assert shown["role"] == "user"


def test_a_model_that_cannot_see_is_never_sent_a_picture(codex: Codex, upstream: ScriptedUpstream) -> None:
    upstream.script(LOOK, says("no idea"))
    assert codex.exec("which colour?", "-m", "blind", "-i", "img.png").text == "no idea"
    assert [request.body["model"] for request in upstream.requests] == ["vendor/blind", "vendor/blind"]
    assert "data:image" not in upstream.requests[0].text + upstream.requests[1].text
