"""How a request proves to a provider whose it is. A credential is a way to get headers; what language is spoken does not matter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import msgspec

from ..contract.errors import Failure
from ..contract.secret import Secret


class Proof(msgspec.Struct, frozen=True):
    """The headers of one request, and what in them is secret: errors are quoted without it."""

    headers: dict[str, str]
    secrets: list[str]

    def __repr__(self) -> str:
        return f"Proof({', '.join(self.headers)})"


class Credential(Protocol):
    """`remedy` is what its holder can do about a refusal, `lost` where to look when another service answers in the provider's
    place; both are the end of a sentence."""

    remedy: str
    lost: str

    async def prove(self, request: Mapping[str, str]) -> Proof:
        """For a request whose own headers, as they came to this hop, are `request`. Raises `HopError` (401) before anything is
        sent where there is nothing to send it with."""
        ...

    def explain(self, failure: Failure, body: bytes, headers: Mapping[str, str]) -> Failure:
        """A refusal in the words of whoever pays: the same failure where it has nothing to do with that."""
        ...


class ApiKey:
    """A key that the user holds. Without one, nothing is sent: local servers ask for none."""

    remedy = "check the key of this model in models.json, then `codex-shim restart`"
    lost = "check `base_url` in models.json"

    def __init__(self, key: str | None, header: str = "authorization") -> None:
        self._key = Secret(key) if key else None
        self._header = header

    async def prove(self, request: Mapping[str, str]) -> Proof:
        if self._key is None:
            return Proof({}, [])
        key = self._key.reveal()
        return Proof({self._header: f"Bearer {key}" if self._header == "authorization" else key}, [key])

    def explain(self, failure: Failure, body: bytes, headers: Mapping[str, str]) -> Failure:
        return failure
