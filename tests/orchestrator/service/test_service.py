"""Installing, removing, starting and stopping, with each of the three managers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from codex_shim.orchestrator.service.programs import ManagerError
from codex_shim.orchestrator.service.service import Service
from service_managers import KINDS, OTHER_PID, SERVICE_PID, URL, Machine, a_job

JOB = a_job()
MOVED = a_job(argv=[*JOB.argv[:4], "--home", "/elsewhere", "pipeline", "up"])


class Desk:
    """A machine, its service, and what was said."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.machine = Machine(kind, folder)
        self.manager = self.machine.manager("codex-shim")
        self.said: list[str] = []
        self.pauses: list[Callable[[], None]] = []
        self.now = 0.0
        self.service = Service("codex-shim", self.manager, self.machine, self.said.append, lambda: self.now, self.pause)

    def pause(self, seconds: float) -> None:
        self.now += seconds
        if self.pauses:
            self.pauses.pop(0)()

    @property
    def modes(self) -> int:
        return self.manager.file.stat().st_mode & 0o777


@pytest.fixture(params=KINDS)
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Desk:
    return Desk(request.param, tmp_path)


def test_install_writes_the_file_and_starts_the_chain_under_it(desk: Desk) -> None:
    desk.service.install(JOB)
    assert desk.said[:2] == [f"Wrote {desk.manager.file}", f"The chain runs as the service `codex-shim` at {URL}"]
    assert desk.machine.pid == SERVICE_PID
    assert desk.modes == (0o600 if desk.machine.kind == "tasks" else 0o644)
    look = desk.service.look(JOB)
    assert (look.installed, look.enabled, look.running, look.pid, look.current) == (True, True, True, SERVICE_PID, True)


def test_install_again_does_nothing(desk: Desk) -> None:
    desk.service.install(JOB)
    desk.said.clear()
    before = len(desk.machine.calls)
    desk.service.install(JOB)
    assert desk.said == [f"{desk.manager.file} is as it should be, and the chain runs under it; nothing to do."]
    changing = ("enable", "start", "stop", "bootstrap", "kickstart", "kill", "/Create", "/Run", "/Change", "daemon-reload")
    assert not [call for call in desk.machine.calls[before:] if set(changing) & set(call.split())]


def test_a_chain_in_the_background_is_stopped_first(desk: Desk) -> None:
    desk.machine.pid = OTHER_PID
    desk.service.install(JOB)
    assert "Stopped the chain that ran without the service." in desk.said
    if desk.machine.kind != "tasks":  # Task Scheduler does not tell the process, so there everything that runs is the task's
        assert desk.machine.calls.count("the chain is asked to end") == 1
    assert desk.machine.pid == SERVICE_PID


def test_a_changed_command_line_is_taken_over(desk: Desk) -> None:
    desk.service.install(JOB)
    look = desk.service.look(MOVED)
    assert (look.current, look.stale) == (False, True)
    desk.said.clear()
    desk.service.install(MOVED)
    assert desk.said[:2] == [f"Updated {desk.manager.file}", "Stopped the chain, to start it with the new file."]
    assert desk.service.look(MOVED).current


def test_what_the_manager_refuses_is_not_left_behind(desk: Desk) -> None:
    desk.machine.pid = OTHER_PID
    desk.machine.refuse = {"enable": "Access denied.", "/Create": "Access denied."}
    with pytest.raises(ManagerError, match=r"Access denied$"):
        desk.service.install(JOB)
    assert not desk.manager.file.exists()
    assert desk.machine.pid == OTHER_PID, "the chain that ran runs on"


def test_a_refused_change_leaves_the_old_file(desk: Desk) -> None:
    desk.service.install(JOB)
    desk.machine.refuse = {"enable": "no", "/Create": "no"}
    with pytest.raises(ManagerError):
        desk.service.install(MOVED)
    assert desk.service.look(JOB).current


def test_a_file_of_somebody_else_is_neither_changed_nor_removed(desk: Desk) -> None:
    desk.manager.file.parent.mkdir(parents=True, exist_ok=True)
    desk.manager.file.write_text("mine")
    for act in (lambda: desk.service.install(JOB), desk.service.uninstall, lambda: desk.service.look(JOB)):
        with pytest.raises(ManagerError, match="was not written by codex-shim"):
            act()
    assert desk.manager.file.read_text() == "mine"


def test_uninstall_takes_away_what_install_wrote(desk: Desk) -> None:
    before = sorted(desk.machine.folder.rglob("*"))
    desk.service.install(JOB)
    desk.service.uninstall()
    assert desk.said[-1] == (f"Removed {desk.manager.file}, and the chain has stopped; `codex-shim start` runs it without.")
    left = sorted(desk.machine.folder.rglob("*"))
    assert [path for path in left if path.name not in ("config", "LaunchAgents")] == before
    assert (desk.machine.enabled, desk.machine.pid) == (desk.machine.kind == "launchd", None)
    assert not desk.machine.loaded
    desk.service.uninstall()
    assert desk.said[-1].startswith("There is no service")


