"""Asking the running chain over HTTP what it tells everybody; directly, because proxies are not for this machine."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

LIMIT_BYTES = 64 * 2**20  # a catalog holds a long prompt for each model


def get(origin: str, path: str, seconds: float = 1.0) -> dict[str, Any] | None:
    """The JSON object that answers `GET path`; None for any other answer, and where nobody answers.

    Of `origin`, a URL, only host and port count.
    """
    parts = urlsplit(origin)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=seconds)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        told = json.loads(answer.read(LIMIT_BYTES)) if answer.status == http.client.OK else None
    except (OSError, ValueError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return told if isinstance(told, dict) else None


@contextmanager
def posted(url: str, body: bytes, headers: Mapping[str, str], seconds: float) -> Iterator[http.client.HTTPResponse]:
    """The answer to `POST url` as soon as its head has come; `read1` gives of its body what has. `seconds` is the patience for each
    piece. Raises `OSError` and `HTTPException`."""
    with _asked("POST", url, body, headers, seconds) as response:
        yield response


@contextmanager
def followed(url: str, headers: Mapping[str, str]) -> Iterator[http.client.HTTPResponse]:
    """The answer to `GET url` as soon as its head has come; each piece may take as long as it likes. Raises as `posted`."""
    with _asked("GET", url, None, headers, None) as response:
        yield response


def is_there(origin: str, seconds: float = 1.0) -> bool:
    """Whether anybody accepts connections there."""
    parts = urlsplit(origin)
    try:
        socket.create_connection((parts.hostname or "", parts.port or 0), timeout=seconds).close()
    except OSError:
        return False
    return True


def health(origin: str) -> dict[str, Any] | None:
    """What ingress says of itself; None where whoever answers is no chain."""
    told = get(origin, "/health")
    return told if told and "models" in told and "chatgpt_passthrough" in told else None


def slugs(origin: str) -> list[str] | None:
    """What the running chain offers at this moment; None where it cannot be asked."""
    told = get(origin, "/v1/models")
    data = told.get("data") if told else None
    return [str(each.get("id")) for each in data if isinstance(each, dict)] if isinstance(data, list) else None


@contextmanager
def _asked(
    method: str, url: str, body: bytes | None, headers: Mapping[str, str], seconds: float | None
) -> Iterator[http.client.HTTPResponse]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=seconds)
    try:
        connection.request(method, parts._replace(scheme="", netloc="").geturl(), body, dict(headers))
        yield connection.getresponse()
    finally:
        connection.close()
