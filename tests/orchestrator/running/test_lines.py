"""What a process prints, as lines, and what is left out of a flood."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

from codex_shim.orchestrator.running.lines import MAX_LINE, TAIL, Allowance, LineProtocol, read_lines
from codex_shim.orchestrator.running.status import LAST_LINES
from waiting import PATIENCE

SMALL = 1000  # bytes a second; a line of some bytes costs 256 and its own


class Reader:
    """A protocol whose clock a test turns."""

    def __init__(self, allowed: int = SMALL) -> None:
        self.lines: list[bytes] = []
        self.now = 0.0
        self.due: list[tuple[float, Callable[[], None]]] = []
        self.protocol = LineProtocol(self.lines.append, lambda: self.now, lambda *due: self.due.append(due), Allowance(allowed))

    def feed(self, data: bytes) -> list[bytes]:
        self.protocol.data_received(data)
        found = list(self.lines)
        self.lines.clear()
        return found


def test_lines_come_whole_however_they_were_cut() -> None:
    reader = Reader()
    assert reader.feed(b"on") == []
    assert reader.feed(b"e\ntwo\nth") == [b"one", b"two"]
    reader.protocol.connection_lost(None)
    assert reader.lines == [b"th"]


def test_a_line_without_an_end_is_kept_up_to_a_limit() -> None:
    reader = Reader(allowed=10 * MAX_LINE)
    for _ in range(5):
        assert reader.feed(b"x" * MAX_LINE) == []
    assert len(reader.feed(b"\n")[0]) == MAX_LINE


def test_what_is_beyond_the_allowance_is_counted_and_told_in_the_next_second() -> None:
    reader = Reader()
    assert len(reader.feed(b"x\n" * 10)) == 10
    assert reader.feed(b"y\n" * 500) == []
    assert reader.feed(b"y\n" * 500 + b"the end of") == []
    reader.now = 1.0
    told, *ending = reader.feed(b" it\nheard\n")
    assert told == b"[codex-shim] left out 1000 lines (0.0 MiB): printed faster than can be kept"
    assert ending == [*[b"y"] * LAST_LINES, b"the end of it", b"heard"], "how it ended is kept"
    assert reader.feed(b"again\n") == [b"again"]


def test_a_flood_is_told_of_though_nothing_follows() -> None:
    reader = Reader()
    reader.feed(b"x\n" * 10)
    reader.feed(b"y\n" * 10)
    reader.feed(b"y\n" * 10)
    ((seconds, tell),) = reader.due
    tell()
    assert seconds == 1.0
    assert reader.lines[0] == b"[codex-shim] left out 20 lines (0.0 MiB): printed faster than can be kept"
    assert reader.lines[1:] == [b"y"] * LAST_LINES


def test_a_flood_up_to_the_end_is_told_at_the_end() -> None:
    reader = Reader()
    reader.feed(b"x\n" * 10)
    reader.feed(b"y\n" * 10 + b"last words")
    reader.protocol.connection_lost(None)
    assert reader.lines[0] == b"[codex-shim] left out 10 lines (0.0 MiB): printed faster than can be kept"
    assert reader.lines[-1] == b"last words"


def test_of_a_long_line_that_is_left_out_nothing_is_taken_for_a_line() -> None:
    reader = Reader()
    reader.feed(b"x\n" * 10)
    reader.feed(b"y" * 2 * TAIL)
    reader.now = 1.0
    assert reader.feed(b"y its end\nheard\n")[1:] == [b"heard"]


def test_an_allowance_counts_lines_and_bytes_second_by_second() -> None:
    allowance = Allowance(allowed=SMALL, read_at_most=5000)
    assert allowance.admits(b"x" * 900, 0.0)
    assert allowance.admits(b"x" * 900, 0.1), "the piece that reaches the limit is still kept whole"
    assert not allowance.admits(b"x" * 900, 0.2)
    assert allowance.pause(0.2) == 0.0
    assert not allowance.admits(b"x" * 3000, 0.25)
    assert allowance.pause(0.25) == 0.75
    assert allowance.admits(b"x", 1.0)
    assert allowance.pause(1.0) == 0.0
    assert allowance.told() is not None
    assert allowance.told() is None


def test_a_pipe_at_full_speed_waits_for_its_reader() -> None:
    async def play() -> None:
        lines: list[bytes] = []
        reading, writing = os.pipe()
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_read_pipe(
            lambda: LineProtocol(lines.append, lambda: 0.0, allowance=Allowance(100, 200)), os.fdopen(reading, "rb", buffering=0)
        )
        async with asyncio.timeout(PATIENCE):
            while transport.is_reading():
                os.write(writing, b"x" * 99 + b"\n")
                await asyncio.sleep(0)
        os.close(writing)
        transport.close()

    asyncio.run(play())


def test_a_pipe_is_read_to_its_end() -> None:
    async def play() -> list[bytes]:
        lines: list[bytes] = []
        reading, writing = os.pipe()
        await read_lines(reading, lines.append)
        os.write(writing, b"one\ntwo")
        os.close(writing)
        async with asyncio.timeout(PATIENCE):
            while len(lines) < 2:
                await asyncio.sleep(0)
        return lines

    assert asyncio.run(play()) == [b"one", b"two"]
