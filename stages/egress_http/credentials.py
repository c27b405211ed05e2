"""How a request proves to a provider whose it is. A credential is a way to get headers; what language is spoken does not matter."""

from __future__ import annotations

from ..contract.secret import Secret


class ApiKey:
    """A key that the user holds. Without one, nothing is sent: local servers ask for none."""

    def __init__(self, key: str | None, header: str = "authorization") -> None:
        self._key = Secret(key) if key else None
        self._header = header

    def headers(self) -> dict[str, str]:
        if self._key is None:
            return {}
        key = self._key.reveal()
        return {self._header: f"Bearer {key}" if self._header == "authorization" else key}
