"""`patch-app` and `restore-app` on an app that is on the disk: all or nothing, whatever fails, and back to the last byte."""

from __future__ import annotations

import errno
import plistlib
import shutil
from pathlib import Path
from typing import Any

import codex_pages
import msgspec
import pytest
from asar_builder import build, hashes, header_of
from codex_shim.orchestrator.app import bundle, draft, patching
from codex_shim.orchestrator.app.backups import Backups
from codex_shim.orchestrator.app.bundle import App, AppError
from codex_shim.orchestrator.app.survey import survey
from mac_app import OTHERS, make_app, picture
from systems import needs_modes


class Killed(BaseException):
    """Nobody catches it but the cleaning up."""


def left_over(tmp_path: Path) -> list[str]:
    """What there is besides the app: nothing may be, after a failure."""
    apps = [str(path.name) for folder in ("Applications", "user/Applications") for path in (tmp_path / folder).glob("*")]
    return [*sorted(apps), *(path.name for path in (tmp_path / "user" / ".codex-shim" / "backups" / "app").glob("*"))]


@needs_modes
@pytest.mark.parametrize("form", [plistlib.FMT_XML, plistlib.FMT_BINARY])
def test_an_app_is_patched_signed_and_put_back_to_the_last_byte(
    tmp_path: Path, home, patch, restore, mac, form: plistlib.PlistFormat
) -> None:
    app = App(make_app(tmp_path / "Applications" / "Codex.app", form=form))
    before = picture(app.path)
    done = patch(app)
    assert (done.app, done.version, done.changed, done.ours, done.copied) == (app.path, "26.810.4", True, True, False)
    after = picture(app.path)
    changed = {name for name in before if before[name] != after.get(name)}
    framework = "Contents/Frameworks/Electron Framework.framework/Versions/A/Electron Framework"
    assert changed == {"Contents/Resources/app.asar", "Contents/Info.plist", "Contents/_CodeSignature/CodeResources", framework}
    assert (before.keys(), [before[name][0] for name in changed]) == (after.keys(), [after[name][0] for name in changed])
    assert (survey(app).plan.done, app.fits()) == (True, True)
    assert app.info_file.read_bytes().startswith(b"bplist00") == (form is plistlib.FMT_BINARY)
    signed = str(app.path.parent / draft.FOLDER / "Codex.app")
    assert [call[0:1] + call[-1:] for call in mac.calls if "codesign" in call[0]] == [["/usr/bin/codesign", signed]] * 2
    (kept,) = Backups(home).all()
    assert picture(kept.original) == before
    assert (kept.folder.stat().st_mode & 0o777, kept.record.state) == (0o700, "patched")
    back = restore()
    assert (back.app, back.copied, back.signed) == (app.path, False, True)
    assert picture(app.path) == before
    assert left_over(tmp_path) == ["Codex.app"]


def test_the_new_archive_is_that_of_a_packer(app: App, patch) -> None:
    patch(app)
    after = app.archive_file.read_bytes()
    with app.archive() as archive:
        pages = {path: archive.content(path) for path in codex_pages.NEW}
        assert app.info().header_hash == archive.header_hash
    assert after == build({**OTHERS, **pages})
    assert hashes(pages["webview/assets/app-initial-Cq1.js"], 4 << 20)["hash"].encode() in header_of(after)


def test_a_second_patch_finds_nothing_to_do(app: App, patch, mac) -> None:
    patch(app)
    before, calls = picture(app.path), len(mac.calls)
    done = patch(app)
    assert (done.changed, done.ours, picture(app.path), len(mac.calls)) == (False, True, before, calls)


def test_what_another_tool_has_patched_is_left_alone(app: App, patch, restore, home, mac) -> None:
    patch(app)
    (kept,) = Backups(home).all()
    Backups(home).discard(kept)
    done = patch(app)
    assert (done.changed, done.ours) == (False, False)
    with pytest.raises(AppError, match="no app was patched"):
        restore()


def fail_at_rename(monkeypatch: pytest.MonkeyPatch, number: int, error: BaseException) -> None:
    """The n-th rename of a bundle fails; those that clean up work."""
    rename, seen = Path.rename, []

    def renaming(path: Path, target: Path) -> Path:
        seen.append(path)
        if len(seen) == number:
            raise error
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", renaming)


def no_room(*_: Any) -> Any:
    raise OSError(errno.ENOSPC, "No space left on device", "app.asar.new")


def killed(*_: Any) -> Any:
    raise Killed


