"""Usage beside a chain: written in the background, told once where that fails, and asked for."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from codex_shim.orchestrator.running.logbook import LogBook
from codex_shim.orchestrator.usage.answers import UsageAnswers
from codex_shim.orchestrator.usage.keeper import Keeper, day_of
from codex_shim.orchestrator.usage.store import Store, read
from codex_shim.stages.contract import spent
from codex_shim.stages.contract.price import Price
from request_lines import BEGAN, line

USAGE = {"input_tokens": 1_000_000, "output_tokens": 0}


class Kept:
    """A keeper, and all that it writes, in a folder."""

    def __init__(self, folder: Path) -> None:
        self.said: list[str] = []
        self.logs = LogBook(folder / "logs")
        self.path = folder / "usage.sqlite3"
        self.published = folder / "spent.json"
        prices = {"kimi": Price(input=2, output=4)}
        self.keeper = Keeper(Store(self.path, 9), self.logs, lambda: prices, self.published, self.said.append, lambda: BEGAN)

    def log(self, request_id: str) -> None:
        self.logs.add("ingress", "a line of another kind")
        self.logs.add("kimi", line(request_id, model="kimi", upstream="x", usage=USAGE))
        self.logs.add("router", line(request_id, model="kimi", project="/a"))

    async def close(self) -> None:
        await self.keeper.close()
        self.logs.close()


def test_what_is_logged_is_counted_published_and_answered(tmp_path: Path) -> None:
    async def scene() -> dict[str, Any]:
        kept = Kept(tmp_path)
        kept.log("one")
        kept.log("two")
        answers = UsageAnswers(kept.keeper, lambda: BEGAN)
        told = [message async for message in answers.handlers()["usage"]({})]
        kept.logs.add("kimi", line("three", model="kimi", upstream="x", usage=USAGE))
        await kept.close()
        assert kept.said == []
        return told[0]

    told = asyncio.run(scene())
    assert told["today"] == told["week"]
    assert told["today"]["total"] | {"failed": 0} == told["today"]["total"]
    assert told["today"]["models"][0]["slug"] == "kimi"
    assert (told["today"]["total"]["requests"], told["today"]["total"]["cost"]) == (2, "$4.00")
    today = day_of(BEGAN)
    assert [(row.project, row.counts.requests) for row in read(tmp_path / "usage.sqlite3", today)] == [("", 1), ("/a", 2)]
    published = spent.decode((tmp_path / "spent.json").read_bytes())
    assert (published.day, sum(item.dollars for item in published.items)) == (today, 6.0)


def test_a_file_that_cannot_be_used_is_told_once_and_nothing_is_lost(tmp_path: Path) -> None:
    async def scene() -> None:
        kept = Kept(tmp_path)
        kept.path.mkdir()
        for name in ("one", "two"):
            kept.log(name)
            await kept.keeper.settle()
        assert len(kept.said) == 1
        assert kept.said[0].startswith("usage is not kept: ")
        kept.path.rmdir()
        await kept.close()

    asyncio.run(scene())
    (row,) = read(tmp_path / "usage.sqlite3", day_of(BEGAN))
    assert row.counts.requests == 2


def test_a_chain_that_nobody_uses_writes_nothing(tmp_path: Path) -> None:
    async def scene() -> None:
        kept = Kept(tmp_path)
        await kept.keeper.settle()
        await kept.close()

    asyncio.run(scene())
    assert [path.name for path in tmp_path.iterdir()] == ["logs"]


def test_where_nothing_is_kept_the_answer_says_so() -> None:
    async def told() -> list[dict[str, Any]]:
        return [message async for message in UsageAnswers(None, lambda: BEGAN).handlers()["usage"]({})]

    assert "usage_days = 0" in asyncio.run(told())[0]["error"]
