"""The ChatGPT login, which Codex keeps in `auth.json`. Read-only: Codex owns the file."""

from __future__ import annotations

import time
import tomllib
from collections.abc import Mapping
from pathlib import Path

from codex_shim.stages.contract import foreign_file
from codex_shim.stages.contract.login import MOST_BYTES, REMEDY, LoginError, read_file

from ..codex import user_home
from .state import LoginState, is_on

SWITCH = "CODEX_SHIM_DISABLE_CHATGPT"

_MOST_CONFIG_BYTES = 4 * 1024 * 1024
_FILE = 'set `cli_auth_credentials_store = "file"` in its config.toml and run `codex login`, or use the models by their slugs'
_KEYRING = (
    f"Codex keeps its login in the system's keyring, which is closed to the chain, so ChatGPT's models cannot be listed; {_FILE}"
)
_ELSEWHERE = {
    "keyring": _KEYRING,
    "auto": _KEYRING,
    "ephemeral": f"Codex keeps its login in memory alone, so ChatGPT's models cannot be listed; {_FILE}",
}


def disabled(environ: Mapping[str, str]) -> bool:
    return is_on(environ, SWITCH)


def auth_file(environ: Mapping[str, str]) -> Path:
    """Where the user's Codex keeps its login, whether it is there or not."""
    return user_home.find(environ) / "auth.json"


def check(path: Path, now: float) -> LoginState:
    """`now` in seconds since the epoch. The token is never asked about: only the service could tell more."""
    state = _check(path, now)
    store = None if state.usable or not state.certain else store_elsewhere(path.parent / "config.toml")
    return state if store is None else LoginState(usable=False, reason=_ELSEWHERE[store])


def store_elsewhere(config: Path) -> str | None:
    """What `cli_auth_credentials_store` of Codex's configuration says, where that is no file: `keyring`, `auto` (the keyring, where
    there is one), `ephemeral`. None as well where the configuration says nothing that Codex knows, or cannot be read."""
    try:
        settings = tomllib.loads(foreign_file.read(config, _MOST_CONFIG_BYTES).decode())
    except (OSError, ValueError, RecursionError):
        return None
    store = settings.get("cli_auth_credentials_store")
    return store if isinstance(store, str) and store in _ELSEWHERE else None


def _check(path: Path, now: float) -> LoginState:
    try:
        login = read_file(foreign_file.read(path, MOST_BYTES))
    except LoginError as error:
        return LoginState(usable=False, reason=str(error))
    except FileNotFoundError:
        return LoginState(usable=False, reason=f"Codex is not logged in with ChatGPT; {REMEDY}")
    except OSError as error:
        return LoginState(usable=False, reason=f"{path} cannot be read ({error.strerror}); see who owns it", certain=False)
    if why := login.why_unusable(now):
        return LoginState(usable=False, reason=why)
    return LoginState(usable=True, reason=f"Codex is logged in with ChatGPT{_validity(login.expires_at)}", until=login.expires_at)


def _validity(expires_at: float | None) -> str:
    if expires_at is None:
        return ""
    try:
        return time.strftime(" until %Y-%m-%d %H:%M UTC", time.gmtime(expires_at))
    except (ValueError, OverflowError, OSError):
        return ""  # a year that no calendar has
