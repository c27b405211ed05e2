"""The login that Codex keeps in `auth.json`, as far as a passthrough needs it. Pure. Verifying is the service's business.

Codex owns the file. It refreshes the tokens, and refresh tokens rotate: a second program that did so would log the user out.
So an expired token is only told of, and `codex login` is the remedy.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

import msgspec

from .secret import Secret

REMEDY = "run `codex login`"


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """`expires_at` is in seconds since the epoch, None where the token does not say."""

    access_token: Secret
    account_id: str
    expires_at: float | None

    def why_unusable(self, now: float) -> str | None:
        """A sentence that names the remedy; None for a token that can be sent."""
        if self.expires_at is not None and self.expires_at <= now:
            return f"the ChatGPT login has expired; {REMEDY}"
        return None


class LoginError(Exception):
    """There is no ChatGPT login. The message is a sentence that names the remedy and quotes nothing."""


class _Tokens(msgspec.Struct):
    access_token: str | None = None
    account_id: str | None = None


class _AuthFile(msgspec.Struct):
    tokens: _Tokens | None = None


def read_file(content: bytes) -> Login:
    """What `auth.json` holds. Raises `LoginError`."""
    try:
        tokens = msgspec.json.decode(content, type=_AuthFile).tokens
    except (msgspec.DecodeError, msgspec.ValidationError):
        raise LoginError(f"Codex's auth.json cannot be read; {REMEDY}") from None
    if tokens is None or not tokens.access_token:
        raise LoginError(f"Codex is not logged in with ChatGPT; {REMEDY}")
    return from_token(tokens.access_token, tokens.account_id or "")


def from_token(token: str, account_id: str = "") -> Login:
    """A token as it is sent. Its account counts where none is given beside it."""
    claims = _claims(token)
    auth = claims.get("https://api.openai.com/auth")
    inside = auth.get("chatgpt_account_id") if isinstance(auth, dict) else None
    expires = claims.get("exp")
    return Login(
        access_token=Secret(token),
        account_id=account_id or (inside if isinstance(inside, str) else ""),
        expires_at=float(expires) if isinstance(expires, int | float) and not isinstance(expires, bool) else None,
    )


def _claims(token: str) -> dict[str, Any]:
    """The middle part of a JWT; empty for any other kind of token."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        decoded = msgspec.json.decode(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError, msgspec.DecodeError):
        return {}
    return decoded if isinstance(decoded, dict) else {}
