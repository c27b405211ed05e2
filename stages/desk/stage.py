"""The desk: the picker page, and its questions to the orchestrator. Ingress relays these paths, and says who may call them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec

from ..contract.errors import refuse
from ..kit.exchange import Exchange
from ..kit.stage import Context, Route, Stage
from . import page
from .config import Config
from .control import Control

_LONGEST_ORDER = 64 * 1024
_PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"


class Order(msgspec.Struct):
    """The body of a switch. `restart_codex` is known from an earlier program; Codex is never ended from here."""

    slug: str
    restart_codex: bool = False


class Desk(Stage[Config]):
    config_type = Config

    def __init__(self, context: Context[Config]) -> None:
        super().__init__(context)
        self._control = Control(context.config.control)
        self._files: dict[str, tuple[bytes, dict[str, str]]] = {}

    async def open(self) -> None:
        self._files = await asyncio.to_thread(page.load, self.context.config.page_token)

    def routes(self) -> Mapping[tuple[str, str], Route]:
        return {
            ("GET", "/picker"): self._file,
            **{("GET", f"/picker/{name}"): self._file for name in page.TYPES},
            ("GET", "/api/models"): self._models,
            ("GET", "/api/chain"): self._chain,
            ("GET", "/api/usage"): self._usage,
            ("POST", "/api/switch"): self._switch,
            ("GET", "/metrics"): self._metrics,
        }

    async def _file(self, exchange: Exchange) -> None:
        body, headers = self._files[exchange.path]
        await exchange.reply(body, headers=headers)

    async def _models(self, exchange: Exchange) -> None:
        """A list of `{slug, display_name, provider, active, …}`, in Codex's order."""
        await self._tell(exchange, (await self._ask_quietly(exchange))["models"])

    async def _chain(self, exchange: Exchange) -> None:
        """`{url, stages, logins, codex}`."""
        told = await self._ask_quietly(exchange)
        await self._tell(exchange, {name: told[name] for name in ("url", "stages", "logins", "codex")})

    async def _usage(self, exchange: Exchange) -> None:
        """`{today, week}`, each `{total, models}` (orchestrator/usage/answers.py)."""
        exchange.quiet = True
        told = await self._control.ask("usage")
        await self._tell(exchange, {name: told[name] for name in ("today", "week")})

    async def _switch(self, exchange: Exchange) -> None:
        """`{slug}` → `{ok, restarted, model, next, trouble}`. `next` is what to type, `trouble` what is wrong with the user's own
        Codex, or null."""
        try:
            order = msgspec.json.decode(await exchange.body(_LONGEST_ORDER), type=Order)
        except msgspec.MsgspecError as error:
            raise refuse(f'the body of a switch is {{"slug": "NAME"}}: {error}') from error
        done = await self._control.ask("switch", slug=order.slug)
        exchange.notes["model"] = done["model"]
        told = {name: done[name] for name in ("model", "next", "trouble")}
        await self._tell(exchange, {"ok": True, "restarted": False, **told})

    async def _metrics(self, exchange: Exchange) -> None:
        """The counters of the run in Prometheus' text format."""
        exchange.quiet = True
        text = (await self._control.ask("metrics"))["text"]
        await exchange.reply(text.encode(), headers={"content-type": _PROMETHEUS})

    async def _ask_quietly(self, exchange: Exchange) -> dict[str, Any]:
        """An open page asks every other second."""
        exchange.quiet = True
        return await self._control.ask("desk")

    async def _tell(self, exchange: Exchange, value: Any) -> None:
        await exchange.reply(value, headers=page.HEADERS)
