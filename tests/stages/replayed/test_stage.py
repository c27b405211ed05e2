"""The recorded upstream as a stage: what it says, and when."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from codex_shim.stages.contract.errors import HopError
from codex_shim.stages.contract.handshake import Handshake
from codex_shim.stages.kit.logs import Log
from codex_shim.stages.kit.stage import Context
from codex_shim.stages.replayed.config import Config, Recorded
from codex_shim.stages.replayed.stage import Replayed


class FakeExchange:
    """As much of an exchange as the stage touches, with the moments it wrote at."""

    path = "/v1/responses"

    def __init__(self, said: str) -> None:
        self.notes: dict[str, Any] = {}
        self.head: tuple[int, dict[str, str]] = (0, {})
        self.written: list[tuple[float, bytes]] = []
        self.end_of_it = ""
        self._body = json.dumps({"model": "m", "input": said}).encode()

    async def body(self) -> bytes:
        return self._body

    async def start(self, status: int, headers: dict[str, str]) -> None:
        self.head = status, headers

    async def write(self, chunk: bytes) -> None:
        self.written.append((asyncio.get_running_loop().time(), chunk))

    async def end(self) -> None:
        self.end_of_it = "end"

    def abort(self) -> None:
        self.end_of_it = "cut"


def recorded(said: str, *pieces: tuple[float, str], whole: bool = True, headers: dict[str, str] | None = None) -> Recorded:
    body = json.dumps({"model": "other", "input": said})
    return Recorded(path=FakeExchange.path, body=body, status=200, headers=headers or {}, pieces=list(pieces), whole=whole)


def stage(*exchanges: Recorded, pace: bool = False) -> Replayed:
    config = Config(exchanges=list(exchanges), pace=pace)
    return Replayed(Context(Handshake(stage="replayed", host="127.0.0.1", port=1), config, Log("replayed")))


def asked(upstream: Replayed, said: str) -> FakeExchange:
    exchange = FakeExchange(said)
    asyncio.run(upstream.responses(exchange))  # pyright: ignore[reportArgumentType]  # as much of one as it needs
    return exchange


def test_each_conversation_gets_its_answer_with_what_of_the_head_belongs_to_it() -> None:
    headers = {
        "content-type": "text/event-stream",
        "x-limit": "9",
        "x-request-id": "old",
        "set-cookie": "[REDACTED]",
        "x-key": "[REDACTED]",
    }
    upstream = stage(recorded("one", (0, "1")), recorded("two", (0, "é"), (9, "2"), headers=headers))
    answer = asked(upstream, "two")
    assert [chunk.decode() for _, chunk in answer.written] == ["é", "2"]
    assert answer.head == (200, {"content-type": "text/event-stream", "x-limit": "9"})
    assert (answer.end_of_it, answer.notes) == ("end", {"model": "m", "recorded": 2, "matched": "conversation"})


def test_what_was_cut_off_is_cut_off_again() -> None:
    assert asked(stage(recorded("one", (0, "1"), whole=False)), "one").end_of_it == "cut"


def test_nothing_is_made_up_where_the_recording_ends() -> None:
    upstream = stage(recorded("one"))
    assert asked(upstream, "another").notes["matched"] == "order"
    with pytest.raises(HopError) as refused:
        asked(upstream, "and another")
    assert "all of its answers (1) were played already" in refused.value.failure.message
    assert refused.value.failure.status == 400


def test_at_the_recorded_pace_no_piece_comes_sooner_than_it_did() -> None:
    paced = asked(stage(recorded("one", (0, "1"), (60, "2")), pace=True), "one")
    (first, _), (second, _) = paced.written
    assert second - first >= 0.05, "a limit from below: a busy machine only makes it longer"
