"""`codex-shim service …` as it is typed, with a service manager that is not there; and one run of what a unit holds."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
from codex_shim.orchestrator import system
from codex_shim.orchestrator.cli import app
from codex_shim.orchestrator.commands import pipeline, service
from codex_shim.orchestrator.control import Connection, NotRunningError
from codex_shim.orchestrator.service import programs, systemd_unit
from running_chain import bare_environment
from service_managers import OTHER_PID, SERVICE_PID, URL, Machine
from systems import needs_posix
from typer.testing import CliRunner
from waiting import PATIENCE

pytestmark = needs_posix

MODELS = [
    {"model": "deepseek-chat", "provider": "deepseek"},
    {"model": "kimi", "provider": "deepseek", "api_key_command": ["false"]},
    {"model": "qwen3:32b", "provider": "ollama"},
]


class Shim:
    """The command line of one home on one machine."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "my home"
        self.home.mkdir()
        (self.home / "models.json").write_text(json.dumps(MODELS[::2]))
        self.folder = folder
        self.machine = Machine("systemd", folder)

    def __call__(self, *words: str, **environ: str) -> Any:
        own = {"PATH": os.defpath, "HOME": str(self.folder), "XDG_CONFIG_HOME": str(self.folder / "config")}
        bare = dict.fromkeys(os.environ) | own | environ
        return CliRunner().invoke(app, ["--home", str(self.home), *words], env=bare)

    @property
    def unit(self) -> Path:
        return next((self.folder / "config" / "systemd" / "user").glob("codex-shim-*.service"))


