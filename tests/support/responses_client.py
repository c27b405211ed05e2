"""A client of the chain for tests that need no Codex: one request, its events as they come.

with ask(chain, prompt="hi") as answer:
    for event in answer.events(): …
assert text_of(ask_all(chain)) == "Hello"
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from running_chain import RunningChain
from waiting import PATIENCE

TERMINAL = ("response.completed", "response.failed", "response.incomplete")


class Answer:
    """An answer whose status is known. Leaving the `with` block early closes the connection, as an interrupted Codex does."""

    def __init__(self, connection: http.client.HTTPConnection) -> None:
        self._connection = connection
        self._response = connection.getresponse()
        self.status = self._response.status
        self.headers = {name.lower(): value for name, value in self._response.getheaders()}

    def __enter__(self) -> Answer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._response.close()
        self._connection.close()

    def json(self) -> Any:
        return json.loads(self._response.read())

    def events(self) -> Iterator[dict[str, Any]]:
        """Each `data:` line as an object, keepalives included."""
        while line := self._response.readline():
            if line.startswith(b"data:"):
                yield json.loads(line[5:])


def ask(
    chain: RunningChain,
    prompt: str = "hi",
    *,
    model: str | None = None,
    codex: bool = True,
    stream: bool = True,
    headers: dict[str, str] | None = None,
    **body: Any,
) -> Answer:
    """POST /v1/responses. `codex` sends the header by which ingress knows Codex; more of the body as keywords."""
    asked = {"model": model or default_model(chain), "stream": stream, "input": [user(prompt)], **body}
    sent = {"content-type": "application/json", "authorization": f"Bearer {chain.token}"}
    sent |= {"originator": "codex_exec"} if codex else {}
    address = urlsplit(chain.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=2 * PATIENCE)
    connection.request("POST", "/v1/responses", json.dumps(asked), sent | (headers or {}))
    return Answer(connection)


def ask_all(chain: RunningChain, prompt: str = "hi", **more: Any) -> list[dict[str, Any]]:
    """All events of a streamed answer, keepalives left out."""
    with ask(chain, prompt, **more) as answer:
        assert answer.status == 200, answer.json()
        return [event for event in answer.events() if event["type"] != "keepalive"]


def default_model(chain: RunningChain) -> str:
    """The slug that stands first in the catalog."""
    return json.loads((chain.home / "custom_model_catalog.json").read_bytes())["models"][0]["slug"]


def user(text: str) -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}


def text_of(events: list[dict[str, Any]]) -> str:
    return "".join(event["delta"] for event in events if event["type"] == "response.output_text.delta")


def error_of(events: list[dict[str, Any]]) -> dict[str, Any]:
    """The error of a stream that failed."""
    assert events[-1]["type"] == "response.failed", events[-1]
    return events[-1]["response"]["error"]
