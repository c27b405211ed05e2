"""The ChatGPT login as a credential: the one that a request brought along, else the one that Codex keeps in its file.

Both are read when a request is sent, so that a login, a logout and a token that Codex has refreshed need no restart. Nothing is
refreshed here: that is for Codex, to which the file belongs.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec

from ..contract import foreign_file
from ..contract.errors import LOGIN_REFUSED, Failure, HopError, refuse
from ..contract.headers import ACCOUNT, USER_LOGIN
from ..contract.login import MOST_BYTES, REMEDY, Login, LoginError, read_file
from ..contract.sealed import open_sealed
from .config import LoginFile
from .credentials import Proof
from .dialects.responses import plan

# Codex writes its file in place, so that a reader may come upon one half of it.
_ATTEMPTS = 3
_PAUSE_SECONDS = 0.05


class UsersLogin:
    """See `Credential`."""

    remedy = REMEDY
    lost = "see whether a proxy stands in between, or try again later"

    def __init__(self, file: LoginFile) -> None:
        self._path = Path(file.path)
        self._seal_key = file.seal_key

    async def prove(self, request: Mapping[str, str]) -> Proof:
        login = await asyncio.to_thread(self._find, request.get(USER_LOGIN))
        if (why := login.why_unusable(time.time())) is not None:
            raise _refused(why)
        token = login.access_token.reveal()
        account = {ACCOUNT: login.account_id} if login.account_id else {}
        return Proof({"authorization": f"Bearer {token}", **account}, [token])

    def explain(self, failure: Failure, body: bytes, headers: Mapping[str, str]) -> Failure:
        if failure.status == 401:
            return msgspec.structs.replace(failure, code=LOGIN_REFUSED)
        return plan.explain(failure, plan.error_in(body), headers, time.time())

    def _find(self, brought: str | None) -> Login:
        """In a thread: it opens files, and may load a library."""
        if brought is None:
            return self._from_file()
        login = open_sealed(self._seal_key, brought)
        if login is None:
            raise _refused(
                "the ChatGPT login that came with this request cannot be read any more: a stage has kept the request for too long, "
                "or sent it to another chain; ask again"
            )
        return login

    def _from_file(self) -> Login:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return read_file(foreign_file.read(self._path, MOST_BYTES))
            except FileNotFoundError as error:
                raise _refused(f"Codex is not logged in with ChatGPT; {REMEDY}") from error
            except OSError as error:
                raise _refused(f"Codex's auth.json cannot be read ({error.strerror}); see who owns it, or {REMEDY}") from error
            except LoginError as error:
                if attempt == _ATTEMPTS:
                    raise _refused(str(error)) from error
            time.sleep(_PAUSE_SECONDS)
        raise AssertionError("the last attempt returns or raises")


def _refused(sentence: str) -> HopError:
    return refuse(sentence, status=401, code=LOGIN_REFUSED)
