"""`codex-shim patch-app` and `restore-app`, with the programs of macOS replaced."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from codex_shim.orchestrator import system
from codex_shim.orchestrator.app import bundle, tools
from codex_shim.orchestrator.cli import app
from codex_shim.orchestrator.home import Home
from mac_app import FakeMac, make_app, picture
from typer.testing import CliRunner


def shim(tmp_path: Path, *words: str) -> Any:
    bare = dict.fromkeys(os.environ) | {"PATH": os.defpath, "HOME": str(tmp_path / "user")}
    return CliRunner().invoke(app, ["--home", str(tmp_path / "user" / "shim"), *words], env=bare)


@pytest.fixture
def mac(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeMac:
    """As if this were macOS, with apps nowhere but in the test's folders."""
    fake = FakeMac()
    (tmp_path / "user").mkdir()
    monkeypatch.setattr(system, "has_app_bundles", lambda: True)
    monkeypatch.setattr(tools.Tools.__init__, "__defaults__", (fake,))
    monkeypatch.setattr(bundle, "folders", lambda user: [tmp_path / "Applications", user / "Applications"])
    return fake


@pytest.mark.parametrize("words", [["patch-app"], ["patch-app", "--check"], ["restore-app", "--json"]])
def test_elsewhere_it_is_a_sentence_and_nothing_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    monkeypatch.setattr(system, "has_app_bundles", lambda: False)
    done = shim(tmp_path, *words)
    assert done.exit_code == 1
    assert f"error: `codex-shim {words[0]}` is for the app of macOS; elsewhere `codex-shim model use NAME`" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_check_patch_and_restore_say_what_they_do(tmp_path: Path, mac: FakeMac) -> None:
    path = make_app(tmp_path / "Applications" / "Codex.app")
    before = picture(tmp_path)
    looked = shim(tmp_path, "patch-app", "--check")
    page = "webview/assets/app-initial-Cq1.js"
    assert looked.stdout.splitlines() == [
        f"{path} (version 26.810.4) can be patched:",
        f"  picker   to do  {page}",
        f"  picker   to do  {page}",
        "  threads  to do  webview/assets/threads-9aZ.js",
    ]
    assert (looked.exit_code, picture(tmp_path), mac.calls) == (0, before, [])
    assert not json.loads(shim(tmp_path, "patch-app", "--check", "--json").stdout)["patched"]

    patched = shim(tmp_path, "patch-app")
    assert (patched.exit_code, f"{path} (version 26.810.4) is patched. Next: open {path}" in patched.stdout) == (0, True)
    assert f"{path} (version 26.810.4) is patched:" in shim(tmp_path, "patch-app", "--check").stdout
    again = json.loads(shim(tmp_path, "patch-app", str(path), "--json").stdout)
    assert (again["app"], again["changed"], again["ours"], again["places"][2]["state"]) == (str(path), False, True, "applied")
    assert "is patched already." in shim(tmp_path, "patch-app").stdout

    restored = shim(tmp_path, "restore-app")
    assert (restored.exit_code, restored.stdout) == (0, f"{path} (version 26.810.4) is the original again.\n")
    assert picture(path) == {name[len("Applications/Codex.app/") :]: it for name, it in before.items() if "Codex.app/" in name}
    refused = shim(tmp_path, "restore-app")
    assert (refused.exit_code, "no app was patched by codex-shim with this home" in refused.stderr) == (1, True)


def test_what_cannot_be_done_is_one_sentence(tmp_path: Path, mac: FakeMac) -> None:
    assert "there is no Codex Desktop in" in shim(tmp_path, "patch-app").stderr
    make_app(tmp_path / "Applications" / "Codex.app")
    mac.fails = "codesign --sign"
    done = shim(tmp_path, "patch-app")
    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
    assert "signing the app failed" in done.stderr
    assert "Codex.app is as it was" in done.stderr


def test_two_at_a_time_do_not_work_on_an_app(tmp_path: Path, mac: FakeMac) -> None:
    make_app(tmp_path / "Applications" / "Codex.app")
    lock = system.Lock(Home(tmp_path / "user" / "shim").run / "app.lock")
    assert lock.acquire()
    assert "another codex-shim is changing an app just now" in shim(tmp_path, "patch-app").stderr
    lock.release()
    assert shim(tmp_path, "patch-app", "--json").exit_code == 0