@pytest.fixture
def shim(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shim:
    shim = Shim(tmp_path)
    monkeypatch.setattr(system, "service_manager", lambda: ("systemd", ""))
    monkeypatch.setattr(programs, "run_program", shim.machine.run)
    for name in ("holder", "down", "url"):
        monkeypatch.setattr(service._Chain, name, lambda self, name=name: getattr(shim.machine, name)())
    answer = {"running": True, "url": URL, "pid": OTHER_PID, "stages": []}
    idle = {"running": False, "stages": []}
    monkeypatch.setattr(pipeline, "running_status", lambda: answer if shim.machine.pid else idle)
    return shim


def test_install_names_the_models_that_lose_their_key_and_writes_no_key(shim: Shim) -> None:
    secrets = {"DEEPSEEK_API_KEY": "sk-1234", "HTTPS_PROXY": "http://me:pass-1234@proxy"}
    done = shim("service", "install", **secrets)
    assert (done.exit_code, done.stdout.splitlines()[0]) == (0, f"Wrote {shim.unit}")
    assert "the service does not have DEEPSEEK_API_KEY, so these models are left out: deepseek-chat\n" in done.stderr
    assert f"write `NAME=key` into {shim.home / 'service.env'}" in done.stderr
    assert "because a password stands in the value: HTTPS_PROXY" in done.stderr
    assert "1234" not in shim.unit.read_text() + done.output
    (shim.home / "service.env").write_text("DEEPSEEK_API_KEY=sk-1234\n")
    (shim.home / "service.env").chmod(0o600)
    del secrets["HTTPS_PROXY"]
    assert shim("service", "install", **secrets).stderr == ""
    (shim.home / "service.env").chmod(0o644)
    assert "others can read" in shim("service", "install", **secrets).stderr


def test_no_key_command_is_run_to_find_out(shim: Shim) -> None:
    (shim.home / "models.json").write_text(json.dumps(MODELS[1:2]))
    assert shim("service", "install").stderr == ""


def test_the_unit_holds_what_is_in_use(shim: Shim) -> None:
    other = shim.folder / "other.json"
    other.write_text("[]")
    chain = shim.folder / "chain.toml"
    chain.write_text(
        '[pipeline]\ndrain_seconds = 2.5\n[[stage]]\nname = "ingress"\nuse = "ingress"\n[[stage]]\nname = "r"\nuse = "router"\n'
    )
    assert shim("--settings", str(other), "service", "install", CODEX_SHIM_PIPELINE=str(chain)).exit_code == 0
    settings = systemd_unit.settings(shim.unit.read_text())
    words = shlex.split(settings["ExecStart"])
    assert words[4:] == ["--home", str(shim.home), "--settings", str(other), "--pipeline", str(chain), "pipeline", "up"]
    assert settings["TimeoutStopSec"] == "18"


def test_what_could_not_start_without_this_terminal_is_not_installed(shim: Shim) -> None:
    stage = '[[stage]]\nname = "x"\ncommand = ["true"]\n[stage.env]\nTOKEN = "${MY_TOKEN}"\n'
    ends = ['[[stage]]\nname = "ingress"\nuse = "ingress"\n', stage, '[[stage]]\nname = "r"\nuse = "router"\n']
    (shim.home / "pipeline.toml").write_text("".join(ends))
    done = shim("service", "install", MY_TOKEN="x")
    assert done.exit_code == 78
    assert "MY_TOKEN" in done.stderr
    assert "variables of this terminal, which a service does not see" in done.stderr
    assert not (shim.folder / "config").exists()


def test_status_tells_all_four_things(shim: Shim) -> None:
    absent = shim("service", "status")
    assert (absent.exit_code, absent.stdout.split(";")[0]) == (1, "No service is installed")
    shim("service", "install")
    assert shim("service", "status").stdout.split("\n")[1:4] == [
        "enabled    yes",
        f"running    yes (pid {SERVICE_PID})",
        "current    yes",
    ]
    told = json.loads(shim("service", "status", "--json").stdout)
    facts = {"manager": "systemd", "installed": True, "enabled": True, "running": True, "current": True, "ok": True}
    assert facts.items() <= told.items()
    assert (told["file"], told["missing_keys"]) == (str(shim.unit), {})
    other = shim("service", "status", PATH="/opt/bin")
    assert (other.exit_code, "yes, but for this terminal's PATH" in other.stdout) == (0, True)
    shim.unit.write_text(shim.unit.read_text().replace("RestartSec=5", "RestartSec=1"))
    edited = shim("service", "status")
    assert (edited.exit_code, "no, it differs in RestartSec" in edited.stdout) == (1, True)
    shim.machine.pid = None
    assert json.loads(shim("service", "status", "--json").stdout)["running"] is False


def test_stop_start_and_restart_leave_it_to_the_manager(shim: Shim) -> None:
    shim("service", "install")
    stopped = shim("stop")
    assert (stopped.exit_code, shim.machine.pid) == (0, None)
    assert "which runs as the service" in stopped.stdout
    assert "as the service" in shim("start").stdout
    restarted = shim("restart")
    assert (restarted.exit_code, shim.machine.pid) == (0, SERVICE_PID)
    assert "the chain is asked to end" not in shim.machine.calls


def test_uninstall_leaves_the_users_own_file(shim: Shim) -> None:
    shim("service", "install")
    (shim.home / "service.env").write_text("A=b\n")
    done = shim("service", "uninstall")
    assert (done.exit_code, (shim.home / "service.env").exists()) == (0, True)
    assert "is yours" in done.stdout


def test_where_nothing_starts_services_nothing_is_written(shim: Shim, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "service_manager", lambda: (None, "there is none"))
    for verb in ("install", "uninstall", "status"):
        done = shim("service", verb)
        assert (done.exit_code, done.stderr) == (1, "error: there is none\n")
    told = json.loads(shim("service", "status", "--json").stdout)
    assert (told["ok"], told["manager"], told["error"]) == (False, None, "there is none")
    monkeypatch.setattr(system, "service_manager", lambda: ("systemd", ""))
    shim.machine.refuse = {"show-environment": "Failed to connect to bus"}
    assert "Failed to connect to bus" in shim("service", "install").stderr
    assert not (shim.folder / "config").exists()


def test_the_command_line_of_the_unit_runs_the_chain_until_it_is_told_to_stop(shim: Shim) -> None:
    """By its own words, in its own environment; and its end is none that would have systemd start it again."""
    (shim.home / "pipeline.toml").write_text(
        '[pipeline]\nlisten = "127.0.0.1:0"\n[[stage]]\nname = "ingress"\nuse = "ingress"\n[[stage]]\nname = "r"\nuse = "router"\n'
    )
    assert shim("service", "install").exit_code == 0
    text = shim.unit.read_text()
    words = shlex.split(systemd_unit.settings(text)["ExecStart"])
    told = dict(shlex.split(value)[0].split("=", 1) for value in re.findall("^Environment=(.+)$", text, re.M))
    environ = bare_environment(shim.folder / "user") | told
    control = Connection(shim.home / "run" / "control.json")
    process = subprocess.Popen(words, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert process.stdout
    with process.stdout:
        try:
            assert any(b"Ready in" in line for line in process.stdout)
            assert control.ask_once("status")["pid"] == process.pid, "so the manager's process is the one that holds the lock"
            process.terminate()
            process.stdout.read()
            assert process.wait(PATIENCE * 4) == 0
        finally:
            process.kill()
            process.wait()
    with pytest.raises(NotRunningError):
        control.ask_once("status")
