"""The chain and its port, from what the control socket, /health and the system say. A real one is in tests/chain."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from codex_shim.orchestrator.doctor import chain
from codex_shim.orchestrator.doctor.subject import Running
from codex_shim.orchestrator.system import Lock
from systems import needs_proc

RUNNING = Running(answered=True, since=1000.0, pid=7, url="http://127.0.0.1:8765/v1", chain=["ingress", "policy", "router"])


def stage(state: str, last_exit: str | None = None) -> dict[str, str | None]:
    return {"name": "policy", "state": state, "last_exit": last_exit}


@pytest.mark.parametrize(
    ("state", "last_exit", "status", "words"),
    [
        ("ready", None, "OK", "policy is ready"),
        ("ready", "killed by SIGKILL", "OK", "policy is ready"),
        ("asleep", None, "OK", "starts with its first request"),
        ("failed", "exit code 3", "FAIL", "policy has failed: exit code 3"),
        ("hung", None, "FAIL", "policy hangs"),
        ("waiting", "exit code 1", "WARN", "policy is waiting after exit code 1"),
        ("starting", None, "WARN", "policy is starting"),
        ("leased", None, "INFO", "policy is leased"),
    ],
)
def test_each_state_of_a_stage_has_its_weight(state: str, last_exit: str | None, status: str, words: str) -> None:
    check = chain.judge_stage(stage(state, last_exit))
    assert (check.status, words in check.message) == (status, True)
    assert not last_exit or last_exit in check.message + " ".join(check.details)


def test_health_tells_what_is_on_offer() -> None:
    told = {"models": 3, "chatgpt_passthrough": True, "cursor_passthrough": False}
    check = chain.judge_health(RUNNING, told)
    assert (check.status, check.details) == ("OK", ["it offers 3 models, chatgpt passthrough"])
    assert chain.judge_health(RUNNING, None).status == "FAIL"


def test_a_file_that_is_newer_than_the_chain_wants_a_reload(tmp_path: Path) -> None:
    old, new = tmp_path / "pipeline.toml", tmp_path / "models.json"
    for path, changed in ((old, 999), (new, 1001)):
        path.write_text("")
        os.utime(path, (changed, changed))
    (check,) = chain.judge_age(RUNNING, chain.newer([old, new, tmp_path / "providers.toml"], RUNNING.since))
    assert (check.status, check.remedy) == ("WARN", "`codex-shim pipeline reload`")
    assert check.message.endswith(": models.json")
    assert chain.judge_age(RUNNING, []) == []


def test_stages_that_are_not_those_of_the_file_are_a_warning(subject) -> None:
    pipeline = subject().settings.pipeline
    assert chain.judge_shape(RUNNING, pipeline) == []
    other = Running(answered=True, since=0, chain=["ingress", "router"])
    (check,) = chain.judge_shape(other, pipeline)
    assert "ingress → router" in check.message
    assert "--pipeline" in (check.remedy or "")


def test_a_chain_that_holds_its_lock_and_says_nothing_is_a_failure_and_is_not_waited_for_long(subject, monkeypatch) -> None:
    monkeypatch.setattr("codex_shim.orchestrator.doctor.subject.CONTROL_SECONDS", 0.05)
    looked_at = subject()
    lock = Lock(looked_at.home.lock)
    assert lock.acquire()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        looked_at.home.control.write_text(f'{{"port": {silent.getsockname()[1]}, "token": "t"}}')
        (check,) = chain.check(looked_at)
    lock.release()
    assert (check.status, check.message) == ("FAIL", "the chain is running, but does not answer its commands")


# -- the port ---------------------------------------------------------------------------------------------------------


def listening(port: int) -> str:
    stages = "".join(f"[[stage]]\nname = '{name}'\nuse = '{name}'\n" for name in ("ingress", "router"))
    return f"[pipeline]\nlisten = '127.0.0.1:{port}'\n{stages}"


@needs_proc
def test_d62_a_port_of_somebody_else_is_a_failure_that_names_him(subject) -> None:
    with socket.create_server(("127.0.0.1", 0)) as foreign:
        port = foreign.getsockname()[1]
        (check,) = chain.check_port(subject(pipeline=listening(port)))
    assert check.status == "FAIL"
    assert f"127.0.0.1:{port}, where Codex would connect, is in use by another program" in check.message
    if os.path.exists("/proc/net/tcp"):
        assert f"(pid {os.getpid()})" in check.message
    (free,) = chain.check_port(subject(pipeline=listening(port)))
    assert free.status == "OK"


def test_a_chain_of_another_home_is_told_from_other_programs() -> None:
    assert "a chain of another home, python (pid 5)" in chain.judge_foreign("127.0.0.1:8765", "python (pid 5)", ours=True).message


def test_any_free_port_is_nothing_to_look_at(subject) -> None:
    (check,) = chain.check_port(subject(pipeline=listening(0)))
    assert check.status == "INFO"


@pytest.mark.parametrize(
    ("listen", "status"), [("127.0.0.1:8765", "OK"), ("127.0.0.1:0", "OK"), ("127.0.0.1:9000", "INFO"), (None, "OK")]
)
def test_the_port_of_the_running_chain_is_its_own(listen: str | None, status: str) -> None:
    assert chain.judge_own_port(RUNNING, listen).status == status