FAILURES = {
    "ditto": (
        "copying the app failed: /usr/bin/ditto ended with code 1: ditto: no such luck",
        lambda m, mac: setattr(mac, "fails", "ditto"),
    ),
    "sign": ("signing the app failed", lambda m, mac: setattr(mac, "fails", "codesign --sign")),
    "verify": ("checking the signature failed", lambda m, mac: setattr(mac, "fails", "codesign --verify")),
    "archive": ("there is no room for a second copy", lambda m, mac: m.setattr(draft, "write_archive", no_room)),
    "other archive": ("does not read as it was meant", lambda m, mac: m.setattr(draft, "differing", lambda *_: {"package.json"})),
    "hashes": ("there is no room", lambda m, mac: m.setattr(draft, "write_hashes", no_room)),
    "forgotten hash": ("not what the patched app would accept", lambda m, mac: m.setattr(draft, "write_hashes", lambda *_: None)),
    "killed while copying": (None, lambda m, mac: setattr(mac, "at", lambda command: command == "ditto" and killed())),
    "killed while signing": (None, lambda m, mac: setattr(mac, "at", lambda command: command == "codesign --sign" and killed())),
    "first rename": (
        "App Management",
        lambda m, mac: fail_at_rename(m, 1, PermissionError(errno.EPERM, "Operation not permitted", "x")),
    ),
    "second rename": ("as it was", lambda m, mac: fail_at_rename(m, 2, OSError(errno.EIO, "Input/output error", "x"))),
    "killed between": (None, lambda m, mac: fail_at_rename(m, 2, Killed())),
}


@pytest.mark.parametrize("what", FAILURES)
def test_a_failure_leaves_everything_as_it_was(
    what: str, app: App, tmp_path: Path, patch, mac, monkeypatch: pytest.MonkeyPatch
) -> None:
    sentence, arrange = FAILURES[what]
    before = picture(app.path)
    arrange(monkeypatch, mac)
    with pytest.raises(AppError if sentence else Killed, match=sentence):
        patch(app)
    monkeypatch.undo()
    assert picture(app.path) == before
    assert left_over(tmp_path) == ["Codex.app"]
    mac.fails, mac.at = "", lambda command: None
    assert patch(app).changed


def test_a_record_that_cannot_be_finished_puts_the_original_back(app: App, tmp_path: Path, patch, monkeypatch) -> None:
    before, put = picture(app.path), Backups.put

    def failing(self: Backups, kept: Any, record: Any) -> Any:
        if record.state == "patched":
            no_room()
        return put(self, kept, record)

    monkeypatch.setattr(Backups, "put", failing)
    with pytest.raises(AppError, match="there is no room"):
        patch(app)
    assert (picture(app.path), left_over(tmp_path)) == (before, ["Codex.app"])


def test_an_original_that_cannot_be_put_back_is_named_and_saved_by_the_next_command(
    app: App, tmp_path: Path, home, patch, restore, said, monkeypatch
) -> None:
    before, rename = picture(app.path), Path.rename

    def renaming(path: Path, target: Path) -> Path:
        if target == app.path:
            raise OSError(errno.EIO, "Input/output error", str(target))
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", renaming)
    with pytest.raises(AppError, match=r"could not be put back .* it is whole in .*original; `codex-shim restore-app` tries again"):
        patch(app)
    monkeypatch.undo()
    assert not app.path.exists()
    done = restore()
    assert (done.app, done.copied, "was put back" in said[-1]) == (app.path, False, True)
    assert (picture(app.path), left_over(tmp_path)) == (before, ["Codex.app"])


@pytest.mark.parametrize("moment", ["begun", "between", "swapped"])
def test_what_a_killed_command_leaves_is_put_right_by_the_next(
    moment: str, app: App, tmp_path: Path, home, patch, restore, said, mac, monkeypatch
) -> None:
    """Killed for good: nothing of ours cleans up any more."""
    before = picture(app.path)
    with monkeypatch.context() as patched:
        patched.setattr(patching._Patching, "_undo", lambda *_: None)
        if moment == "begun":
            mac.at = lambda command: command == "codesign --sign" and killed()
        elif moment == "between":
            fail_at_rename(patched, 2, Killed())
        else:
            put = Backups.put
            patched.setattr(Backups, "put", lambda s, kept, record: killed() if record.state == "patched" else put(s, kept, record))
        with pytest.raises(Killed):
            patch(app)
    mac.at = lambda command: None
    assert len(left_over(tmp_path)) > 1
    assert app.path.exists() == (moment != "between")
    assert restore().app == app.path
    words = {"begun": "the app itself is whole", "between": "was put back", "swapped": "its record was completed"}
    assert words[moment] in said[-1]
    assert (picture(app.path), left_over(tmp_path)) == (before, ["Codex.app"])


