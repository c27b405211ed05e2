"""Requests by hand: whatever method, path, headers and body a test likes, with nothing added but what HTTP needs."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from running_chain import RunningChain
from waiting import PATIENCE


class Plain(NamedTuple):
    """A whole answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        """The error of a plain JSON answer."""
        return self.json()["error"]

    @property
    def events(self) -> list[dict[str, Any]]:
        """Every `data:` line of an event stream."""
        return [json.loads(line[5:]) for line in self.body.splitlines() if line.startswith(b"data:")]


def send(
    chain: RunningChain, method: str, path: str, body: bytes | str | None = None, headers: Mapping[str, str | None] | None = None
) -> Plain:
    """`path` starts at the root. The right token and content type are sent unless `headers` say otherwise; None leaves one out."""
    given = {"authorization": f"Bearer {chain.token}", "content-type": "application/json", **(headers or {})}
    address = urlsplit(chain.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=2 * PATIENCE)
    try:
        raw = body.encode() if isinstance(body, str) else body
        connection.request(method, path, raw, {name: value for name, value in given.items() if value is not None})
        answer = connection.getresponse()
        return Plain(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
    finally:
        connection.close()


def post(chain: RunningChain, body: Any, headers: Mapping[str, str | None] | None = None) -> Plain:
    """`POST /v1/responses`; anything but bytes is written as JSON."""
    return send(chain, "POST", "/v1/responses", body if isinstance(body, bytes) else json.dumps(body), headers)
