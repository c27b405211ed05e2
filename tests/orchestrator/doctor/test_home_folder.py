"""The home: modes, what a killed run left, room on the disk."""

from __future__ import annotations

from pathlib import Path

import pytest
from codex_shim.orchestrator.doctor import home_folder
from codex_shim.orchestrator.home import write_private
from systems import needs_modes


def statuses(subject) -> list[str]:
    return [check.status for check in home_folder.check(subject)]


def test_a_home_that_is_not_there_yet_is_fine(subject) -> None:
    looked_at = subject()
    looked_at.home.root.rmdir()
    assert statuses(looked_at) == ["INFO", "OK"]
    assert not looked_at.home.root.exists()


@needs_modes
def test_what_others_can_read_is_listed(subject) -> None:
    looked_at = subject()
    assert statuses(looked_at) == ["OK", "OK"]
    write_private(looked_at.home.token, b"t")
    looked_at.home.token.chmod(0o640)
    looked_at.home.root.chmod(0o755)
    modes, _ = home_folder.check(looked_at)
    assert (modes.status, modes.details) == ("WARN", [str(looked_at.home.root), str(looked_at.home.token)])


@needs_modes
@pytest.mark.parametrize(("row", "warned"), [({"api_key": "sk-marked"}, True), ({}, False)])
def test_a_models_file_that_others_can_read_matters_where_keys_stand_in_it(subject, row: dict[str, str], warned: bool) -> None:
    looked_at = subject(models=[{"model": "m", "provider": "openai", "base_url": "http://127.0.0.1:1/v1", **row}])
    looked_at.options.settings.chmod(0o644)
    found = [check for check in home_folder.check(looked_at) if check.status == "WARN"]
    assert [check.remedy for check in found] == [f"`chmod 600 {looked_at.options.settings}`"] * warned
    assert "marked" not in repr(found)


def test_what_a_killed_run_left_behind_is_named_unless_a_chain_runs(subject) -> None:
    home = subject().home
    config, draft = home.stages / "deepseek.json", home.root / ".token.0a1b2c3d"
    for path in (config, draft):
        write_private(path, b"{}")
    assert home_folder.leftovers(home, running=False) == [draft, config]
    assert home_folder.leftovers(home, running=True) == [draft]
    (check,) = home_folder.judge_leftovers([Path("/a b/x.json")])
    assert (check.status, check.remedy) == ("WARN", "`rm '/a b/x.json'`")


def test_a_cursor_run_that_was_cut_off_is_named(subject) -> None:
    mark = subject().home.cursor_slots / "0" / "run.json"
    write_private(mark, b"{}")
    found = [check for check in home_folder.check(subject()) if check.status == "WARN"]
    assert [str(mark.parent.parent) in (check.remedy or "") for check in found] == [True]
    mark.unlink()
    assert statuses(subject()) == ["OK", "OK"]


@pytest.mark.parametrize(("free", "status"), [(0, "FAIL"), (10, "WARN"), (home_folder.LITTLE_MIB, "OK")])
def test_a_full_disk_is_a_failure(free: int, status: str) -> None:
    assert home_folder.judge_room(Path("/h"), free).status == status


def test_a_home_that_cannot_be_written_is_a_failure() -> None:
    assert [check.status for check in home_folder.judge_access(Path("/h"), writable=False)] == ["FAIL"]
    assert home_folder.judge_access(Path("/h"), writable=True) == []