def test_an_app_that_runs_is_not_touched(app: App, tmp_path: Path, patch, restore, mac) -> None:
    before = picture(app.path)
    mac.listing = (
        f"    1 /sbin/launchd\n 4711 {app.path}/Contents/MacOS/Codex\n  812 {app.path}/Contents/Resources/codex\n 9 {app.path}2/x\n"
    )
    with pytest.raises(AppError, match=r"is running \(pid 4711, 812\); quit it with ⌘Q"):
        patch(app)
    assert (picture(app.path), left_over(tmp_path)) == (before, ["Codex.app"])
    idle, mac.listing = mac.listing, ""

    def opened(command: str) -> None:  # while we work on the draft
        mac.listing = idle if command == "codesign --verify" else mac.listing

    mac.at = opened
    with pytest.raises(AppError, match="is running"):
        patch(app)
    assert (picture(app.path), left_over(tmp_path)) == (before, ["Codex.app"])
    mac.at, mac.listing = lambda command: None, ""
    patch(app)
    after, mac.listing = picture(app.path), idle
    with pytest.raises(AppError, match="is running"):
        restore()
    assert picture(app.path) == after


def test_an_app_that_is_updated_meanwhile_is_not_replaced(app: App, tmp_path: Path, patch, mac) -> None:
    def update(command: str) -> None:
        if command == "codesign --sign":
            app.archive_file.write_bytes(build({**OTHERS, "webview/assets/x.js": b"a newer version"}))

    mac.at = update
    with pytest.raises(AppError, match="was updated in the meantime"):
        patch(app)
    assert (b"a newer version" in app.archive_file.read_bytes(), left_over(tmp_path)) == (True, ["Codex.app"])


def newer(app: App) -> None:
    """What an updater does."""
    shutil.rmtree(app.path)
    make_app(app.path, {"webview/assets/all.js": codex_pages.CATALOG + codex_pages.RECENT}, version="26.825.1")


def test_an_old_backup_never_comes_over_a_newer_app(app: App, home, patch, restore) -> None:
    """D72."""
    patch(app)
    newer(app)
    updated = picture(app.path)
    with pytest.raises(AppError, match=r"\(version 26.825.1\) is not what was patched \(version 26.810.4\): an update"):
        restore()
    assert picture(app.path) == updated
    patch(app)
    assert [kept.record.version for kept in Backups(home).all()] == ["26.825.1"], "the backup of the old version is gone"
    restore()
    assert picture(app.path) == updated


def test_the_same_version_installed_once_more_can_be_patched_again(app: App, home, patch, restore, tmp_path: Path) -> None:
    before = picture(app.path)
    patch(app)
    shutil.rmtree(app.path)
    make_app(app.path)
    patch(app)
    assert len(Backups(home).all()) == 1
    restore()
    assert picture(app.path) == before


def test_restore_refuses_what_is_gone_or_was_tampered_with(app: App, home, patch, restore) -> None:
    patch(app)
    (kept,) = Backups(home).all()
    (kept.original / "Contents" / "Info.plist").write_bytes(b"other")
    after = picture(app.path)
    with pytest.raises(AppError, match="is not what was put there"):
        restore()
    assert picture(app.path) == after
    app.path.rename(app.path.with_name("Elsewhere.app"))
    with pytest.raises(AppError, match="is not there any more, so nothing was put back; the original is kept in"):
        restore()
    with pytest.raises(AppError, match=r"Else\.app was not patched"):
        restore(app.path.with_name("Else.app"))


@pytest.mark.parametrize("number", [1, 2])
def test_a_restore_that_fails_leaves_the_patched_app(number: int, app: App, home, patch, restore, monkeypatch) -> None:
    before = picture(app.path)
    patch(app)
    after = picture(app.path)
    with monkeypatch.context() as patched:
        fail_at_rename(patched, number, PermissionError(errno.EPERM, "Operation not permitted", "x"))
        with pytest.raises(AppError, match="App Management"):
            restore()
    assert picture(app.path) == after
    restore()
    assert picture(app.path) == before


def test_a_restore_that_is_killed_between_its_renames_is_finished_by_the_next(
    app: App, tmp_path: Path, home, patch, restore, said
) -> None:
    before = picture(app.path)
    patch(app)
    (kept,) = Backups(home).all()
    Backups(home).put(kept, msgspec.structs.replace(kept.record, state="swapping"))
    aside = draft.place(app.path).path
    aside.parent.mkdir()
    app.path.rename(aside)
    assert restore().app == app.path
    assert "was put back" in said[-1]
    assert (picture(app.path), left_over(tmp_path)) == (before, ["Codex.app"])


def test_a_signature_that_macos_does_not_accept_is_told(app: App, patch, restore, mac) -> None:
    patch(app)
    mac.fails = "codesign --verify"
    assert not restore().signed


def test_a_home_on_another_volume_is_refused_before_anything_is_copied(app: App, tmp_path: Path, patch, mac, monkeypatch) -> None:
    monkeypatch.setattr(patching, "volume", lambda folder: hash(folder))
    with pytest.raises(AppError, match=r"is on another volume than .*; use `--home` to keep the backup on that one"):
        patch(app)
    assert (left_over(tmp_path), [call for call in mac.calls if "ditto" in call[0]]) == (["Codex.app"], [])


