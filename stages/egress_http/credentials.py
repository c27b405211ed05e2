"""How a request proves to a provider whose it is. A credential is a way to get headers; what language is spoken does not matter."""

from __future__ import annotations

from ..contract.secret import Secret


class ApiKey:
    """A key that the user holds, sent as a bearer token. Without one, nothing is sent: local servers ask for none."""

    def __init__(self, key: str | None) -> None:
        self._key = Secret(key) if key else None

    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self._key.reveal()}"} if self._key else {}
