"""The ChatGPT login, which Codex keeps in `auth.json`. Read-only: Codex owns the file."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from codex_shim.stages.contract import foreign_file
from codex_shim.stages.contract.login import MOST_BYTES, REMEDY, LoginError, read_file

from ..codex import user_home
from .state import LoginState, is_on

SWITCH = "CODEX_SHIM_DISABLE_CHATGPT"


def disabled(environ: Mapping[str, str]) -> bool:
    return is_on(environ, SWITCH)


def auth_file(environ: Mapping[str, str]) -> Path:
    """Where the user's Codex keeps its login, whether it is there or not."""
    return user_home.find(environ) / "auth.json"


def check(path: Path, now: float) -> LoginState:
    """`now` in seconds since the epoch. The token is never asked about: only the service could tell more."""
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
