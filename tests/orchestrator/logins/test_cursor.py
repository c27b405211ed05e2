"""The Cursor login: which program is asked, what its answers mean, and that asking leaves nothing behind."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import pytest
from codex_shim.orchestrator.logins import cursor
from systems import needs_posix, needs_proc
from waiting import until

IN = '{"status":"authenticated","isAuthenticated":true,"hasAccessToken":true,"userInfo":{"email":"jane@example.com"}}'
OUT = '{"status":"unauthenticated","isAuthenticated":false,"message":"Not logged in"}'


def program(path: Path, body: str) -> Path:
    """A stand-in for cursor-agent; `body` is Python."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!{sys.executable} -SE\nimport os, sys, time\n{body}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("output", "usable"),
    [
        (IN, True),
        (OUT, False),
        (f"warning: something\n{IN}\n", True),
        ("\x1b[32m✓ Logged in as jane@example.com\x1b[0m", True),
        ("Not logged in", False),
        ("You are not logged in. Please run 'agent login' (then you are logged in)", False),
    ],
)
def test_answers_are_understood_and_name_nobody(output: str, usable: bool) -> None:
    state = cursor.parse_status(output)
    assert (state.usable, state.certain) == (usable, True)
    assert "jane" not in state.reason
    assert usable or "`cursor-agent login`" in state.reason


@pytest.mark.parametrize("output", ["", "{}", "{", "Segmentation fault", '{"isAuthenticated":"yes"}', "[true]"])
def test_what_is_not_understood_is_no_login_and_not_certain(output: str) -> None:
    state = cursor.parse_status(output)
    assert (state.usable, state.certain) == (False, False)
    assert "run it by hand" in state.reason


def test_a_locked_keychain_is_named() -> None:
    state = cursor.parse_status("", "Error: Your macOS login keychain is locked.")
    assert not state.usable
    assert "unlock it" in state.reason


@needs_posix
def test_the_programs_are_tried_in_their_order(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path), "PATH": str(tmp_path / "bin")}
    assert cursor.find_binary(environ) is None
    versions = tmp_path / ".local" / "share" / "cursor-agent" / "versions" / "2026.10.01"
    real = program(versions / "cursor-agent", "")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "agent").symlink_to(real)
    assert cursor.find_binary(environ) == tmp_path / "bin" / "agent"
    own = program(tmp_path / ".local" / "bin" / "cursor-agent", "")
    assert cursor.find_binary(environ) == own
    on_path = program(tmp_path / "bin" / "cursor-agent", "")
    assert cursor.find_binary(environ) == on_path
    assert cursor.find_binary({**environ, "CURSOR_AGENT_BIN": str(real)}) == real


def test_another_products_agent_is_not_taken(tmp_path: Path) -> None:
    program(tmp_path / "bin" / "agent", "")
    assert cursor.find_binary({"HOME": str(tmp_path), "PATH": str(tmp_path / "bin")}) is None


def test_a_program_that_is_named_wrongly_is_not_replaced(tmp_path: Path) -> None:
    program(tmp_path / "bin" / "cursor-agent", "")
    environ = {"HOME": str(tmp_path), "PATH": str(tmp_path / "bin"), "CURSOR_AGENT_BIN": str(tmp_path / "gone")}
    assert cursor.find_binary(environ) is None


def test_a_path_that_begins_nowhere_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would lead elsewhere for the chain, which has another working folder than the command that starts it."""
    own = program(tmp_path / "bin" / "another-name", "")
    monkeypatch.chdir(tmp_path)
    environ = {"HOME": str(tmp_path), "PATH": str(tmp_path / "bin")}
    assert cursor.find_binary({**environ, "CURSOR_AGENT_BIN": "bin/another-name"}) is None
    assert cursor.find_binary({**environ, "CURSOR_AGENT_BIN": "another-name"}) == own


def test_the_program_is_asked_without_keys(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    body = f"open({str(seen)!r}, 'w').write(repr((sys.argv[1:], sorted(os.environ))))\nprint({IN!r})"
    binary = program(tmp_path / "cursor-agent", body)
    environ = {
        "PATH": os.defpath,
        "HOME": str(tmp_path),
        "CURSOR_API_KEY": "crsr_x",
        "OPENAI_API_KEY": "sk",
        "XDG_CONFIG_HOME": "/x",
    }
    assert cursor.probe(binary, environ).usable
    arguments, names = eval(seen.read_text())
    assert arguments == ["status", "--format", "json"]
    assert {"PATH", "HOME", "XDG_CONFIG_HOME", "NO_OPEN_BROWSER"} <= set(names)
    assert not {"CURSOR_API_KEY", "OPENAI_API_KEY"} & set(names)


def test_an_old_build_is_asked_for_words(tmp_path: Path) -> None:
    body = (
        "if '--format' in sys.argv: sys.exit(\"error: unknown option '--format'\")\nprint('\\u2713 Logged in as jane@example.com')"
    )
    binary = program(tmp_path / "cursor-agent", body)
    assert cursor.probe(binary, {"PATH": os.defpath, "PYTHONIOENCODING": "utf-8", "LC_ALL": "C.UTF-8"}).usable


@needs_proc
def test_a_program_that_hangs_is_ended_with_what_it_started(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    body = f"child = os.fork()\nopen({str(pids)!r}, 'a').write(f'{{os.getpid()}}\\n')\ntime.sleep(600)"
    binary = program(tmp_path / "cursor-agent", body)
    given_up = threading.Event()

    def written() -> list[str]:
        return pids.read_text().split() if pids.exists() else []

    answers: list[cursor.LoginState] = []
    thread = threading.Thread(target=lambda: answers.append(cursor.probe(binary, {"PATH": os.defpath}, 600, given_up)))
    thread.start()
    until(lambda: len(written()) == 2, "both processes run")
    given_up.set()
    thread.join()
    assert (answers[0].usable, answers[0].certain) == (False, False)
    until(lambda: not [pid for pid in written() if _lives(pid)], "both processes have ended")


def test_a_limit_ends_the_question(tmp_path: Path) -> None:
    state = cursor.probe(program(tmp_path / "cursor-agent", "time.sleep(600)"), {"PATH": os.defpath}, 0.0)
    assert (state.usable, state.certain) == (False, False)
    assert "did not answer within 0 seconds" in state.reason


def test_a_helper_that_keeps_the_output_open_keeps_nobody_waiting(tmp_path: Path) -> None:
    body = f"print({IN!r}, flush=True)\nif os.fork() == 0: time.sleep(600)"
    assert cursor.probe(program(tmp_path / "cursor-agent", body), {"PATH": os.defpath}, 60).usable


def test_a_program_that_cannot_be_started_is_named(tmp_path: Path) -> None:
    state = cursor.probe(tmp_path / "gone", {})
    assert (state.usable, state.certain) == (False, True)
    assert f"{tmp_path / 'gone'} cannot be started" in state.reason


def test_the_files_of_a_login_follow_the_environment(tmp_path: Path) -> None:
    assert tmp_path / ".config" / "cursor" / "auth.json" in cursor.login_files({"HOME": str(tmp_path)})
    assert Path("/x/cursor/auth.json") in cursor.login_files({"HOME": str(tmp_path), "XDG_CONFIG_HOME": "/x"})


def _lives(pid: str) -> bool:
    try:
        return (Path("/proc") / pid / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
