"""Keeps what others read in step with what is on offer: `/health` and the router read small files of the run, Codex its catalog."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

import msgspec
from codex_shim.stages.contract import advertised

from .codex import files
from .control import Message
from .home import Home, write_private
from .logins.ask import States
from .offering import Offering

T = TypeVar("T")


class Publisher:
    """`url` is where Codex connects; `report` hears of each file for Codex, and of each login that comes or goes."""

    def __init__(self, home: Home, offered: Offering, url: str, report: Callable[[Message], None]) -> None:
        self.offering = offered
        self._home = home
        self._url = url
        self._report = report
        self._usable: dict[str, bool] = {}
        self._one_at_a_time = asyncio.Lock()

    async def start(self, states: States, entries: bytes) -> None:
        """In a thread, while the stages start: all this is needed once the chain is ready. `entries` are the subscriptions'.
        They stay what they are until the files are read again: what Codex knows may change, the routes do not by themselves.

        A login that comes or goes meanwhile has to wait, or what is older would be written over it.
        """
        async with self._one_at_a_time:
            await asyncio.to_thread(write_private, self._home.subscription_catalog, entries)
            await self._write(states)
            self._tell(states, quietly=True)

    async def renew(self, offering: Offering, states: States, entries: bytes) -> None:
        """The chain serves other models now. Raises `OSError`."""
        async with self._one_at_a_time:
            self.offering = offering
            await asyncio.to_thread(write_private, self._home.subscription_catalog, entries)
            await self._write(states)
            self._tell(states)

    async def changed(self, states: States) -> None:
        """A login can be used, or no longer. Raises `OSError`."""
        async with self._one_at_a_time:
            await self._write(states)
            self._tell(states)

    async def undisturbed(self, work: Callable[[], T]) -> T:
        """The same files, written by somebody else in a thread while we keep our hands off them."""
        async with self._one_at_a_time:
            return await asyncio.to_thread(work)

    async def _write(self, states: States) -> None:
        for each in await asyncio.to_thread(self._write_files, states):
            self._report({"event": "wrote", "path": each.path, "change": each.change})

    def _write_files(self, states: States) -> list[files.Written]:
        offer = self.offering.advertised(states)
        write_private(self._home.advertised, advertised.encode(offer))
        found = self.offering.catalog(offer, self._home.subscription_catalog.read_bytes())
        return files.write(self._home, found, self._url, self._home.local_token(), choosable=self.offering.choosable)

    def _tell(self, states: States, *, quietly: bool = False) -> None:
        """At the start only of what is on offer; later of what has changed."""
        for name, state in states.items():
            if state.usable if quietly else state.usable != self._usable.get(name):
                self._report({"event": "login", "subscription": name, **msgspec.to_builtins(state)})
            self._usable[name] = state.usable
