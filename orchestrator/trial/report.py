"""What a trial has shown, for programs and, in sentences, for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from . import hop
from .answer import Answer
from .conversation import TOOL, is_whole

# The lines that each stage of a chain has logged for a request.
Lines = Callable[[str, list[str]], Mapping[str, hop.Record]]

_NAMES = ("tool call", "answer")
_SHOWN = 80


def report(slug: str, answers: Sequence[Answer], chain: list[str], lines: Lines) -> dict[str, Any]:
    """`ok`, `requests`, `checks` (each with a status: ok, warning, failed), `failure` and `remedy`. `lines` is asked only where a
    request has failed; `chain` are the stages in the order of a request."""
    last = answers[-1]
    failure = _failure(last, chain, lines)
    checks = _checks(answers)
    ok = failure is None and all(check["status"] != "failed" for check in checks)
    mend = failure.pop("remedy") if failure else None if ok else "choose a model that is made for calling tools"
    requests = [_request(name, answer) for name, answer in zip(_NAMES, answers, strict=False)]
    return {"model": slug, "ok": ok, "requests": requests, "checks": checks, "failure": failure, "remedy": mend}


def _request(name: str, answer: Answer) -> dict[str, Any]:
    usage = answer.usage or {}
    moments = {key: None if value is None else round(value, 4) for key, value in _moments(answer).items()}
    tokens = {key: usage.get(key) for key in ("input_tokens", "output_tokens", "total_tokens")}
    return {"request": name, "request_id": answer.request_id, **moments, **tokens}


def _moments(answer: Answer) -> dict[str, float | None]:
    return {"headers": answer.headers, "first_token": answer.first_token, "whole": answer.whole}


def _failure(answer: Answer, chain: list[str], lines: Lines) -> dict[str, Any] | None:
    trouble = answer.trouble
    if trouble is None:
        return None
    where = hop.failing(lines(answer.request_id, chain), chain)
    told = {"hop": where, "code": trouble.code, "message": trouble.message, "request_id": answer.request_id}
    return {**told, "remedy": hop.remedy(trouble, where, chain)}


def _checks(answers: Sequence[Answer]) -> list[dict[str, str]]:
    """Of what came back; what a failure has kept from coming is no fault of the model's."""
    first, last = answers[0], answers[-1]
    checks = [] if first.trouble else [_tool(first)]
    if last.trouble is None:
        asked_for_words = len(answers) > 1 or not first.calls
        checks += [*([_text(last)] if asked_for_words else []), _usage(last)]
    return checks


def _tool(answer: Answer) -> dict[str, str]:
    if any(is_whole(call) for call in answer.calls):
        return _check("ok", "the tool call came back whole")
    if answer.calls:
        return _check("failed", "a tool call came back, but not in a state that Codex could run it: wrong name or arguments")
    return _check("failed", f"the model was asked to call `{TOOL}` and called no tool, so Codex cannot work with it")


def _text(answer: Answer) -> dict[str, str]:
    if not answer.text.strip():
        return _check("failed", "no text came back")
    words = " ".join(answer.text.split())
    shown = words if len(words) <= _SHOWN else words[:_SHOWN] + "…"
    return _check("ok", f"text came in {answer.pieces} piece{'s' if answer.pieces != 1 else ''}: {shown}")


def _usage(answer: Answer) -> dict[str, str]:
    if answer.usage is None:
        return _check("warning", "usage was not told, so Codex has to guess when to compact a conversation")
    return _check("ok", "usage was told")


def _check(status: str, message: str) -> dict[str, str]:
    return {"status": status, "message": message}
