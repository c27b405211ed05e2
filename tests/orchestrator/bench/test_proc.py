"""The texts of /proc, and this very process as an example."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from codex_shim.orchestrator.bench.proc import Stat, by_name, cpu_seconds, family, label, parse_pss_kb, parse_stat, pss_mb

needs_proc = pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="Linux tells of processes in /proc")


def test_stat_is_read_behind_the_last_parenthesis() -> None:
    text = "12 (a) b (c)) S 7 12 12 0 -1 4194560 2433 0 0 0 10 20 30 40 20 0 1 0 9 8 7"
    assert parse_stat(text) == Stat(7, 100)


def test_pss_is_one_line_of_several_that_look_like_it() -> None:
    assert parse_pss_kb("Rss: 900 kB\nPss:    512 kB\nPss_Anon: 100 kB\n") == 512
    assert parse_pss_kb("") == 0


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("codex-shim: ingress\0\0\0", "ingress"),
        ("/usr/bin/python3\0-P\0-m\0codex_shim.orchestrator.cli\0pipeline\0up\0", "orchestrator"),
        ("python3 -P -m codex_shim.stages.kit.forkserver 8\0\0", "fork server"),
        ("python3\0-m\0other.server\0", "other.server"),
        ("/opt/bin/bun\0run\0", "bun"),
        ("", "?"),
    ],
)
def test_a_process_has_a_short_name(command: str, name: str) -> None:
    assert label(command) == name


@needs_proc
def test_this_process_has_used_cpu_and_memory() -> None:
    assert cpu_seconds([os.getpid()])[os.getpid()] > 0
    assert pss_mb([os.getpid()])[os.getpid()] > 1
    assert by_name({os.getpid(): 1.0, os.getppid(): 2.0})


@needs_proc
def test_a_process_is_of_its_parents_family() -> None:
    assert os.getpid() in family([os.getppid()])
    gone = 2**22 + 1
    assert cpu_seconds([gone]) == pss_mb([gone]) == by_name({gone: 1.0}) == {}
