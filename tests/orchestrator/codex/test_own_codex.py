"""The user's own configuration as a file, connected, refreshed and taken back. Whatever happens, their part is theirs."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from codex_shim.orchestrator.codex import edit
from codex_shim.orchestrator.codex.edit import EditError
from codex_shim.orchestrator.codex.own_codex import OwnCodex
from codex_shim.orchestrator.home import Home, write_private
from codex_shim.orchestrator.settings.problems import ConfigError
from hypothesis import given, settings
from hypothesis import strategies as st

URL = "http://127.0.0.1:8765/v1"
MOVED = "http://127.0.0.1:9999/v1"
THEIRS = '# mine\nmodel = "gpt-5.5" # good\nmodel_provider = "openai"\n\n[mcp_servers.docs]\ncommand = "npx"\n'


def catalog(home: Home, *slugs: str) -> None:
    write_private(home.catalog, json.dumps({"models": [{"slug": slug} for slug in slugs]}).encode())


class User:
    """A home of ours with two models, and a Codex home with a configuration."""

    def __init__(self, folder: Path, text: str = THEIRS) -> None:
        self.home = Home(folder / "shim")
        self.home.local_token()
        catalog(self.home, "kimi", "qwen")
        self.folder = folder / "codex"
        self.folder.mkdir()
        self.path = self.folder / "config.toml"
        self.path.write_bytes(text.encode())
        environ = {"CODEX_HOME": str(self.folder), "HOME": str(folder)}
        self.codex = OwnCodex(environ, self.home)
        other = Home(folder / "other")
        other.local_token()
        catalog(other, "opus", "haiku")
        self.other = OwnCodex(environ, other)

    @property
    def text(self) -> str:
        return self.path.read_bytes().decode()

    @property
    def config(self) -> dict[str, Any]:
        return tomllib.loads(self.text)


@pytest.fixture
def user(tmp_path: Path) -> User:
    return User(tmp_path)


@pytest.mark.parametrize(("way", "login"), [("provider", False), ("provider", True), ("threads", False)])
def test_connected_and_back(user: User, way: Any, login: bool) -> None:
    done = user.codex.connect(way, login, "kimi", URL)
    assert done.now is not None
    assert (done.now.way, done.now.login, done.now.model, done.now.wrong) == (way, login, "kimi", [])
    assert done.kept == ["model", "model_provider"]
    assert done.backup is not None
    assert done.backup.read_text() == THEIRS
    back = user.codex.disconnect()
    assert (back.back, back.chosen, back.now) == (["model", "model_provider"], [], None)
    assert user.text == THEIRS


def test_a_rehearsal_writes_nothing_and_raises_what_the_edit_would(user: User) -> None:
    user.codex.rehearse("provider", False, "kimi", URL)
    assert user.text == THEIRS
    user.path.write_text("model_providers = {a = {name = 'x'}}\n")
    with pytest.raises(EditError):
        user.codex.rehearse("provider", False, "kimi", URL)


def test_what_is_no_toml_is_refused_with_its_place(user: User) -> None:
    user.path.write_text("a = 1\nmodel = \n")
    for change in (lambda: user.codex.connect("provider", False, "kimi", URL), user.codex.disconnect):
        with pytest.raises(ConfigError, match=r"config\.toml:2:9: this is not valid TOML"):
            change()
    assert user.text == "a = 1\nmodel = \n"


def test_our_own_files_are_not_needed_to_take_it_back(user: User) -> None:
    """The model is none that is known any more, and the catalog is gone."""
    user.codex.connect("provider", False, "kimi", URL)
    user.home.catalog.unlink()
    user.home.token.unlink()
    user.codex.disconnect()
    assert user.text == THEIRS


def test_what_was_chosen_since_stays(user: User) -> None:
    user.codex.connect("threads", False, "kimi", URL)
    user.path.write_text(user.text.replace('model = "kimi"', 'model = "gpt-6"', 1))
    done = user.codex.disconnect()
    assert (done.back, done.chosen) == (["model_provider"], ["model"])
    assert (user.config["model"], user.config["model_provider"]) == ("gpt-6", "openai")


# -- following the chain ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("way", "login"), [("provider", False), ("provider", True), ("threads", False)])
def test_d63_an_enabled_configuration_follows_the_chain_and_stays_as_it_was_chosen(user: User, way: Any, login: bool) -> None:
    user.codex.connect(way, login, "qwen", URL)
    assert user.codex.refresh(URL) is None
    done = user.codex.refresh(MOVED)
    assert done is not None
    assert done.now is not None
    assert (done.now.way, done.now.login, done.now.model, done.now.wrong) == (way, login, "qwen", [])
    user.codex.disconnect()
    assert user.text == THEIRS


def test_a_token_made_anew_is_followed(user: User) -> None:
    user.codex.connect("provider", False, "kimi", URL)
    user.home.token.unlink()
    token = user.home.local_token()
    assert user.codex.refresh(URL) is not None
    assert user.config["model_providers"]["codex_shim"]["experimental_bearer_token"] == token


def test_a_model_that_is_gone_gives_way_to_the_one_that_ours_has_chosen(user: User) -> None:
    user.codex.connect("provider", False, "kimi", URL)
    catalog(user.home, "qwen", "llama")
    write_private(user.home.codex_config, b'model = "llama"\n')
    user.codex.refresh(URL)
    assert user.config["model"] == "llama"


def test_a_model_whose_login_is_away_stays_as_in_our_own_configuration(user: User) -> None:
    catalog(user.home, "composer-2-5", "qwen")
    user.codex.connect("provider", False, "composer-2-5", URL)
    catalog(user.home, "qwen")
    write_private(user.home.codex_config, b'model = "composer-2-5"\n')
    assert user.codex.refresh(URL) is None
    assert user.config["model"] == "composer-2-5"


def test_a_model_that_somebody_chose_in_codex_is_followed_and_not_judged(user: User) -> None:
    user.codex.connect("provider", False, "kimi", URL)
    for model in ("qwen", "gpt-6"):
        user.path.write_text(user.text.replace(f'model = "{user.config["model"]}"', f'model = "{model}"', 1))
        user.codex.refresh(MOVED if model == "qwen" else URL)
        assert user.config["model"] == model


def test_nothing_of_another_home_and_nothing_that_was_taken_back_is_refreshed(user: User, tmp_path: Path) -> None:
    assert user.codex.refresh(URL) is None
    other = Home(tmp_path / "other")
    other.local_token()
    catalog(other, "kimi")
    others = OwnCodex({"CODEX_HOME": str(user.folder), "HOME": str(tmp_path)}, other)
    others.connect("provider", False, "kimi", MOVED)
    assert user.codex.refresh(URL) is None
    assert user.config["model_providers"]["codex_shim"]["base_url"] == MOVED
    user.path.write_text(user.text.replace('model_provider = "codex_shim"', 'model_provider = "openai"', 1))
    assert others.refresh(URL) is None, "somebody has led it elsewhere by hand"


def test_lines_that_somebody_wrote_by_hand_are_told_with_their_places(user: User) -> None:
    lines = ['model = "qwen"', 'model_provider = "codex_shim"', "", "[model_providers.codex_shim]", 'name = "x"', ""]
    user.path.write_text("\r\n".join(lines))
    done = user.codex.disconnect()
    assert (done.changed, done.now is not None) == (False, True)
    assert user.codex.by_hand() == [
        ("model", 1, 1),
        ("model_provider", 2, 2),
        ("model_providers.codex_shim", 4, 4),
        ("model_providers.codex_shim.name", 5, 5),
    ]


# -- any history ------------------------------------------------------------------------------------------------------


@contextmanager
def killed_before_the_new_text_takes_its_place() -> Iterator[None]:
    """The copy is made, the draft is written, and nothing more is done."""
    replace = Path.replace

    def dies(self: Path, target: Any) -> Path:
        if Path(target).name == "config.toml":
            raise KeyboardInterrupt
        return replace(self, target)

    with mock.patch.object(Path, "replace", dies), mock.patch.object(Path, "unlink", lambda *_, **__: None):
        yield


def test_d66_a_kill_between_the_copy_and_the_change_leaves_the_file_and_the_next_one_cleans_up(user: User) -> None:
    with pytest.raises(KeyboardInterrupt), killed_before_the_new_text_takes_its_place():
        user.codex.connect("provider", False, "kimi", URL)
    assert user.text == THEIRS
    assert [path.read_text() for path in user.home.backups.iterdir()] == [THEIRS]
    (draft,) = [path for path in user.folder.iterdir() if path != user.path]
    user.codex.connect("provider", False, "kimi", URL)
    assert draft.exists(), "it may be that of a command which runs at this moment"
    long_ago = time.time() - 3600
    os.utime(draft, (long_ago, long_ago))
    user.codex.disconnect()
    assert (user.text, list(user.folder.iterdir())) == (THEIRS, [user.path])


def test_a_second_home_takes_over_and_either_takes_back_what_both_have_set(user: User) -> None:
    user.codex.connect("provider", False, "kimi", URL)
    assert user.other.look(MOVED) is not None
    taken = user.other.connect("threads", False, "opus", MOVED)
    assert (taken.other, taken.now and taken.now.mine, taken.kept) == (user.home.root, True, ["model", "model_provider"])
    assert user.codex.refresh(URL) is None, "it is the other one's now"
    user.path.write_text(user.text.replace('model = "opus"', 'model = "haiku"'))  # in Codex's picker
    back = user.codex.disconnect()
    assert (user.text, back.chosen, back.other) == (THEIRS, [], user.folder.parent / "other")


STEPS = st.sampled_from(
    [
        *("enable", "login", "threads", "use", "refresh", "pick", "add", "catalog", "disable", "crash enable", "crash disable"),
        *("other enable", "other threads", "other pick", "other disable"),
    ]
)
TEXTS = st.sampled_from(
    [
        THEIRS,
        "",
        'model = "a"',
        THEIRS.replace("\n", "\r\n"),
        'x = 1\n[model_providers.codex_shim]\nname = "by hand"\n[tui]\ntheme = "x"\n',
        'text = """\n#codex-shim kept: x\n"""\n"model" = \'quoted\'\n',
        '[profiles.dev]\nmodel = "o3"\n',
    ]
)


