"""Runs tests of pipeline.toml: those that go through the same stages share their processes, in the order of the file."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from .. import plan
from ..settings.case_table import Call, Case, Refusal
from ..sources import Sources
from ..subscriptions import Offered
from . import scenes
from .judge import faults
from .rehearsal import Seen, rehearse
from .report import Verdict
from .seen import Models, values

Body = dict[str, Any]


class CaseError(Exception):
    """A test that cannot be run; the message is a sentence about it."""


class StandIns(Mapping[str, str]):
    """The environment, in which no variable is missing: no key is ever used, so none has to be there."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def __getitem__(self, name: str) -> str:
        return self._environ.get(name) or f"stand-in-for-{name}"

    def __iter__(self) -> Iterator[str]:
        return iter(self._environ)

    def __len__(self) -> int:
        return len(self._environ)


def stand_in_command(command: str | list[str]) -> str:
    """Instead of running an `api_key_command`. Equal commands give equal keys, as their rows would have them."""
    return f"stand-in-for-{json.dumps(command)}"


def run(
    sources: Sources, cases: Sequence[Case], environ: Mapping[str, str], cwd: Path, offered: Sequence[Offered], patience: float
) -> Iterator[Verdict]:
    """One verdict per case, in their order, each as soon as it and those before it are known. `cwd` is where stages run."""
    bodies, unusable = _bodies(sources, cases)
    with tempfile.TemporaryDirectory(prefix="codex-shim-") as folder:
        wanted = _scenes(sources, [case for case in cases if case.place in bodies], bodies, environ, Path(folder), offered, cwd)
        models = scenes.models(sources, offered)
        known: dict[int, Verdict] = {place: _verdict(sources, _by_place(cases, place), why) for place, why in unusable.items()}
        waiting = list(cases)
        seen = rehearse(wanted, patience) if wanted else iter(())
        for each in seen:
            case = _by_place(cases, each.number)
            known[case.place] = judged(sources, case, bodies[case.place], each, models)
            while waiting and waiting[0].place in known:
                yield known[waiting.pop(0).place]
        for case in waiting:
            yield known.get(case.place) or _verdict(sources, case, "the runner ended before it came to this test")


def judged(sources: Sources, case: Case, body: Body, seen: Seen, models: Models) -> Verdict:
    if seen.fault is not None:
        return _verdict(sources, case, seen.fault)
    sent = {"request": body, "headers": {name.lower(): value for name, value in case.headers.items()}}
    found = faults(case.expect, values(seen, models), sent)
    verdict = _verdict(sources, case, None)
    places = [_at(sources, ("test", case.place, "expect", fault.place)) for fault in found]
    return msgspec.structs.replace(verdict, faults=found, places=places)


def request_of(case: Case, model: str) -> Body:
    """The body that is sent: `model` where it names none, a stream unless it says otherwise, and a text for `input` as the message
    that ingress would make of it. Raises `CaseError`."""
    body = case.request
    if case.request_file is not None:
        try:
            body = json.loads(case.request_file.read_bytes())
        except (OSError, ValueError) as error:
            raise CaseError(f"the request {case.request_file} cannot be read as JSON: {error}") from error
    if not isinstance(body, dict):
        raise CaseError(f"the request {case.request_file} must be a JSON object")
    body = {"model": model, **body} if "model" not in body else dict(body)
    body.setdefault("stream", True)
    text = body.get("input")
    if isinstance(text, str):
        body["input"] = [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}]
    return body


def answer_of(case: Case) -> dict[str, Any]:
    """An `Answer` of stages/kit/rehearsal/play.py. Raises `CaseError`."""
    if case.answer_file is not None:
        try:
            return {"body": case.answer_file.read_text("utf-8")}
        except (OSError, ValueError) as error:
            raise CaseError(f"the answer {case.answer_file} cannot be read: {error}") from error
    if isinstance(case.script, Refusal):
        return _error(case.script)
    return {"parts": [part if isinstance(part, str) else _call(part) for part in case.script]}


def _call(call: Call) -> dict[str, Any]:
    kind = "function_call" if call.input is None else "custom_tool_call"
    value = json.dumps(call.arguments, ensure_ascii=False) if call.input is None else call.input
    return {"kind": kind, "name": call.call, "value": value, "namespace": call.namespace}


def _error(refusal: Refusal) -> dict[str, Any]:
    kind = "invalid_request_error" if refusal.status < 500 else "server_error"
    error = {"message": refusal.message, "type": kind, "code": refusal.code, "param": None}
    after = {} if refusal.retry_after is None else {"retry-after": f"{refusal.retry_after:g}"}
    return {"status": refusal.status, "headers": after, "body": json.dumps({"error": error}, ensure_ascii=False)}


def _bodies(sources: Sources, cases: Sequence[Case]) -> tuple[dict[int, Body], dict[int, str]]:
    """What is sent for each case, by its place, and why there is nothing to send for others."""
    model = plan.slugs(sources.workers)[0]
    bodies: dict[int, Body] = {}
    unusable: dict[int, str] = {}
    for case in cases:
        try:
            answer_of(case)
            bodies[case.place] = request_of(case, model)
        except CaseError as error:
            unusable[case.place] = str(error)
    return bodies, unusable


def _scenes(
    sources: Sources,
    cases: Sequence[Case],
    bodies: Mapping[int, Body],
    environ: Mapping[str, str],
    folder: Path,
    offered: Sequence[Offered],
    cwd: Path,
) -> list[dict[str, Any]]:
    groups: dict[tuple[str, ...], list[Case]] = {}
    for case in cases:
        groups.setdefault(case.through, []).append(case)
    found = []
    for number, (through, group) in enumerate(groups.items()):
        own = folder / str(number)
        own.mkdir(mode=0o700)
        asks = [
            {
                "number": case.place,
                "body": json.dumps(bodies[case.place], ensure_ascii=False),
                "headers": case.headers,
                "answer": answer_of(case),
            }
            for case in group
        ]
        found.append(scenes.stage(sources, through, environ, own, offered).scene(asks, cwd))
    return found


def _verdict(sources: Sources, case: Case, error: str | None) -> Verdict:
    return Verdict(name=case.name, at=_at(sources, ("test", case.place)), through=case.through, error=error)


def _at(sources: Sources, path: tuple[str | int, ...]) -> str:
    problem = sources.pipeline.problem(path, "")
    return f"{problem.path}:{problem.line}"


def _by_place(cases: Sequence[Case], place: int) -> Case:
    return next(case for case in cases if case.place == place)
