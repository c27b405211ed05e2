"""What is looked at: one home with its options and an environment. What several checks need is read once, when one asks for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any

import msgspec
from codex_shim.stages.contract.advertised import Subscription

from ..control import Connection, NotRunningError
from ..home import Home
from ..logins import cursor
from ..logins.state import LoginState
from ..sources import Options
from .settings_read import Settings, read

CONTROL_SECONDS = 2.0


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """A chain that holds the lock of the home. `answered` is false where its control socket does not; `since` is when it
    has read its files, in seconds since the epoch; `stages` are `StageStatus` as builtins, `logins` what it knows of each
    subscription's."""

    answered: bool
    since: float
    pid: int | None = None
    url: str = ""
    chain: list[str] = []
    stages: list[dict[str, Any]] = []
    logins: dict[Subscription, LoginState] = {}


class Subject:
    """`environ` is the user's own environment; `os.environ` is not asked elsewhere, so that tests can bring theirs. `progress` is
    told of what may take seconds, before it begins."""

    def __init__(
        self, options: Options, environ: Mapping[str, str], progress: Callable[[str], None] = lambda sentence: None
    ) -> None:
        self.options = options
        self.environ = environ
        self.home = Home(options.home)
        self._progress = progress
        self._asking_cursor = Lock()
        self._cursor: LoginState | None = None

    @cached_property
    def settings(self) -> Settings:
        return read(self.options, self.environ)

    @cached_property
    def running(self) -> Running | None:
        answer: dict[str, Any] = {}
        try:
            answer = Connection(self.home.control, CONTROL_SECONDS).ask_once("status")
        except NotRunningError:
            return None
        except (OSError, ValueError):
            pass  # it is there, and does not answer
        since = self.home.control.stat().st_mtime
        if not answer.get("ok"):
            return Running(answered=False, since=since)
        told = {name: answer[name] for name in ("pid", "url", "chain", "stages", "logins") if name in answer}
        return msgspec.convert({**told, "answered": True, "since": told.get("read_at", since)}, Running)

    @property
    def base_url(self) -> str | None:
        """Where Codex should connect: where the chain is, else where pipeline.toml would have it."""
        if self.running and self.running.url:
            return self.running.url
        pipeline = self.settings.pipeline
        return f"http://{pipeline.settings.listen}/v1" if pipeline else None

    def cursor_login(self, binary: Path) -> LoginState:
        """Asked once: it may take seconds, and several checks want to know."""
        with self._asking_cursor:
            if self._cursor is None:
                self._progress("Asking cursor-agent whether it is logged in …")
                self._cursor = cursor.probe(binary, self.environ)
            return self._cursor
