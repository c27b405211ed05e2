"""The programs of macOS: what they are asked, and what is made of their answers."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from codex_shim.orchestrator.app import tools
from codex_shim.orchestrator.app.bundle import App, AppError
from codex_shim.orchestrator.app.tools import Done, Tools, processes_within, run

LISTING = """\
    1 /sbin/launchd
  501 /Applications/Codex.app/Contents/MacOS/Codex
 4711 /Applications/Codex.app/Contents/Frameworks/Codex Helper (Renderer).app/Contents/MacOS/Codex Helper (Renderer)
  777 /Applications/Codex.app.old/Contents/MacOS/Codex
  778 (Codex)
  779
"""


def test_processes_of_an_app_are_those_that_run_from_within_it() -> None:
    assert processes_within(LISTING, Path("/Applications/Codex.app")) == [501, 4711]
    assert processes_within("", Path("/Applications/Codex.app")) == []


def test_the_commands_are_these() -> None:
    asked: list[str] = []

    def note(words) -> Done:
        asked.append(" ".join(words))
        return Done(0, "")

    app, mac = App(Path("/Applications/Codex.app")), Tools(note)
    mac.copy(app.path, Path("/Users/x/Applications/Codex.app"))
    mac.sign(app)
    mac.verify(app)
    assert mac.processes(app) == []
    assert asked == [
        "/usr/bin/ditto /Applications/Codex.app /Users/x/Applications/Codex.app",
        "/usr/bin/codesign --force --deep --sign - /Applications/Codex.app",
        "/usr/bin/codesign --verify --deep /Applications/Codex.app",
        "/bin/ps -axww -o pid=,comm=",
    ]


def test_the_real_runner_tells_codes_output_missing_programs_and_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    done = run([sys.executable, "-SEc", "import sys; print('out'); sys.exit('err')"])
    assert (done.code, done.output.split()) == (1, ["out", "err"])
    assert run(["/no/such/codesign"]) == Done(127, "No such file or directory")
    monkeypatch.setattr(tools, "SECONDS", 0.05)
    assert run([sys.executable, "-SEc", "import time; time.sleep(60)"]) == Done(124, "it did not end within 0.05 s")


def test_a_program_that_fails_is_quoted_with_its_last_line() -> None:
    mac = Tools(lambda words: Done(1, "Codex.app: replacing existing signature\nCodex.app: internal error\n"))
    with pytest.raises(AppError, match=r"^signing the app failed: /usr/bin/codesign ended with code 1: Codex.app: internal error$"):
        mac.sign(App(Path("Codex.app")))
