"""The responses dialect: upstreams that speak Responses themselves. What they can take goes through as it came.

The ChatGPT backend speaks it too, with rules of its own.
"""

from __future__ import annotations

from typing import Any

import msgspec

from ....contract.errors import Failure
from ....contract.events import ResponseBuilder
from .. import provider_errors
from ..base import UNVERIFIED, Outgoing, Prepared, Second, Target
from . import chatgpt
from .blobs import Blobs
from .request import translate
from .restore import Restorer
from .stream import NativeStream


class ResponsesDialect:
    """See `Dialect`."""

    def prepare(self, body: dict[str, Any], target: Target, builder: ResponseBuilder, *, raw: bytes = b"") -> Prepared:
        request = translate(body, raw, target)
        restorer = Restorer(request.tools) if request.tools else None
        stream = NativeStream(builder, restorer, Blobs(target, request.service))
        return Prepared(path="/responses", payload=request.payload, translator=stream, notes=request.notes, begins=True)

    def read_error(self, status: int, body: bytes, retry_after: str | None) -> Failure:
        return provider_errors.read_answer(status, body, retry_after)


class ChatGptDialect:
    """See `Dialect` and `NativeCompaction`."""

    def prepare(self, body: dict[str, Any], target: Target, builder: ResponseBuilder, *, raw: bytes = b"") -> Prepared:
        request = chatgpt.translate(body, raw, target)
        slug = body.get("model")
        renamed = slug if isinstance(slug, str) and slug != target.model else None
        return Prepared(
            path="/responses",
            payload=request.payload,
            translator=NativeStream(builder, None, Blobs(target, request.service), renamed),
            notes=request.notes,
            begins=True,
            second=_second(request.payload),
        )

    def prepare_compaction(self, body: dict[str, Any], target: Target, *, raw: bytes) -> Outgoing:
        request = chatgpt.translate_compaction(body, raw, target)
        accept = {"accept": "application/json"}
        second = _second(request.payload)
        return Outgoing(path="/responses/compact", payload=request.payload, notes=request.notes, headers=accept, second=second)

    def read_error(self, status: int, body: bytes, retry_after: str | None) -> Failure:
        failure = provider_errors.read_answer(status, body, retry_after)
        if status == 400 and (b"invalid_encrypted_content" in body or b"could not be verified" in body):
            return msgspec.structs.replace(failure, code=UNVERIFIED)
        return failure


def _second(payload: bytes) -> Second:
    return Second(note=chatgpt.LEFT_OUT, payload=lambda: chatgpt.without_reasoning(payload))
