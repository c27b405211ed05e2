"""Asking the running chain over HTTP, and reading what it answers: one request of a trial, or one that was recorded."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Mapping
from typing import Any

from codex_shim.stages.contract.errors import SERVER_ERROR, read_failure
from codex_shim.stages.contract.headers import REQUEST_ID
from codex_shim.stages.contract.sse import SSEDecoder

from .. import loopback
from .answer import Answer, Trouble, is_stream, read_event
from .hop import TIMED_OUT

_PIECE = 64 * 1024


def ask(url: str, token: str, body: dict[str, Any], request_id: str, seconds: float) -> Answer:
    """The answer to the body of a request, however it ended. `url` ends in /v1, `seconds` is the patience for all of it."""
    return post(f"{url}/responses", token, json.dumps(body).encode(), request_id, seconds)


def post(target: str, token: str, raw: bytes, request_id: str, seconds: float, headers: Mapping[str, str] | None = None) -> Answer:
    """The same for any bytes and any path of the contract; `headers` are added to those that the chain asks for."""
    answer = Answer(request_id=request_id, items=[])
    needed = {"content-type": "application/json", "authorization": f"Bearer {token}", REQUEST_ID: request_id}
    began = time.monotonic()
    try:
        with loopback.posted(target, raw, {**(headers or {}), **needed}, seconds) as response:
            answer.headers = time.monotonic() - began
            if response.status != http.client.OK:
                failure = read_failure(response.status, response.read(_PIECE))
                answer.trouble = Trouble(failure.code, failure.message)
            elif is_stream(response.headers.get("content-type")):
                _read(response, answer, began, seconds)
            else:
                answer.take(read_event(response.read(loopback.LIMIT_BYTES)), time.monotonic() - began)
    except TimeoutError:
        answer.trouble = _too_late(seconds)
    except (OSError, http.client.HTTPException) as error:
        answer.trouble = Trouble(SERVER_ERROR, f"the chain cut the connection ({type(error).__name__})")
    return answer


def _read(response: http.client.HTTPResponse, answer: Answer, began: float, seconds: float) -> None:
    """The chain sends signs of life as long as it waits, so the time is looked at with each piece."""
    decoder = SSEDecoder()
    while piece := response.read1(_PIECE):
        moment = time.monotonic() - began
        for frame in decoder.feed(piece):
            answer.feed(read_event(frame.data), moment)
        if answer.ended:
            return
        if moment > seconds:
            raise TimeoutError
    answer.finish()


def _too_late(seconds: float) -> Trouble:
    return Trouble(TIMED_OUT, f"there was no complete answer within {seconds:g} seconds")
