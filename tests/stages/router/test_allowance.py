"""Limits at work: who is left out, what is refused, and what an answer that goes by has used."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from codex_shim.stages.contract import spent
from codex_shim.stages.contract.errors import HopError
from codex_shim.stages.contract.price import Price
from codex_shim.stages.contract.spent import Item
from codex_shim.stages.router.allowance import Allowance
from codex_shim.stages.router.config import Config, Limit

DAY = "2026-11-21"
PRICES = {"dear": Price(input=1_000_000, output=0), "other": Price(input=1, output=1)}
ANSWER = b'data: {"type":"response.completed","response":{"usage":{"input_tokens":2,"output_tokens":1}}}\n\n'


def allowance(*limits: Limit, spent_file: str = "") -> Allowance:
    return Allowance(Config(limits=list(limits), prices=PRICES, spent=spent_file), lambda: 0.0, lambda: DAY)


def exchange() -> Any:
    return SimpleNamespace(heard=None, bytes_in=400)


def answer(allowed: Allowance, slug: str) -> None:
    asked = exchange()
    with allowed.counting(asked, ""):
        allowed.begin(asked, slug, "")
        asked.heard(ANSWER)


def open_to(allowed: Allowance, *slugs: str) -> list[str]:
    return asyncio.run(allowed.open_to(slugs, ""))


def test_a_member_that_a_limit_stands_against_is_left_out_and_the_rest_go_on() -> None:
    allowed = allowance(Limit(models=["dear"], dollars_per_day=2.0), Limit(requests_per_minute=3))
    assert open_to(allowed, "dear", "other") == ["dear", "other"]
    answer(allowed, "dear")
    assert open_to(allowed, "dear", "other") == ["other"]
    with pytest.raises(HopError) as caught:
        open_to(allowed, "dear")
    assert caught.value.failure.status == 402
    answer(allowed, "other")
    answer(allowed, "other")
    with pytest.raises(HopError) as caught:
        open_to(allowed, "dear", "other")
    assert (caught.value.failure.status, caught.value.failure.retry_after) == (429, 60.0), "what ends soonest is told"


def test_what_was_spent_before_is_read_from_the_file(tmp_path: Path) -> None:
    file = tmp_path / "spent.json"
    allowed = allowance(Limit(dollars_per_day=2.0), spent_file=str(file))
    assert open_to(allowed, "dear") == ["dear"], "there is no file before something was used"
    file.write_bytes(spent.encode(DAY, [Item("dear", "", 2.5)]))
    with pytest.raises(HopError, match=r"spent \(\$2\.50\)"):
        open_to(allowed, "dear")


def test_without_limits_nothing_of_an_answer_is_looked_at() -> None:
    allowed, asked = allowance(), exchange()
    with allowed.counting(asked, ""):
        allowed.begin(asked, "dear", "")
        assert asked.heard is None
    assert open_to(allowed, "dear") == ["dear"]
