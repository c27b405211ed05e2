"""The chat dialect: OpenAI-shaped chat completions, as most providers and local servers speak them."""

from __future__ import annotations

from typing import Any

from ....contract.errors import Failure
from ....contract.events import ResponseBuilder
from .. import provider_errors
from ..base import Prepared, Target
from ..ids import CallIds
from .request import translate
from .stream import ChatStream


class ChatDialect:
    """See `Dialect`."""

    def prepare(self, body: dict[str, Any], target: Target, builder: ResponseBuilder, *, raw: bytes = b"") -> Prepared:
        request = translate(body, target)
        ids = CallIds(request.call_ids, request.payload["messages"])
        return Prepared(
            path="/chat/completions",
            payload=request.payload,
            headers=request.headers,
            translator=ChatStream(builder, request.tools, ids, target),
            notes=request.notes,
        )

    def read_error(self, status: int, body: bytes, retry_after: str | None) -> Failure:
        return provider_errors.read_answer(status, body, retry_after)