@settings(max_examples=50)
@given(TEXTS, st.lists(STEPS, max_size=8), st.booleans())
def test_d66_d67_whatever_happens_the_user_s_part_is_theirs_to_the_byte(text: str, history: list[str], other: bool) -> None:
    """D68 as well: a `model` inside a profile is none of ours. Two homes of ours may lead the same Codex; each takes both back."""
    with tempfile.TemporaryDirectory() as folder:
        user = User(Path(folder), text)
        theirs, end = text, "\r\n" if "\r\n" in text else "\n"
        for number, step in enumerate(history):
            added = _happens(user, step, number, end)
            theirs += end + added if added and theirs and not theirs.endswith("\n") else added
        if user.path.exists():
            (user.other if other else user.codex).disconnect()
        left = user.text if user.path.exists() else ""
        assert left == theirs
        assert not edit.is_enabled(left)


def _happens(user: User, step: str, number: int, end: str) -> str:
    """What the step adds to the user's own part."""
    codex = user.codex
    match step:
        case "enable" | "login":
            codex.connect("provider", step == "login", "kimi", URL)
        case "threads":
            codex.connect("threads", False, "qwen", URL)
        case "use":
            if found := codex.look(URL):
                codex.connect(found.way, found.login, "qwen", URL)
        case "refresh":
            codex.refresh(f"http://127.0.0.1:{9000 + number}/v1")
        case "pick" if user.path.exists() and edit.is_enabled(user.text):
            user.path.write_bytes(user.text.replace('model = "kimi"', 'model = "qwen"', 1).encode())
        case "other enable" | "other threads":
            user.other.connect("threads" if "threads" in step else "provider", False, "opus", MOVED)
        case "other pick" if user.path.exists() and edit.is_enabled(user.text):
            user.path.write_bytes(user.text.replace('model = "opus"', 'model = "haiku"', 1).encode())
        case "other disable":
            user.other.disconnect()
        case "catalog":
            user.home.catalog.unlink(missing_ok=True)
            catalog(user.home, "kimi", "qwen", f"new-{number}")
        case "disable":
            codex.disconnect()
        case "crash enable" | "crash disable":
            with killed_before_the_new_text_takes_its_place(), contextlib.suppress(KeyboardInterrupt):
                _happens(user, step.removeprefix("crash "), number, end)
        case "add" if user.path.exists():
            added = f"{end}[added_{number}]{end}x = 1{end}"
            ended = user.text.endswith("\n") or not user.text
            user.path.write_bytes((user.text + ("" if ended else end) + added).encode())
            return added
    return ""
