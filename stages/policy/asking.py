"""What a service of the user's is asked about a request, and what it may answer. Pure.

It gets `{"model", "project", "request"}` by POST, the last being the whole request. It answers with a JSON object that has one of

    {"allow": true}                 the request goes on
    {"deny": "a sentence"}          it is refused, and the user is shown the sentence
    {"request": {…}}                it goes on as this
    {"route": "slug"}               it goes on to this model
"""

from __future__ import annotations

from typing import Any

import msgspec

from ..contract.body import Document
from ..contract.errors import refuse
from .request import Request


class ReplyError(Exception):
    """The service did not answer in the way above. The message says how it did."""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What the service said."""

    allow: bool = False
    deny: str | None = None
    request: dict[str, Any] | None = None
    route: str | None = None


def question(request: Request) -> bytes:
    asked = {"model": request.model, "project": request.project, "request": msgspec.Raw(request.document.encode())}
    return msgspec.json.encode(asked)


def read(status: int, body: bytes) -> Reply:
    """Raises `ReplyError`."""
    if status != 200:
        raise ReplyError(f"answered with status {status}")
    try:
        reply = msgspec.json.decode(body, type=Reply)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ReplyError("did not answer with one of allow, deny, request, route") from error
    if not (reply.allow or reply.deny or reply.request is not None or reply.route):
        raise ReplyError("answered with none of allow, deny, request, route")
    return reply


def obey(reply: Reply, request: Request) -> str | None:
    """Do what the service said; returns what there is to log. Raises `HopError` (403) where it denies."""
    if reply.deny:
        raise refuse(reply.deny, status=403)
    if reply.request is not None:
        request.document = Document.parse(msgspec.json.encode(reply.request))
        return "ask: the request was changed"
    if reply.route:
        request.document.set("model", reply.route)
        return f"ask: route {reply.route}"
    return None
