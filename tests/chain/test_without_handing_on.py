"""The chain as on Windows: each stage is a new interpreter, no socket is handed to it. The orchestrator is this process."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from codex_shim.orchestrator import chain, sockets
from codex_shim.orchestrator.control import Connection
from codex_shim.orchestrator.launch import options_from
from codex_shim.orchestrator.running import keeper, starter
from custom_stages import INGRESS, ROUTER
from running_chain import bare_environment, write_files
from waiting import PATIENCE


def test_a_chain_comes_up_and_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "can_fork", lambda: False)
    for module in (sockets, starter, keeper):
        monkeypatch.setattr(module, "can_hand_on_sockets", lambda: False)
    home = tmp_path / "shim"
    file = write_files(home, None, f"[[stage]]\n{INGRESS}\n\n[[stage]]\n{ROUTER}\n")
    options = options_from(home, home / "models.json", file, 0)
    told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    asked = Connection(home / "run" / "control.json")

    async def live() -> dict[str, Any]:
        running = asyncio.create_task(chain.Chain(options, told.put_nowait, bare_environment(tmp_path / "user")).run())
        try:
            while (message := await asyncio.wait_for(told.get(), 4 * PATIENCE))["event"] not in ("ready", "failed"):
                pass
            assert message["event"] == "ready", message
            health = message["url"].removesuffix("/v1") + "/health"
            assert json.loads(await asyncio.to_thread(lambda: urllib.request.urlopen(health).read()))
            return await asyncio.to_thread(lambda: asked.ask_once("status"))
        finally:
            await asyncio.to_thread(lambda: asked.ask_once("down"))
            assert await running == 0

    stages = asyncio.run(live())["stages"]
    assert {stage["name"]: stage["state"] for stage in stages} == dict.fromkeys(
        ("ingress", "router", "demo", "chatgpt", "desk"), "ready"
    ), "nobody can listen in the place of a stage that sleeps, so none does"
