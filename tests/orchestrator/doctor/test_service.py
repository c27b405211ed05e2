"""The service of this home: none is no fault; one that would start something else, or nothing, is told of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from codex_shim.orchestrator import system
from codex_shim.orchestrator.doctor import service
from codex_shim.orchestrator.doctor.check import Check
from codex_shim.orchestrator.doctor.subject import Subject
from codex_shim.orchestrator.service import here, programs
from codex_shim.orchestrator.service.service import Service
from codex_shim.orchestrator.system import Lock
from service_managers import SERVICE_PID, Machine


class Account:
    """An account with systemd, of which one home is looked at."""

    def __init__(self, folder: Path, make: Callable[..., Subject], monkeypatch: pytest.MonkeyPatch) -> None:
        self.machine = Machine("systemd", folder)
        self.subject = make(models=[], environ={"XDG_CONFIG_HOME": str(folder / "config")})
        monkeypatch.setattr(system, "service_manager", lambda: ("systemd", ""))
        monkeypatch.setattr(programs, "run_program", self.machine.run)
        monkeypatch.setattr(Lock, "holder", lambda lock: self.machine.pid)
        self.manager = here.known_manager(self.subject.home, self.subject.environ, self.machine.run)

    def install(self) -> None:
        job = here.job(self.subject.options, self.subject.environ, 30.0)
        Service(job.name, self.manager, self.machine, lambda sentence: None).install(job)

    def check(self) -> Check:
        (found,) = service.check(self.subject)
        return found


@pytest.fixture
def account(tmp_path: Path, subject: Callable[..., Subject], monkeypatch: pytest.MonkeyPatch) -> Account:
    return Account(tmp_path, subject, monkeypatch)


def test_none_is_no_fault_and_nobody_is_asked(account: Account) -> None:
    check = account.check()
    assert (check.status, check.remedy) == ("INFO", "`codex-shim service install`")
    assert account.machine.calls == []


def test_where_nothing_starts_services_the_reason_is_told(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "service_manager", lambda: (None, "this is a container; let it run the chain"))
    check = account.check()
    assert (check.status, check.message, check.remedy) == ("INFO", "this is a container", "let it run the chain")


def test_one_that_runs_is_fine_and_one_that_was_stopped_is_told(account: Account) -> None:
    account.install()
    assert (account.check().status, account.machine.pid) == ("OK", SERVICE_PID)
    account.machine.pid = None
    check = account.check()
    assert (check.status, check.remedy) == ("INFO", "`codex-shim start`")


def test_what_is_not_as_it_should_be_is_told_with_what_to_do(account: Account) -> None:
    account.install()
    file, install = account.manager.file, "`codex-shim service install`"
    account.machine.pid = 17
    assert "the chain runs without it" in account.check().message
    file.write_text(file.read_text().replace(str(account.subject.home.root), "/elsewhere"))
    check = account.check()
    assert (check.status, "ExecStart" in check.message, check.remedy) == ("WARN", True, f"{install} writes it anew")
    account.machine.enabled = False
    assert (account.check().status, account.check().remedy) == ("WARN", install)
    account.machine.pid, account.machine.failed = None, True
    check = account.check()
    assert (check.status, "it ended with `exit-code`" in check.message, "journalctl" in (check.remedy or "")) == (
        "FAIL",
        True,
        True,
    )
    account.machine.refuse = {"show-environment": "Failed to connect to bus"}
    check = account.check()
    assert (check.status, "Failed to connect to bus" in check.message, bool(check.remedy)) == ("WARN", True, True)
    account.machine.refuse = {}
    file.write_text("[Service]\n")
    assert "was not written by codex-shim" in account.check().message
