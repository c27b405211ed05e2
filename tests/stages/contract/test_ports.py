"""Two who choose a port at once do not choose the same."""

from __future__ import annotations

import itertools

from codex_shim.stages.contract.ports import EACH, FIRST, STRETCHES, candidates


def first(pid: int, count: int) -> list[int]:
    return list(itertools.islice(candidates(pid), count))


def test_neighbours_begin_in_stretches_of_their_own() -> None:
    ports = [port for pid in range(4_000, 4_000 + STRETCHES) for port in first(pid, EACH)]
    assert len(set(ports)) == len(ports)
    assert min(ports) == FIRST
    assert max(ports) < 32_768, "where Linux begins to hand out its own"


def test_every_port_is_a_candidate_of_every_process() -> None:
    assert len(set(first(123_456, 2 * STRETCHES * EACH))) == STRETCHES * EACH
