"""The messages dialect: the Anthropic Messages API, and servers that speak it too."""

from __future__ import annotations

from typing import Any

from ....contract.errors import Failure
from ....contract.events import ResponseBuilder
from ..base import Prepared, Target
from ..ids import CallIds
from . import errors
from .request import translate
from .stream import MessagesStream


class MessagesDialect:
    """See `Dialect`. The base URL ends in `/v1`."""

    def prepare(self, body: dict[str, Any], target: Target, builder: ResponseBuilder, *, raw: bytes = b"") -> Prepared:
        request = translate(body, target)
        ids = CallIds(request.call_ids, request.payload["messages"])
        stream = MessagesStream(builder, request.tools, ids, target)
        return Prepared(path="/messages", payload=request.payload, translator=stream, notes=request.notes, headers=request.headers)

    def read_error(self, status: int, body: bytes, retry_after: str | None) -> Failure:
        return errors.read_answer(status, body, retry_after)
