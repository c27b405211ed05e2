"""The gemini dialect: Google's own API for its models, which keeps their thought signatures."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from ....contract.errors import Failure
from ....contract.events import ResponseBuilder
from ..base import Prepared, Target
from ..ids import CallIds
from . import errors
from .request import translate
from .signatures import Signatures
from .stream import GeminiStream


class GeminiDialect:
    """See `Dialect`. The base URL ends in the API's version, e.g. `/v1beta`."""

    def prepare(self, body: dict[str, Any], target: Target, builder: ResponseBuilder, *, raw: bytes = b"") -> Prepared:
        request = translate(body, target)
        ids = CallIds(request.call_ids, request.payload["contents"])
        stream = GeminiStream(builder, request.tools, ids, Signatures(target))
        model = quote(target.model.removeprefix("models/"), safe="")
        path = f"/models/{model}:streamGenerateContent?alt=sse"
        return Prepared(path=path, payload=request.payload, translator=stream, notes=request.notes)

    def read_error(self, status: int, body: bytes, retry_after: str | None) -> Failure:
        return errors.read_answer(status, body, retry_after)
