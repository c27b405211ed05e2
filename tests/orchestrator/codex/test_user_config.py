"""The file of the user's configuration: replaced in one step, with a copy of what was there, and never over another's change."""

from __future__ import annotations

from pathlib import Path

import pytest
from codex_shim.orchestrator.codex.edit import EditError
from codex_shim.orchestrator.codex.user_config import UserConfig
from codex_shim.orchestrator.dated_copies import KEPT_COPIES
from codex_shim.orchestrator.home import Home
from codex_shim.orchestrator.system import Lock
from systems import needs_modes, needs_posix


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "shim")


@pytest.fixture
def config(tmp_path: Path, home: Home) -> UserConfig:
    return UserConfig.find({"CODEX_HOME": str(tmp_path / "codex")}, home)


@needs_modes
def test_it_is_made_and_goes_again_with_what_it_was_made_for(config: UserConfig) -> None:
    done = config.change(lambda text: text + "a = 1\n")
    assert (done.changed, done.backup) == (True, None)
    assert config.text() == "a = 1\n"
    assert config.path.stat().st_mode & 0o777 == 0o600
    assert config.change(lambda _: "").changed
    assert not config.path.exists()


@needs_modes
def test_what_was_there_is_kept_with_its_date_and_the_mode_stays(config: UserConfig) -> None:
    config.path.parent.mkdir()
    config.path.write_bytes(b"a = 1\r\n")
    config.path.chmod(0o640)
    done = config.change(lambda text: text + "b = 2\r\n")
    assert done.backup is not None
    assert done.backup.read_bytes() == b"a = 1\r\n"
    assert done.backup.stat().st_mode & 0o777 == 0o600
    assert config.path.read_bytes() == b"a = 1\r\nb = 2\r\n"
    assert config.path.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in config.path.parent.iterdir()] == ["config.toml"]


def test_nothing_is_written_where_nothing_changes_or_the_edit_refuses(config: UserConfig, home: Home) -> None:
    config.path.parent.mkdir()
    config.path.write_bytes(b"a = '\xff'")
    with pytest.raises(EditError, match="not UTF-8"):
        config.change(lambda text: text + "b")
    config.path.write_text("a = 1")

    def refuse(text: str) -> str:
        raise EditError("no")

    with pytest.raises(EditError):
        config.change(refuse)
    assert not config.change(lambda text: text).changed
    assert config.path.read_text() == "a = 1"
    assert not home.backups.exists()


@needs_posix
def test_a_link_stays_a_link(config: UserConfig, tmp_path: Path, home: Home) -> None:
    """People keep their settings in a repository of dotfiles."""
    config.path.parent.mkdir()
    real = tmp_path / "dotfiles.toml"
    real.write_text("a = 1\n")
    config.path.symlink_to(real)
    linked = UserConfig(config.path, home)
    linked.change(lambda text: text + "b = 2\n")
    assert config.path.is_symlink()
    assert real.read_text() == "a = 1\nb = 2\n"


def test_somebody_who_was_faster_is_not_written_over(config: UserConfig) -> None:
    config.path.parent.mkdir()
    config.path.write_text("a = 1\n")
    seen: list[str] = []

    def edit(text: str) -> str:
        if not seen:
            config.path.write_text("a = 2\n")  # Codex, in this very moment
        seen.append(text)
        return text + "b = 1\n"

    config.change(edit)
    assert seen == ["a = 1\n", "a = 2\n"]
    assert config.path.read_text() == "a = 2\nb = 1\n"


def test_what_another_program_writes_while_we_wait_for_it_is_not_written_over(
    config: UserConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Windows a file that is open cannot be replaced; whoever has it open may well be about to write it."""
    config.path.parent.mkdir()
    config.path.write_text("a = 1\n")
    replace, refused = Path.replace, []

    def busy(draft: Path, target: Path) -> Path:
        if target == config.path and not refused:
            refused.append(draft)
            config.path.write_text("a = 2\n")
            raise PermissionError(13, "The process cannot access the file because it is being used by another process")
        return replace(draft, target)

    monkeypatch.setattr(Path, "replace", busy)
    assert config.change(lambda text: text + "b = 1\n").changed
    assert config.path.read_text() == "a = 2\nb = 1\n"
    assert [path.name for path in config.path.parent.iterdir()] == ["config.toml"]


def test_one_at_a_time(config: UserConfig, home: Home) -> None:
    lock = Lock(home.run / "codex-config.lock")
    assert lock.acquire()
    with pytest.raises(EditError, match="try again"):
        config.change(lambda text: text + "a = 1\n")
    lock.release()
    assert config.change(lambda text: text + "a = 1\n").changed


def test_old_copies_go(config: UserConfig, home: Home) -> None:
    for number in range(KEPT_COPIES + 5):
        config.change(lambda text, number=number: f"a = {number}\n")
    assert len(list(home.backups.iterdir())) == KEPT_COPIES


def test_our_own_configuration_is_not_the_user_s(home: Home) -> None:
    home.local_token()
    environ = {"CODEX_HOME": str(home.codex_home), "HOME": "/home/me"}
    assert UserConfig.find(environ, home).path == Path("/home/me/.codex/config.toml")
