"""Asking a running chain once more what was recorded: the client side of a replay."""

from __future__ import annotations

import secrets

import msgspec
from codex_shim.stages.contract.body import Document
from codex_shim.stages.contract.headers import HOP_BY_HOP, REQUEST_ID, REWRITTEN, TRACEPARENT
from codex_shim.stages.contract.secret import REDACTED

from ..trial.answer import Answer
from ..trial.ask import post
from .crossing import Crossing

_OF_THAT_RUN = HOP_BY_HOP | REWRITTEN | {"authorization", REQUEST_ID, TRACEPARENT}


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """`origin` is where ingress listens, without a path; `model` takes the place of the recorded one where it is given."""

    origin: str
    token: str
    model: str | None
    seconds: float


def play(crossing: Crossing, target: Target) -> Answer:
    """What the chain answers today. The request has an id of its own."""
    url = target.origin + crossing.path
    return post(
        url, target.token, _body(crossing, target.model), f"replay-{secrets.token_hex(8)}", target.seconds, _headers(crossing)
    )


def _body(crossing: Crossing, model: str | None) -> bytes:
    raw = (crossing.body or "").encode()
    if model is None:
        return raw
    document = Document.parse(raw)
    document.set("model", model)
    return document.encode()


def _headers(crossing: Crossing) -> dict[str, str]:
    """What the client said of itself and of its session. What was masked cannot be said again."""
    return {
        name: value
        for name, value in crossing.headers.items()
        if name not in _OF_THAT_RUN and REDACTED not in value and value.isascii()
    }
