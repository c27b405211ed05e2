"""Codex Desktop: on macOS whether it is patched and fits, on Windows why there is no patch."""

from __future__ import annotations

import shutil
from pathlib import Path

import codex_pages
import msgspec
import pytest
from codex_shim.orchestrator.app import patching
from codex_shim.orchestrator.app.backups import Backups
from codex_shim.orchestrator.app.bundle import App
from codex_shim.orchestrator.app.tools import Tools
from codex_shim.orchestrator.doctor import desktop
from codex_shim.orchestrator.home import Home
from mac_app import FakeMac, make_app


@pytest.fixture
def app(tmp_path: Path) -> App:
    return App(make_app(tmp_path / "Applications" / "Codex.app"))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "shim")


def status(app: App, home: Home) -> tuple[str, str]:
    (check,) = desktop.check_macos([app], Backups(home))
    assert check.remedy or check.status in ("OK", "INFO")
    return check.status, check.message


def test_from_before_the_patch_to_after_an_update(app: App, home: Home, tmp_path: Path) -> None:
    assert status(app, home) == ("INFO", f"{app.path} (version 26.810.4) is not patched")
    patching.patch(app, home, Tools(FakeMac()), tmp_path)
    assert status(app, home) == ("OK", f"{app.path} (version 26.810.4) is patched, and fits")
    assert "is patched, not by codex-shim with this home, and fits" in status(app, Home(tmp_path / "other"))[1]
    shutil.rmtree(app.path)
    make_app(app.path, {"webview/assets/x.js": codex_pages.CATALOG + codex_pages.RECENT}, version="26.825.1")
    assert status(app, home)[0] == "WARN"
    assert "(version 26.825.1) was updated since it was patched (version 26.810.4)" in status(app, home)[1]
    assert "seems to show the models of a configured catalog by itself" in status(app, Home(tmp_path / "other"))[1]


def test_an_app_whose_archive_is_not_the_one_it_expects_does_not_start(app: App, home: Home) -> None:
    app.info_file.write_bytes(app.info_file.read_bytes().replace(app.info().header_hash.encode(), b"0" * 64))  # pyright: ignore
    assert status(app, home)[0] == "FAIL"


def test_a_digest_that_does_not_fit_is_noticed_as_well(app: App, home: Home) -> None:
    program = app.framework_file.read_bytes()
    app.framework_file.write_bytes(program[:-5] + bytes([program[-5] ^ 1]) + program[-4:])
    assert status(app, home)[0] == "FAIL"


def test_an_app_that_is_not_known_is_a_warning_with_another_way(tmp_path: Path, home: Home) -> None:
    app = App(make_app(tmp_path / "Codex.app", {"webview/assets/x.js": b""}))
    assert status(app, home)[0] == "WARN"


def test_a_command_that_was_killed_is_told_of(app: App, home: Home, tmp_path: Path) -> None:
    patching.patch(app, home, Tools(FakeMac()), tmp_path)
    backups = Backups(home)
    (kept,) = backups.all()
    backups.put(kept, msgspec.structs.replace(kept.record, state="swapping"))
    shutil.rmtree(app.path)
    unfinished, missing = desktop.check_macos([], backups)
    assert (unfinished.status, unfinished.remedy, missing.status) == ("WARN", "`codex-shim restore-app`", "INFO")
    assert "ended in the middle; the app is not in its place" in unfinished.message


def test_on_windows_the_limit_is_explained(tmp_path: Path) -> None:
    environ = {"LOCALAPPDATA": str(tmp_path)}
    (check,) = desktop.judge_windows(desktop.store_app(environ))
    assert "is not installed from the Store" in check.message
    (tmp_path / "Packages" / "OpenAI.Codex_2p2nqsd0c76g0").mkdir(parents=True)
    (check,) = desktop.judge_windows(desktop.store_app(environ))
    assert (check.status, "may not show every model" in check.message) == ("INFO", True)
    assert "codex-shim model use NAME" in (check.remedy or "")
    assert not desktop.store_app({})


@pytest.mark.parametrize(("bundles", "store"), [(True, False), (False, True), (False, False)])
def test_each_system_has_its_look(subject, monkeypatch: pytest.MonkeyPatch, bundles: bool, store: bool) -> None:
    monkeypatch.setattr(desktop, "has_app_bundles", lambda: bundles)
    monkeypatch.setattr(desktop, "has_store_apps", lambda: store)
    (check,) = desktop.check(subject())
    assert (check.section, check.status) == ("Codex Desktop", "INFO")
