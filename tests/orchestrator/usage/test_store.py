"""The file of usage: what stays in it, what goes, and who may read it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from codex_shim.orchestrator.usage import store
from codex_shim.orchestrator.usage.store import Store, StoreError, read
from codex_shim.orchestrator.usage.tally import Counts
from systems import needs_modes

TODAY = "2026-11-21"


def test_counts_are_added_up_and_outlive_the_process(tmp_path: Path) -> None:
    for _ in range(2):
        kept = Store(tmp_path / "usage.sqlite3", 400)
        kept.add({(TODAY, "kimi", "/a"): Counts(requests=1, input=10, dollars=0.5)}, TODAY)
        kept.close()
    (row,) = read(tmp_path / "usage.sqlite3", TODAY)
    assert (row.day, row.slug, row.project) == (TODAY, "kimi", "/a")
    assert row.counts == Counts(requests=2, input=20, dollars=1.0)
    assert read(tmp_path / "usage.sqlite3", "2026-11-22") == []
    assert read(tmp_path / "none.sqlite3", TODAY) == []


def test_old_days_go_and_a_day_has_no_end_of_projects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MOST_ROWS", 3)
    kept = Store(tmp_path / "usage.sqlite3", 2)
    kept.add({("2026-11-20", "kimi", ""): Counts(requests=1)}, "2026-11-20")
    kept.add({(TODAY, "kimi", f"/{number}"): Counts(requests=1) for number in range(9)}, TODAY)
    assert [(row.project, row.counts.requests) for row in kept.since(TODAY)] == [("", 6), ("/0", 1), ("/1", 1), ("/2", 1)]
    assert kept.since("2026-11-20")[0].day == "2026-11-20"
    kept.add({}, "2026-11-22")
    assert kept.since("2026-11-01")[0].day == TODAY
    kept.close()


@needs_modes
def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    kept = Store(tmp_path / "home" / "usage.sqlite3", 2)
    kept.add({(TODAY, "kimi", "/a"): Counts(requests=1)}, TODAY)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "home").iterdir()}
    assert set(modes.values()) == {0o600}, modes
    assert (tmp_path / "home").stat().st_mode & 0o777 == 0o700
    kept.close()


def test_a_file_that_is_none_of_ours_is_named(tmp_path: Path) -> None:
    path = tmp_path / "usage.sqlite3"
    path.write_text("my notes, which are no database, and long enough to be taken for the head of one" * 3)
    with pytest.raises(StoreError, match=r"usage\.sqlite3 cannot be used: .*move it away"):
        Store(path, 2).add({(TODAY, "kimi", ""): Counts()}, TODAY)
    assert path.read_text().startswith("my notes")
    path.unlink()
    with sqlite3.connect(path) as newer:
        newer.execute("PRAGMA user_version = 7")
    newer.close()
    with pytest.raises(StoreError, match="a newer codex-shim"):
        read(path, TODAY)
