"""Caps the reasoning effort that Codex asks for."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from codex_shim.stages.contract.body import Document
from codex_shim.stages.kit import Exchange, Stage, run

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max", "ultra")


class Config(msgspec.Struct, forbid_unknown_fields=True):
    """The stage's own table. What does not fit it is told in one sentence, and the chain does not start."""

    highest: Literal["low", "medium", "high"] = "medium"


class Thrift(Stage[Config]):
    config_type = Config

    async def responses(self, exchange: Exchange) -> None:
        document = Document.parse(await exchange.body())
        reasoning = document.get("reasoning", dict[str, Any]) or {}
        asked, highest = reasoning.get("effort"), self.context.config.highest
        if asked in EFFORTS and EFFORTS.index(asked) > EFFORTS.index(highest):
            document.set("reasoning", reasoning | {"effort": highest})  # the rest of the body stays the bytes it was
            exchange.notes["effort"] = f"{asked} → {highest}"  # for the log line of this request
        await self.context.next.relay(exchange, document.encode())


if __name__ == "__main__":
    run(Thrift)
