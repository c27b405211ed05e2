"""Whole lines, in order, and never a wait for whoever reads them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import Iterator

import pytest
from codex_shim.stages.kit.logs import MOST_WAITING, Log
from waiting import PATIENCE


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    yield reader, writer
    os.close(reader)
    os.close(writer)


def drain_bytes(reader: int) -> bytes:
    pieces = []
    with contextlib.suppress(BlockingIOError):
        while piece := os.read(reader, 1 << 20):
            pieces.append(piece)
    return b"".join(pieces)


def drain(reader: int) -> list[dict]:
    return [json.loads(line) for line in drain_bytes(reader).splitlines()]


def test_an_event_is_one_line_at_once(pipe: tuple[int, int]) -> None:
    Log("policy", pipe[1]).event("ready", pid=7, nothing=None)
    [record] = drain(pipe[0])
    assert record.pop("ts") > 0
    assert record == {"stage": "policy", "event": "ready", "pid": 7}


def test_request_lines_wait_for_each_other_but_not_for_long(pipe: tuple[int, int]) -> None:
    async def play() -> None:
        log = Log("policy", pipe[1])
        for number in range(3):
            log.request(number=number)
        assert drain(pipe[0]) == []
        loop = asyncio.get_running_loop()
        readable = asyncio.Event()
        loop.add_reader(pipe[0], readable.set)
        async with asyncio.timeout(PATIENCE):
            await readable.wait()
        loop.remove_reader(pipe[0])
        assert [record["number"] for record in drain(pipe[0])] == [0, 1, 2]

    asyncio.run(play())


def test_an_event_takes_what_waits_with_it_in_order(pipe: tuple[int, int]) -> None:
    async def play() -> None:
        log = Log("policy", pipe[1])
        log.request(number=1)
        log.event("bug")
        assert [record["event"] for record in drain(pipe[0])] == ["request", "bug"]

    asyncio.run(play())


def test_a_full_pipe_drops_lines_counts_them_and_tears_none(pipe: tuple[int, int]) -> None:
    log = Log("policy", pipe[1])
    sent = 0
    while log._dropped < 100:
        log.event("flood", number=sent, padding="x" * 1000)
        sent += 1
    assert log._size <= MOST_WAITING + 2000
    text = drain_bytes(pipe[0])
    for _ in range(20):  # the rest comes as the reader makes room
        log.event("more")
        text += drain_bytes(pipe[0])
    records = [json.loads(line) for line in text.splitlines()]
    kept = [record for record in records if record["event"] == "flood"]
    assert [record["number"] for record in kept] == list(range(len(kept)))
    assert sum(record.get("lines_dropped", 0) for record in records) == sent + 20 - len(records)


def test_a_reader_that_has_gone_is_no_error(pipe: tuple[int, int]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        Log("policy", writer).event("ready")
    finally:
        os.close(writer)
