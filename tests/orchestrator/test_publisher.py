"""What others read of the logins is what was seen last."""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path
from typing import Any

import pytest
from codex_shim.orchestrator import publisher as module
from codex_shim.orchestrator.home import Home, private_folder, write_private
from codex_shim.orchestrator.logins.state import LoginState
from codex_shim.orchestrator.offering import Offering
from codex_shim.orchestrator.publisher import Publisher
from codex_shim.orchestrator.subscriptions import CHATGPT, CURSOR
from waiting import PATIENCE

IN, OUT = LoginState(usable=True, reason="in"), LoginState(usable=False, reason="out")


def test_a_login_that_comes_while_the_chain_starts_is_not_written_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home(tmp_path)
    private_folder(home.advertised.parent)
    writing, go_on = threading.Event(), threading.Event()
    told: list[dict[str, Any]] = []

    def write(path: Path, content: bytes) -> None:
        if path == home.subscription_catalog:
            writing.set()
            assert go_on.wait(PATIENCE)
        write_private(path, content)

    async def play() -> None:
        publisher = Publisher(
            home, Offering(slugs=[], entries=[{"slug": "demo"}], offered=[]), "http://127.0.0.1:1/v1", told.append
        )
        starting = asyncio.create_task(publisher.start({CHATGPT: OUT, CURSOR: OUT}, b'{"models":[]}'))
        await asyncio.to_thread(writing.wait, PATIENCE)
        coming = asyncio.create_task(publisher.changed({CHATGPT: IN, CURSOR: OUT}))
        await asyncio.sleep(0)
        go_on.set()
        await asyncio.gather(starting, coming)

    write_private(home.subscription_catalog, b'{"models":[]}')  # of an earlier run
    monkeypatch.setattr(module, "write_private", write)
    asyncio.run(play())
    assert json.loads(home.advertised.read_bytes())["chatgpt_passthrough"] is True
    assert [event["subscription"] for event in told if event["event"] == "login"] == [CHATGPT]
