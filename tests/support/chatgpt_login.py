"""Made-up ChatGPT logins as Codex keeps them: tokens that look like JWTs, and the auth.json around them.

    write_auth(codex_home, login())                     # usable for an hour
    write_auth(codex_home, login(seconds=-1))           # expired

Each token ends in MARK, so that a search finds it wherever it should not be (marked.py).
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import marked

MARK = marked.key("login", "chatgpt-")

_AUTH_CLAIM = "https://api.openai.com/auth"


class Login(NamedTuple):
    """`expires_at` is in seconds since the epoch."""

    access_token: str
    id_token: str
    refresh_token: str
    account_id: str
    expires_at: int


def login(account_id: str = "account-1", *, seconds: float = 3600, plan: str = "plus") -> Login:
    """A login that expires `seconds` from now. No two have the same tokens."""
    expires = int(time.time() + seconds)
    account = {"chatgpt_account_id": account_id, "chatgpt_plan_type": plan, "chatgpt_user_id": "user-1"}
    claims = {"exp": expires, "iat": int(time.time()) - 10, _AUTH_CLAIM: account}
    named = {**claims, "email": "someone@example.com", "email_verified": True}
    return Login(_jwt(claims), _jwt(named), f"rt_{secrets.token_hex(4)}-{MARK}", account_id, expires)


def claims_of(token: str) -> dict[str, Any]:
    """The claims of a token that `login` made; empty for any other text."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    return json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))


def account_of(claims: dict[str, Any]) -> str:
    return claims[_AUTH_CLAIM]["chatgpt_account_id"]


def write_auth(codex_home: Path, made: Login) -> Path:
    """auth.json of a login with ChatGPT."""
    tokens = {
        "id_token": made.id_token,
        "access_token": made.access_token,
        "refresh_token": made.refresh_token,
        "account_id": made.account_id,
    }
    # Codex would refresh a login of long ago by itself.
    refreshed = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    return _write(codex_home, {"auth_mode": "chatgpt", "OPENAI_API_KEY": None, "tokens": tokens, "last_refresh": refreshed})


def write_api_key_auth(codex_home: Path) -> Path:
    """auth.json of a login with an API key, which is no subscription."""
    return _write(codex_home, {"auth_mode": "apikey", "OPENAI_API_KEY": f"sk-{MARK}"})


def _write(codex_home: Path, content: dict[str, Any]) -> Path:
    """For its owner alone, and at once: somebody may be reading it."""
    codex_home.mkdir(parents=True, exist_ok=True)
    path, new = codex_home / "auth.json", codex_home / "auth.json.new"
    new.touch(0o600)
    new.write_text(json.dumps(content))
    os.replace(new, path)
    return path


def _jwt(claims: dict[str, Any]) -> str:
    return f"{_part({'alg': 'RS256', 'typ': 'JWT'})}.{_part(claims)}.{secrets.token_hex(8)}-{MARK}"


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
