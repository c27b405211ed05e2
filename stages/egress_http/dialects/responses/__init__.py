"""The responses dialect: upstreams that speak Responses themselves. What they can take goes through as it came."""

from __future__ import annotations

from typing import Any

from ....contract.errors import Failure
from ....contract.events import ResponseBuilder
from .. import provider_errors
from ..base import Prepared, Target
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