@pytest.mark.parametrize("kind", ["systemd", "launchd"])  # Task Scheduler does not tell which process is the task's
def test_uninstall_leaves_a_chain_alone_that_runs_without_it(kind: str, tmp_path: Path) -> None:
    desk = Desk(kind, tmp_path)
    desk.service.install(JOB)
    desk.machine.pid = OTHER_PID
    desk.service.uninstall()
    assert (desk.said[-1], desk.machine.pid) == (f"Removed {desk.manager.file}.", OTHER_PID)


def test_stop_and_start_go_through_the_manager_and_stay(desk: Desk) -> None:
    assert (desk.service.start(), desk.service.stop()) == (False, False), "without a service it is not our matter"
    desk.service.install(JOB)
    assert desk.service.stop()
    assert desk.said[-1] == f"The chain, which runs as the service `codex-shim`, has stopped. {desk.manager.after_stop}"
    assert desk.machine.pid is None
    assert desk.machine.calls.count("the chain is asked to end") == (1 if desk.machine.kind == "tasks" else 0)
    assert not desk.service.look(JOB).running
    assert desk.service.start()
    assert desk.machine.pid == SERVICE_PID
    assert desk.service.stop(again=True)
    assert desk.said[-1].endswith("has stopped.")


def test_stop_leaves_a_chain_to_others_that_runs_beside_the_service(tmp_path: Path) -> None:
    desk = Desk("systemd", tmp_path)
    desk.service.install(JOB)
    desk.machine.pid = OTHER_PID
    assert not desk.service.stop()
    assert desk.machine.pid == OTHER_PID


def test_a_service_that_does_not_come_up_is_told_with_where_to_look(desk: Desk) -> None:
    desk.machine.stillborn = True
    with pytest.raises(ManagerError, match="does not come up") as caught:
        desk.service.install(JOB)
    assert str(caught.value).endswith(f"`{desk.manager.logs}` shows what it said")
    if desk.machine.kind == "tasks":
        assert "not ready after 60 s" in str(caught.value), "Task Scheduler does not tell"
    else:
        assert desk.service.look(JOB).trouble


def test_a_long_drain_is_waited_for_and_told_once(desk: Desk) -> None:
    desk.service.install(JOB)
    desk.machine.drains = True
    desk.pauses = [lambda: None] * 30 + [desk.machine.drained]
    assert desk.service.stop()
    assert [line for line in desk.said if "still under way" in line] == [
        "Streams are still under way; they may finish within the drain time of pipeline.toml."
    ]


def test_another_terminals_variables_are_no_reason_to_install_it_anew(tmp_path: Path) -> None:
    for kind in ("systemd", "launchd"):
        desk = Desk(kind, tmp_path / kind)
        desk.service.install(JOB)
        look = desk.service.look(a_job(environ={"PATH": "/opt/bin", "LANG": "C"}))
        assert (look.current, look.stale, sorted(look.differs)) == (False, False, ["LANG", "PATH"])


def test_a_comment_of_the_users_own_is_seen(tmp_path: Path) -> None:
    desk = Desk("systemd", tmp_path)
    desk.service.install(JOB)
    desk.manager.file.write_text(desk.manager.file.read_text() + "# mine\n")
    assert desk.service.look(JOB).differs == ["its comments"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_manager_that_cannot_be_reached_says_so(kind: str, tmp_path: Path) -> None:
    machine = Machine(kind, tmp_path)
    manager = machine.manager("codex-shim")
    assert manager.unreachable() is None
    machine.refuse = {"show-environment": "Failed to connect to bus", "print": "no", "/Query": "no"}
    reason = manager.unreachable()
    assert reason
    assert "\n" not in reason


def test_systemd_knows_the_variables_of_its_files(tmp_path: Path) -> None:
    manager = Machine("systemd", tmp_path).manager("codex-shim")
    assert manager.variables() == {}
    (tmp_path / "config" / "environment.d").mkdir(parents=True)
    (tmp_path / "config" / "environment.d" / "keys.conf").write_text("ONE=1\nTWO=2\n")
    (tmp_path / "service.env").write_text("TWO=mine\n")
    assert manager.variables() == {"ONE": "1", "TWO": "mine"}


def test_systemd_tells_of_lingering(tmp_path: Path) -> None:
    machine = Machine("systemd", tmp_path)
    assert "loginctl enable-linger" in machine.manager("codex-shim").hints()[0]
    machine.linger = True
    assert machine.manager("codex-shim").hints() == ["It starts with the machine, before you log in."]