# -- an app that cannot be written ------------------------------------------------------------------------------------


@pytest.fixture
def guarded(app: App, monkeypatch: pytest.MonkeyPatch) -> App:
    monkeypatch.setattr(patching, "writable", lambda asked: asked.path != app.path)
    return app


def test_of_an_app_that_cannot_be_written_a_copy_is_patched(guarded: App, tmp_path: Path, home, patch, restore) -> None:
    before = picture(guarded.path)
    done = patch(guarded)
    copy = App(tmp_path / "user" / "Applications" / "Codex.app")
    assert (done.app, done.changed, done.copied, survey(copy).plan.done) == (copy.path, True, True, True)
    assert picture(guarded.path) == before
    again = patch(guarded)
    assert (again.app, again.changed, again.copied, again.ours) == (copy.path, False, True, True)
    direct = patch(copy)
    assert (direct.changed, direct.copied) == (False, True)
    back = restore()
    assert (back.app, back.copied, back.signed) == (guarded.path, True, True)
    assert (picture(guarded.path), left_over(tmp_path)) == (before, ["Codex.app"])


def test_a_copy_of_an_older_version_is_told_of(guarded: App, tmp_path: Path, patch, restore) -> None:
    patch(guarded)
    newer(guarded)
    with pytest.raises(
        AppError, match=r"patched copy of version 26.810.4, .* is another one by now; `codex-shim restore-app` removes"
    ):
        patch(guarded)
    restore()
    assert patch(guarded).version == "26.825.1"


def test_a_copy_that_is_not_ours_is_not_overwritten(guarded: App, tmp_path: Path, patch) -> None:
    theirs = make_app(tmp_path / "user" / "Applications" / "Codex.app", version="1.0")
    before = picture(theirs)
    with pytest.raises(AppError, match="is something else; move it away, or patch that one"):
        patch(guarded)
    assert picture(theirs) == before


def test_a_copy_that_fails_leaves_nothing(guarded: App, tmp_path: Path, patch, mac) -> None:
    mac.fails = "codesign --sign"
    with pytest.raises(AppError, match="signing the app failed"):
        patch(guarded)
    assert left_over(tmp_path) == ["Codex.app"]


# -- apps that are not known ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("page", "words"),
    [
        (
            b"no models here",
            r"\(version 26.810.4\) is not known here, and was not changed: the allow-list of the model picker was not found",
        ),
        (codex_pages.LOOP * 2 + codex_pages.RECENT, "was found in 2 places"),
    ],
)
def test_an_app_with_other_pages_is_refused(page: bytes, words: str, tmp_path: Path, patch) -> None:
    app = App(make_app(tmp_path / "Applications" / "Codex.app", {"webview/assets/x.js": page}))
    before = picture(app.path)
    with pytest.raises(AppError, match=words):
        patch(app)
    assert (picture(app.path), left_over(tmp_path)) == (before, ["Codex.app"])


def test_a_broken_archive_or_plist_is_refused(app: App, patch) -> None:
    app.archive_file.write_bytes(b"")
    with pytest.raises(AppError, match=r"app.asar cannot be used: it is empty"):
        patch(app)
    app.info_file.write_bytes(b"<plist>")
    with pytest.raises(AppError, match=r"Info.plist is not known here: it cannot be read"):
        patch(app)


def test_electrons_digest_of_another_version_is_refused(app: App, tmp_path: Path, patch) -> None:
    program = app.framework_file.read_bytes()
    app.framework_file.write_bytes(program.replace(b"\1\1", b"\1\7"))
    with pytest.raises(AppError, match="version 7, which is not known here"):
        patch(app)
    assert left_over(tmp_path) == ["Codex.app"]


def test_the_app_is_found_where_apps_are_and_nothing_else_is_taken_for_it(tmp_path: Path) -> None:
    first, second = tmp_path / "Applications", tmp_path / "user" / "Applications"
    with pytest.raises(AppError, match=r"there is no Codex Desktop in .*Applications nor in .*user/Applications; name its path"):
        bundle.find(None, [first, second])
    make_app(first / "ChatGPT.app", identifier="com.openai.chat")
    late = make_app(second / "Codex.app")
    assert bundle.find(None, [first, second]).path == late
    newer_name = make_app(first / "Some Folder" / "ChatGPT.app")
    assert bundle.find(newer_name, []).path == newer_name
    with pytest.raises(AppError, match=r"is not Codex but `com.openai.chat`; nothing was changed"):
        bundle.find(first / "ChatGPT.app", [])
    with pytest.raises(AppError, match="is no app of macOS"):
        bundle.find(tmp_path, [])
