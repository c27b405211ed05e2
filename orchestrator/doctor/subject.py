"""What is looked at: one home with its options and an environment. What several checks need is read once, when one asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import msgspec

from ..control import Connection, NotRunningError
from ..home import Home
from ..sources import Options
from .settings_read import Settings, read

CONTROL_SECONDS = 2.0


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """A chain that holds the lock of the home. `answered` is false where its control socket does not; `since` is when it was
    started, in seconds since the epoch; `stages` are `StageStatus` as builtins."""

    answered: bool
    since: float
    pid: int | None = None
    url: str = ""
    chain: list[str] = []
    stages: list[dict[str, Any]] = []


class Subject:
    """`environ` is the user's own environment. `os.environ` is not asked elsewhere, so that tests can bring theirs."""

    def __init__(self, options: Options, environ: Mapping[str, str]) -> None:
        self.options = options
        self.environ = environ
        self.home = Home(options.home)

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
        return Running(answered=True, since=since, **{name: answer[name] for name in ("pid", "url", "chain", "stages")})

    @property
    def base_url(self) -> str | None:
        """Where Codex should connect: where the chain is, else where pipeline.toml would have it."""
        if self.running and self.running.url:
            return self.running.url
        pipeline = self.settings.pipeline
        return f"http://{pipeline.settings.listen}/v1" if pipeline else None
