"""The lines of stages, in memory and in files."""

from __future__ import annotations

from pathlib import Path

from codex_shim.orchestrator.running import logbook
from codex_shim.orchestrator.running.logbook import LogBook
from pytest import MonkeyPatch


def test_who_prints_a_lot_takes_nothing_of_what_others_have_said(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    monkeypatch.setattr(logbook, "KEPT_LINES", 3)
    logs = LogBook(tmp_path)
    logs.add("quiet", "once")
    for number in range(10):
        logs.add("loud", str(number))
    logs.add("quiet", "twice")
    assert list(logs.latest(None, 10)) == [("quiet", "once"), *(("loud", str(n)) for n in (7, 8, 9)), ("quiet", "twice")]
    assert list(logs.latest(None, 2)) == [("loud", "9"), ("quiet", "twice")]
    assert list(logs.latest("quiet", 1)) == [("quiet", "twice")]
    assert list(logs.latest("loud", 0)) == []
    assert logs.names == ["quiet", "loud"], "also when they are gone"
    logs.close()


def test_files_stay_small(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    monkeypatch.setattr(logbook, "FILE_BYTES", 100)
    logs = LogBook(tmp_path)
    for _ in range(50):
        logs.add("s", "x" * 30)
    logs.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["s.log", "s.log.1"]
    assert all(path.stat().st_size <= 140 for path in tmp_path.iterdir())
