"""The login that Codex keeps in `auth.json`, as far as a passthrough needs it. Pure. Verifying is the service's business.

Codex owns the file. It refreshes the tokens, and refresh tokens rotate: a second program that did so would log the user out.
So an expired token is only told of, and `codex login` is the remedy.
"""

from __future__ import annotations

import base64
from typing import Any

import msgspec

from .body import UNREADABLE
from .moments import utc
from .secret import Secret

REMEDY = "run `codex login`"
# Of auth.json. A login takes some kilobytes.
MOST_BYTES = 1024 * 1024


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """`expires_at` is in seconds since the epoch, None where the token does not say."""

    access_token: Secret
    account_id: str
    expires_at: float | None

    def why_unusable(self, now: float) -> str | None:
        """A sentence that names the remedy; None for a token that can be sent."""
        if self.expires_at is not None and self.expires_at <= now:
            return f"the ChatGPT login has expired{_since(self.expires_at)}; {REMEDY}"
        return None


class LoginError(Exception):
    """There is no ChatGPT login. The message is a sentence that names the remedy and quotes nothing."""


class _Tokens(msgspec.Struct):
    access_token: str | None = None
    account_id: str | None = None


class _AuthFile(msgspec.Struct, rename={"api_key": "OPENAI_API_KEY"}):
    tokens: _Tokens | None = None
    api_key: str | None = None


def read_file(content: bytes) -> Login:
    """What `auth.json` holds. Raises `LoginError`."""
    try:
        found = msgspec.json.decode(content, type=_AuthFile)
    except UNREADABLE:
        raise LoginError(f"Codex's auth.json cannot be read; {REMEDY}") from None
    if found.tokens is None or not found.tokens.access_token:
        instead = ", but with an API key" if found.api_key else ""
        raise LoginError(f"Codex is not logged in with ChatGPT{instead}; {REMEDY}")
    login = from_token(found.tokens.access_token, found.tokens.account_id or "")
    if not (_fits_a_header(found.tokens.access_token) and _fits_a_header(login.account_id)):
        raise LoginError(f"Codex's auth.json holds something that is no token; {REMEDY}")
    return login


def from_token(token: str, account_id: str = "") -> Login:
    """A token as it is sent. Its account counts where none is given beside it."""
    claims = _claims(token)
    auth = claims.get("https://api.openai.com/auth")
    inside = auth.get("chatgpt_account_id") if isinstance(auth, dict) else None
    return Login(
        access_token=Secret(token),
        account_id=account_id or (inside if isinstance(inside, str) else ""),
        expires_at=_seconds(claims.get("exp")),
    )


def _claims(token: str) -> dict[str, Any]:
    """The middle part of a JWT; empty for any other kind of token."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        decoded = msgspec.json.decode(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):  # of base64, of text and of JSON
        return {}
    return decoded if isinstance(decoded, dict) else {}


def _fits_a_header(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text


def _seconds(value: Any) -> float | None:
    """A number of JSON may be larger than any float."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def _since(expired_at: float) -> str:
    moment = utc(expired_at)
    return f" ({moment})" if moment else ""
