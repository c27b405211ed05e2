"""The official SDK's types read what we send to servers that are not OpenAI's own: plain items, plain functions, plain fields."""

from __future__ import annotations

import json
from typing import Any

import codex_session
import msgspec
import pytest
import sdks
from codex_shim.stages.egress_http.dialects import Target
from codex_shim.stages.egress_http.dialects.responses.request import translate


def as_answered(number: int, item: dict[str, Any]) -> dict[str, Any]:
    """A message of the model's as Codex keeps it of an answer. The ids it gives to its own the types do not know."""
    if item.get("role") != "assistant":
        return {key: value for key, value in item.items() if key != "id"}
    content = [{**part, "annotations": []} for part in item["content"]]
    return {**item, "id": f"msg_{number}", "status": "completed", "content": content}


@pytest.mark.parametrize("host", ["127.0.0.1", "api.x.ai", "openrouter.ai"])
def test_every_field_of_a_long_session_is_one_that_the_api_has(host: str) -> None:
    """What a type does not know it leaves out, so what comes back must be all of it."""
    body = codex_session.last_request("slug")
    body["input"] = [as_answered(number, item) for number, item in enumerate(body["input"])]
    del body["client_metadata"]
    payload = json.loads(translate(body, msgspec.json.encode(body), Target(model="m", host=host)).payload)
    payload["tools"] = [tool for tool in payload["tools"] if tool["type"] != "web_search"]  # a field of Codex's own in it
    assert sdks.read(sdks.responses_request(), payload) == payload
