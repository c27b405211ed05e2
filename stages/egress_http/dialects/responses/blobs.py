"""`encrypted_content` of reasoning: whoever made it can read it, everybody else refuses the request that holds it.

OpenAI's goes to the client as it is, so that the same history also fits OpenAI's service without us. That of any other service is
put into our envelope with the name of its host, and comes out again only for that host and model.
"""

from __future__ import annotations

from typing import Any

from ....contract.envelope import Envelope, is_ours, seal, unseal
from ..base import Target
from .service import Service

KIND = "responses"


class Blobs:
    """Seals what comes from one upstream, restores what goes to it."""

    def __init__(self, target: Target, service: Service) -> None:
        self._target = target
        self._service = service

    def concern(self, data: bytes) -> bool:
        """Whether there may be something to seal in an event."""
        return not self._service.openai and b'"encrypted_content"' in data

    def seal(self, item: Any) -> None:
        """In place."""
        blob = item.get("encrypted_content") if isinstance(item, dict) and item.get("type") == "reasoning" else None
        if isinstance(blob, str) and blob and not self._service.openai:
            envelope = Envelope(kind=KIND, provider=self._target.host, model=self._target.model, data=blob)
            item["encrypted_content"] = seal(envelope)

    def restore(self, item: dict[str, Any], *, stored: bool) -> dict[str, Any] | None:
        """The item as this upstream can take it, None where it cannot. `stored` says that it may know the item by its id."""
        blob = item.get("encrypted_content")
        if not blob:
            return item if stored or (item.get("content") and not self._service.openai) else None
        if self._service.openai:
            return None if is_ours(blob) else item
        envelope = unseal(blob)
        if envelope is None or (envelope.kind, envelope.provider, envelope.model) != (KIND, self._target.host, self._target.model):
            return None
        return {**item, "encrypted_content": envelope.data}
