"""Asking the running chain one request of a trial, over HTTP."""

from __future__ import annotations

import http.client
import json
import time
from typing import Any

import msgspec
from codex_shim.stages.contract.errors import SERVER_ERROR, read_failure
from codex_shim.stages.contract.headers import REQUEST_ID
from codex_shim.stages.contract.sse import SSEDecoder

from .. import loopback
from .answer import Answer, Trouble
from .hop import TIMED_OUT

_PIECE = 64 * 1024


def ask(url: str, token: str, body: dict[str, Any], request_id: str, seconds: float) -> Answer:
    """The answer to the body of a request, however it ended. `url` ends in /v1, `seconds` is the patience for all of it."""
    answer = Answer(request_id=request_id, items=[])
    headers = {"content-type": "application/json", "authorization": f"Bearer {token}", REQUEST_ID: request_id}
    began = time.monotonic()
    try:
        with loopback.posted(f"{url}/responses", json.dumps(body).encode(), headers, seconds) as response:
            answer.headers = time.monotonic() - began
            if response.status != http.client.OK:
                failure = read_failure(response.status, response.read(_PIECE))
                answer.trouble = Trouble(failure.code, failure.message)
            else:
                _read(response, answer, began, seconds)
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
            answer.feed(_event(frame.data), moment)
        if answer.ended:
            return
        if moment > seconds:
            raise TimeoutError
    answer.finish()


def _event(data: bytes) -> dict[str, Any]:
    try:
        event = msgspec.json.decode(data)
    except msgspec.DecodeError:
        return {}
    return event if isinstance(event, dict) else {}


def _too_late(seconds: float) -> Trouble:
    return Trouble(TIMED_OUT, f"there was no complete answer within {seconds:g} seconds")
