"""What is asked of the system, on trees and streams that are pretended."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from codex_shim.orchestrator import system
from systems import needs_linux


def tree(root: Path, **files: str) -> Path:
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@needs_linux
def test_a_service_manager_is_there_or_why_not(tmp_path: Path) -> None:
    assert system.service_manager(tree(tmp_path / "a", run__systemd__system__x="")) == ("systemd", "")
    container = tree(tmp_path / "b")
    (container / "run").mkdir(parents=True)
    (container / ".dockerenv").touch()
    assert "this is a container" in system.service_manager(container)[1]
    wsl = tree(tmp_path / "c", proc__sys__kernel__osrelease="5.15.0-microsoft-standard-WSL2\n")
    assert "systemd=true" in system.service_manager(wsl)[1]
    assert "does not run systemd" in system.service_manager(tmp_path / "d")[1]


def test_each_system_has_its_manager(monkeypatch: pytest.MonkeyPatch) -> None:
    for platform, kind in (("win32", "tasks"), ("darwin", "launchd")):
        monkeypatch.setattr(sys, "platform", platform)
        assert system.service_manager() == (kind, "")


def test_the_account_and_the_quiet_interpreter_of_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert system.account({"USERDOMAIN": "HERE", "USERNAME": "me"}) == "HERE\\me"
    python, quiet = tmp_path / "python.exe", tmp_path / "pythonw.exe"
    monkeypatch.setattr(sys, "platform", "win32")
    assert system.windowless(str(python)) == str(python)
    quiet.touch()
    assert system.windowless(str(python)) == str(quiet)


def test_windows_keeps_variables_of_the_machine_and_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    assert system.lasting_variables() == {}
    kept = {1: [("Path", "C:\\w", 1), ("ONE", "machine", 1)], 2: [("one", "user", 1), ("KEY", 7, 4)]}

    class Key:
        def __init__(self, root: int, path: str) -> None:
            if "Session Manager" in path and root != 1:
                raise OSError
            self.values = kept[root]

        def __enter__(self) -> Key:
            return self

        def __exit__(self, *_: object) -> None: ...

    winreg = SimpleNamespace(
        HKEY_LOCAL_MACHINE=1,
        HKEY_CURRENT_USER=2,
        OpenKey=Key,
        QueryInfoKey=lambda key: (0, len(key.values), 0),
        EnumValue=lambda key, place: key.values[place],
        ExpandEnvironmentStrings=lambda text: text,
    )
    monkeypatch.setitem(sys.modules, "winreg", winreg)
    monkeypatch.setattr(sys, "platform", "win32")
    assert system.lasting_variables() == {"PATH": "C:\\w", "ONE": "user", "KEY": "7"}


@pytest.mark.parametrize(("platform", "written"), [("win32", "→ ●".encode()), ("linux", b"? ?")])
def test_an_old_code_page_ends_no_command(platform: str, written: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    buffer = io.BytesIO()
    stream = io.TextIOWrapper(buffer, encoding="cp1252")
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(sys, "platform", platform)
    system.speak_utf8()
    stream.write("→ ●")
    stream.flush()
    assert buffer.getvalue() == written


def test_a_command_line_is_taken_apart_as_its_system_does_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert system.words_of("pass 'my key' a\\ b") == ["pass", "my key", "a b"]
    monkeypatch.setattr(sys, "platform", "win32")
    assert system.words_of('"C:\\Program Files\\op.exe" read C:\\k# it\'s') == [
        "C:\\Program Files\\op.exe",
        "read",
        "C:\\k#",
        "it's",
    ]
    with pytest.raises(ValueError, match="quotation"):
        system.words_of('"open')


def test_a_variable_is_set_in_the_words_of_the_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    assert system.with_variable("A", "/my home", "codex") == "A='/my home' codex"
    assert system.with_variable("A", "~/my home/x", "codex") == "A=~/'my home/x' codex"
    monkeypatch.setattr(sys, "platform", "win32")
    assert system.with_variable("A", "C:\\it's", "codex") == "$env:A = 'C:\\it''s'; codex"
