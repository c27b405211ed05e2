"""The folders of the runs: private, empty before and after, nobody else's, and cleared of what a killed worker left in them."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import process_tree
import pytest
from codex_shim.stages.egress_cursor.running import slots, tree
from codex_shim.stages.egress_cursor.running.environment import RUN_ID
from systems import needs_modes, needs_posix
from waiting import until

CONFIG = b'{"permissions":{}}'
FOREVER = [sys.executable, "-IS", "-c", "import time; time.sleep(3600)"]

STUBBORN = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.setsid()
print("x", flush=True)
time.sleep(3600)
"""


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def user_config(home: Path, **settings: Any) -> None:
    (home / ".cursor").mkdir(parents=True)
    (home / ".cursor" / "cli-config.json").write_text(json.dumps(settings))


@needs_modes
def test_a_slot_is_for_its_owner_alone(tmp_path: Path) -> None:
    (slot,) = slots.claim(tmp_path / "slots", 1)
    slot.prepare(CONFIG)
    folders = [tmp_path / "slots", slot.folder, slot.config, slot.data, slot.temporary, slot.workspace]
    assert {mode(folder) for folder in folders} == {0o700}
    assert {mode(path) for path in slot.folder.rglob("*") if path.is_file()} == {0o600}


def test_folders_are_empty_before_and_after_a_run_and_stay_at_their_place(tmp_path: Path) -> None:
    (slot,) = slots.claim(tmp_path, 1)
    seen = []
    for _ in range(2):
        slot.prepare(CONFIG)
        assert {path.name for path in slot.folder.rglob("*") if path.is_file()} == {"cli-config.json", "lock", "run.json"}
        (slot.data / "chats").mkdir()
        (slot.data / "chats" / "store.db").write_text("the prompt")
        (slot.config / "cli-config.json.tmp").write_text("{}")
        (slot.workspace / "left").write_text("x")
        seen.append((slot.workspace, slot.run_id))
        slot.vacate()
        assert [path.name for path in slot.folder.iterdir()] == ["lock"]
    assert seen[0][0] == seen[1][0]
    assert seen[0][1] != seen[1][1]


@needs_posix
def test_emptying_follows_no_link_and_is_stopped_by_no_permission(tmp_path: Path) -> None:
    (slot,) = slots.claim(tmp_path / "slots", 1)
    slot.prepare(CONFIG)
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "precious").write_text("x")
    (slot.workspace / "link").symlink_to(mine)
    locked = slot.data / "locked"
    locked.mkdir()
    (locked / "file").write_text("x")
    locked.chmod(0o500)
    slot.vacate()
    assert (mine / "precious").exists()
    assert not slot.data.exists()


@needs_posix
def test_a_folder_that_was_made_a_link_is_removed_and_what_it_leads_to_is_not(tmp_path: Path) -> None:
    (slot,) = slots.claim(tmp_path / "slots", 1)
    slot.prepare(CONFIG)
    mine = tmp_path / "mine"
    mine.mkdir()
    slot.workspace.rmdir()
    slot.workspace.symlink_to(mine)
    slot.prepare(CONFIG)
    assert mine.is_dir()
    assert not slot.workspace.is_symlink()


def test_two_workers_never_share_a_slot(tmp_path: Path) -> None:
    """A worker that is replaced goes on with its runs for a while."""
    old = slots.claim(tmp_path, 2)
    old[0].prepare(CONFIG)
    new = slots.claim(tmp_path, 2)
    assert [slot.number for slot in old] == [0, 1]
    assert [slot.number for slot in new] == [2, 3]
    assert old[0].workspace.exists(), "the run of the old worker goes on"
    for slot in old:
        slot.give_up()
    assert [slot.number for slot in slots.claim(tmp_path, 2)] == [0, 1]


def test_the_settings_keep_what_the_network_needs_and_permit_nothing(tmp_path: Path) -> None:
    """D44."""
    user_config(
        tmp_path,
        version=1,
        editor={"vimMode": True},
        network={"useHttp1ForAgent": True},
        permissions={"allow": ["Shell(*)", "Write(**)"], "deny": []},
        approvalMode="unrestricted",
        sandbox={"mode": "disabled"},
        model={"modelId": "gpt-5.5"},
        hasChangedDefaultModel=True,
    )
    made = json.loads(slots.settings({}, tmp_path))
    assert made["network"] == {"useHttp1ForAgent": True}
    assert made["editor"] == {"vimMode": True}
    assert made["permissions"] == {"allow": [], "deny": list(slots.DENIED)}
    assert {"Shell(*)", "Write(**)", "Mcp(*:*)", "WebFetch(*)"} <= set(slots.DENIED)
    assert made["approvalMode"] == "allowlist"
    assert not {"sandbox", "model", "hasChangedDefaultModel"} & made.keys()


