"""The host of a script stage: a plain Python file that imports nothing of ours.

The file defines `request(body)`, `event(event)`, or both. A body and an event are dicts; what is returned takes their place, None
keeps the one that was given, with what was changed in it. `event` may return a list: none or several events for one. An answer in
one piece of JSON is one event, the last that it would have had as a stream.
`raise PermissionError("why")` refuses a request with that sentence.

A script that fails is its user's to mend, so the sentence with the line it failed in goes to the client, as an error that is not
worth trying again: before the first byte as JSON, after it as the end of the stream.
"""

from __future__ import annotations

import runpy
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from ..contract.body import decode_object
from ..contract.errors import INVALID_REQUEST, Failure, HopError, refuse
from ..contract.events import stream_error
from ..contract.sse import Frame, encode_event, event_of
from .exchange import Exchange
from .process import run
from .settings import give_up
from .stage import Context, Stage

Change = Callable[[dict[str, Any]], Any]


class ScriptError(HopError):
    """The script did something that it should not."""


class ScriptStage(Stage[dict[str, Any]]):
    """`path` is the script. Its functions run in the event loop: a slow one slows every stream through this stage."""

    path = ""

    def __init__(self, context: Context[dict[str, Any]]) -> None:
        super().__init__(context)
        functions = load(self.path, context.config)
        self._request: Change | None = functions.get("request")
        self._event: Change | None = functions.get("event")

    async def responses(self, exchange: Exchange) -> None:
        body = await exchange.body()
        if self._request is not None:
            body = change_request(self._request, body, self.path)
        if self._event is None:
            await self.context.next.relay(exchange, body)
        else:
            await self._relay_changed(exchange, body, EventFilter(self._event, self.path))

    compact = responses

    async def _relay_changed(self, exchange: Exchange, body: bytes, change: EventFilter) -> None:
        try:
            await self.context.next.relay(exchange, body, change=change, change_whole=change.whole)
        except ScriptError as error:
            if not exchange.started:
                raise
            exchange.notes |= {"ended": "response.failed", "error": error.failure.message}
            await exchange.write(encode_event(change.failed(error.failure)))
            await exchange.end()


def load(path: str, config: dict[str, Any]) -> dict[str, Any]:
    """The script's names. It sees its own table as the global `config`."""
    try:
        names = runpy.run_path(path, init_globals={"config": config})
    except BaseException as error:
        give_up(f"the script {path} cannot be loaded: {describe(error, path)}")
    found = {name: names[name] for name in ("request", "event") if callable(names.get(name))}
    if not found:
        give_up(f"the script {path} defines neither request(body) nor event(event)")
    return found


def change_request(function: Change, raw: bytes, path: str) -> bytes:
    """Raises `HopError`: the script's own refusal, or a sentence that names the line it failed in."""
    body = decode_object(raw)
    try:
        changed = function(body)
    except PermissionError as refusal:
        if refusal.errno is not None:  # the system's word, not the script's
            raise _failed(refusal, path) from refusal
        raise refuse(str(refusal), status=403) from refusal
    except Exception as error:
        raise _failed(error, path) from error
    if changed is not None and not isinstance(changed, dict):
        raise _wrong(f"request(body) of {path} returned {type(changed).__name__}; it must return a dict or None")
    return msgspec.json.encode(body if changed is None else changed)


class EventFilter:
    """Applies `event(event)` to each frame; what is not a JSON object passes as it is."""

    def __init__(self, function: Change, path: str) -> None:
        self._function = function
        self._path = path
        self._response: dict[str, Any] = {"id": "resp_unknown", "object": "response", "output": []}
        self._number = -1

    def feed(self, frame: Frame) -> list[Frame]:
        event = event_of(frame)
        if event is None:
            return [frame]
        changed = self._changed(event)
        self._remember(changed)
        return [_frame(each) for each in changed]

    def finish(self) -> list[Frame]:
        return []

    def whole(self, body: bytes) -> bytes:
        """An answer in one piece is shown to the script as the event that would have ended it as a stream."""
        try:
            response = msgspec.json.decode(body)
        except msgspec.DecodeError:
            return body
        if not isinstance(response, dict) or response.get("object") != "response":
            return body
        event = {"type": f"response.{response.get('status')}", "response": response}
        told = [each["response"] for each in self._changed(event) if isinstance(each.get("response"), dict)]
        return msgspec.json.encode(told[-1]) if told else body

    def failed(self, failure: Failure) -> dict[str, Any]:
        """The end of a stream whose script has failed, behind what was sent of it."""
        response = {**self._response, "status": "failed", "error": stream_error(failure)}
        return {"type": "response.failed", "sequence_number": self._number + 1, "response": response}

    def _remember(self, events: list[dict[str, Any]]) -> None:
        for event in events:
            if isinstance(event.get("sequence_number"), int):
                self._number = event["sequence_number"]
            if event.get("type") == "response.created" and isinstance(event.get("response"), dict):
                self._response = event["response"]

    def _changed(self, event: dict[str, Any]) -> list[dict[str, Any]]:
        try:
            changed = self._function(event)
        except Exception as error:
            raise _failed(error, self._path) from error
        if changed is None:
            return [event]
        events = changed if isinstance(changed, list) else [changed]
        if not all(isinstance(each, dict) for each in events):
            raise _wrong(f"event(event) of {self._path} returned {type(changed).__name__}; it must return a dict, a list or None")
        return events


def describe(error: BaseException, path: str) -> str:
    """`KeyError: 'x' (line 4)`: the line of the script, not of ours."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__}: {error.msg} (line {error.lineno})"
    return f"{type(error).__name__}: {error}" + (f" (line {lines[-1]})" if lines else "")


def _frame(event: dict[str, Any]) -> Frame:
    kind = event.get("type")
    name = kind.encode() if isinstance(kind, str) and kind.startswith("response.") else b""
    return Frame(name, msgspec.json.encode(event))


def _failed(error: Exception, path: str) -> ScriptError:
    return _wrong(f"the script {Path(path).name} failed: {describe(error, path)}")


def _wrong(sentence: str) -> ScriptError:
    """The status says that it happened here, the code that the same request will fail again."""
    return ScriptError(Failure(code=INVALID_REQUEST, message=sentence, status=500))


if __name__ == "__main__":
    ScriptStage.path = sys.argv[1]
    run(ScriptStage)
