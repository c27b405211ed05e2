"""A login on its way through the chain, closed for every stage but the one that spends it (docs/decisions/0010).

Ingress and the ChatGPT egress share the key of this run. The library is loaded with the first login that comes: most chains never
see one. Loading takes some milliseconds, so both functions are for a thread.
"""

from __future__ import annotations

import base64
import os

import msgspec

from .login import Login, from_token

# Longer than any stage needs to send a request on; what is found later in a recording is of no use to anybody.
LIFETIME_SECONDS = 600


def new_key() -> str:
    """A key for one run of the chain."""
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


def seal(key: str, login: Login) -> str:
    """A header value that only `open_sealed` with the same key can read."""
    from cryptography.fernet import Fernet

    return Fernet(key).encrypt(msgspec.json.encode([login.access_token.reveal(), login.account_id])).decode()


def open_sealed(key: str, text: str) -> Login | None:
    """None for what another key or nobody has sealed, and for a seal that is older than `LIFETIME_SECONDS`."""
    from cryptography.fernet import Fernet, InvalidToken

    try:
        token, account_id = msgspec.json.decode(Fernet(key).decrypt(text, ttl=LIFETIME_SECONDS), type=tuple[str, str])
    except (InvalidToken, ValueError):  # `ValueError`: a key that is none, or content that is not ours
        return None
    return from_token(token, account_id)