@pytest.mark.parametrize("content", [None, "{", "[]", "\udcff"])
def test_without_usable_settings_of_the_users_own_there_are_ours(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / ".cursor").mkdir()
        (tmp_path / ".cursor" / "cli-config.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    assert json.loads(slots.settings({}, tmp_path))["permissions"]["deny"]


@pytest.mark.parametrize("variable", ["CURSOR_CONFIG_DIR", "XDG_CONFIG_HOME"])
def test_the_users_settings_are_looked_for_where_the_program_does(tmp_path: Path, variable: str) -> None:
    folder = tmp_path / "elsewhere" if variable == "CURSOR_CONFIG_DIR" else tmp_path / "elsewhere" / "cursor"
    folder.mkdir(parents=True)
    (folder / "cli-config.json").write_text('{"network": 1}')
    assert json.loads(slots.settings({variable: str(tmp_path / "elsewhere")}, tmp_path))["network"] == 1


def test_what_a_killed_worker_left_is_ended_and_removed(tmp_path: Path) -> None:
    (slot,) = slots.claim(tmp_path, 1)
    slot.prepare(CONFIG)
    left = subprocess.Popen(FOREVER, env={RUN_ID: slot.run_id}, start_new_session=True)
    try:
        slot.remember(left.pid)
        slot.give_up()
        (again,) = slots.claim(tmp_path, 1)
        assert left.wait(timeout=30) == -9
        assert [path.name for path in again.folder.iterdir()] == ["lock"]
    finally:
        left.kill()
        left.wait()


def test_slots_beyond_the_wanted_number_are_cleared_too(tmp_path: Path) -> None:
    """The number was changed, and the worker killed, before."""
    many = slots.claim(tmp_path, 3)
    many[2].prepare(CONFIG)
    for slot in many:
        slot.give_up()
    assert [slot.number for slot in slots.claim(tmp_path, 1)] == [0]
    assert not many[2].data.exists()


def test_a_slot_whose_processes_will_not_end_is_left_alone_and_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (slot,) = slots.claim(tmp_path, 1)
    slot.prepare(CONFIG)
    slot.give_up()
    monkeypatch.setattr(tree, "sweep", lambda run_ids: [4711])
    told: list[Any] = []
    taken = slots.claim(tmp_path, 1, lambda number, left: told.append((number, left)))
    assert [each.number for each in taken] == [1]
    assert told == [(0, [4711])]


def test_a_pid_that_is_somebody_elses_by_now_is_not_touched(tmp_path: Path) -> None:
    """D61: a pid alone says nothing."""
    (slot,) = slots.claim(tmp_path, 1)
    slot.prepare(CONFIG)
    stranger = subprocess.Popen(FOREVER, env={}, start_new_session=True)
    try:
        mark = {"run_id": slot.run_id, "pid": stranger.pid, "began": "another time"}
        (slot.folder / "run.json").write_text(json.dumps(mark))
        slot.give_up()
        slots.claim(tmp_path, 1)
        assert process_tree.find(stranger.pid)
    finally:
        stranger.kill()
        stranger.wait()


@pytest.mark.parametrize("mark", ["", "{", '{"run_id": 1}', "[]"])
def test_a_broken_mark_is_removed_like_any_other_file(tmp_path: Path, mark: str) -> None:
    (tmp_path / "0").mkdir(parents=True)
    (tmp_path / "0" / "run.json").write_text(mark)
    (slot,) = slots.claim(tmp_path, 1)
    assert [path.name for path in slot.folder.iterdir()] == ["lock"]


def test_a_folder_that_cannot_be_used_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OSError, match="file"):
        slots.claim(tmp_path / "file" / "slots", 1)


def test_processes_are_found_by_their_mark_and_swept_whatever_they_ignore(tmp_path: Path) -> None:
    run_id = os.urandom(8).hex()
    marked = subprocess.Popen([sys.executable, "-IS", "-c", STUBBORN], env={RUN_ID: run_id}, stdout=subprocess.PIPE)
    other = subprocess.Popen(FOREVER, env={RUN_ID: run_id + "0"})
    try:
        assert marked.stdout
        assert marked.stdout.readline() == b"x\n"
        until(lambda: tree.marked([run_id]) == [marked.pid], "the marked process is found")
        assert tree.sweep([run_id]) == []
        assert marked.wait(timeout=30) == -9
        assert tree.marked([run_id]) == [], "nothing is left of it, not even where its parent had not yet been told"
        assert other.poll() is None
    finally:
        for each in (marked, other):
            each.kill()
            each.communicate()


def test_a_sweep_says_what_it_could_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "marked", lambda run_ids: [2**22 + 1])  # nobody's pid
    assert tree.sweep(["x"], seconds=0) == [2**22 + 1]
