"""The agent, as launchd reads it."""

from __future__ import annotations

import plistlib
from pathlib import Path

from codex_shim.orchestrator.service import launchd_plist
from service_managers import a_job

ODD = 'a b/100%/$HOME/"q" <&> é'


def test_the_agent_runs_at_login_and_again_after_a_failure_but_seldom() -> None:
    agent = plistlib.loads(launchd_plist.plist(a_job()))
    assert (agent["Label"], agent["RunAtLoad"], agent["KeepAlive"]) == ("codex-shim", True, {"SuccessfulExit": False})
    assert (agent["ThrottleInterval"], agent["ExitTimeOut"], agent["Umask"]) == (30, 45, 0o077)
    assert agent["ProgramArguments"][0] == "/usr/bin/python3"
    assert agent["ProgramArguments"][-2:] == ["pipeline", "up"]
    assert agent["StandardErrorPath"] == "/home/me/.codex-shim/run/logs/service.log"


def test_every_path_and_variable_arrives_as_it_was() -> None:
    job = a_job(argv=["/p", f"/{ODD}"], environ={"PATH": ODD}, home=Path(f"/{ODD}"))
    agent = plistlib.loads(launchd_plist.plist(job))
    assert (agent["ProgramArguments"], agent["EnvironmentVariables"]) == (["/p", f"/{ODD}"], {"PATH": ODD})
    assert agent["WorkingDirectory"] == f"/{ODD}"


def test_an_agent_is_read_back_by_name_and_rubbish_as_nothing() -> None:
    settings = launchd_plist.settings(launchd_plist.plist(a_job()))
    assert (settings["PATH"], settings["Label"]) == ("/usr/bin", "codex-shim")
    assert [launchd_plist.settings(text) for text in (b"", b"<plist>", b"\xff", plistlib.dumps([1]))] == [{}] * 4
