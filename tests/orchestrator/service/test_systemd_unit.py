"""The unit, by our own reading and by systemd's where it is installed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from codex_shim.orchestrator.service import job, systemd_unit
from codex_shim.orchestrator.service.job import NotPossibleError
from service_managers import a_job
from systems import needs_posix

ODD = 'a b/100%/$HOME/${X}/"q"/[x]*?\\end'


def test_the_unit_starts_the_chain_again_after_a_failure_but_not_for_ever_and_not_after_a_stop() -> None:
    settings = systemd_unit.settings(systemd_unit.unit(a_job()))
    assert settings["ExecStart"] == (
        '"/usr/bin/python3" "-P" "-m" "codex_shim.orchestrator.cli" "--home" "/home/me/.codex-shim" "pipeline" "up"'
    )
    limits = {"Restart": "on-failure", "RestartPreventExitStatus": "78", "StartLimitBurst": "5", "StartLimitIntervalSec": "300"}
    assert limits.items() <= settings.items()
    ending = {"KillMode": "mixed", "TimeoutStopSec": "45", "EnvironmentFile": "-/home/me/.codex-shim/service.env"}
    assert ending.items() <= settings.items()


def test_what_means_something_to_systemd_is_quoted() -> None:
    text = systemd_unit.unit(a_job(argv=["/p %h/py", "--home", f"/{ODD}"], environ={"PATH": f"/{ODD}"}, env_file=Path(f"/{ODD}")))
    settings = systemd_unit.settings(text)
    quoted = 'a b/100%%/$HOME/${X}/\\"q\\"/[x]*?\\\\end'
    assert settings["ExecStart"] == f'":/p %%h/py" "--home" "/{quoted}"', "the colon keeps `$` what it is"
    assert settings["PATH"] == f'"PATH=/{quoted}"'
    assert settings["EnvironmentFile"] == '-/a b/100%%/$HOME/${X}/"q"/\\[x\\]\\*\\?\\\\end', "it is a pattern, and not unquoted"


def test_a_program_that_systemd_would_not_start_is_refused() -> None:
    with pytest.raises(NotPossibleError, match="quote or a backslash"):
        systemd_unit.unit(a_job(argv=["/it's/python"]))


def test_a_unit_is_read_back_by_name() -> None:
    told = {"PATH": "/a", "LANG": "C"}
    settings = systemd_unit.settings(systemd_unit.unit(a_job(environ=told)))
    assert {name: settings[name] for name in told} == {"PATH": '"PATH=/a"', "LANG": '"LANG=C"'}
    assert not any("#" in name for name in settings)


@needs_posix
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_finds_nothing_wrong_with_it(tmp_path: Path) -> None:
    home = tmp_path / 'ho me 100% "q" $X'
    python = tmp_path / "py %h $X" / "python"
    python.parent.mkdir()
    python.symlink_to(sys.executable)
    unit = tmp_path / "codex-shim.service"
    told = {"PATH": '/a b:/100%:/"q":/back\\slash:/$X'}
    unit.write_text(
        systemd_unit.unit(a_job(argv=job.command(str(python), home, None, None), environ=told, env_file=home / "e [x]"))
    )
    environ = {"PATH": "/usr/bin:/bin", "XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path)}
    done = subprocess.run(["systemd-analyze", "--user", "verify", str(unit)], env=environ, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
