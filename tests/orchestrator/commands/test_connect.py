"""`codex-shim enable` and `disable`, and what other commands say and do where the user's own Codex leads to the chain."""

from __future__ import annotations

import json
import os
import socket
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from codex_shim.orchestrator.cli import app
from codex_shim.orchestrator.codex.own_codex import OwnCodex
from codex_shim.orchestrator.home import Home
from pipelines import INGRESS, ROUTER, pipeline
from running_chain import RunningChain, bare_environment, write_files
from systems import needs_modes
from typer.testing import CliRunner

THEIRS = '# mine\r\nmodel = "gpt-5.5" # good\r\n"model_provider" = \'openai\'\r\n\r\n[profiles.dev]\r\nmodel = "o3"\r\n'
ROW = {"provider": "openai", "base_url": "http://127.0.0.1:9/v1", "api_key": "k"}
MODELS = [{"model": "one", **ROW}, {"model": "two", "display_name": "The Second", **ROW}]


@pytest.fixture(scope="module")
def kept_chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningChain]:
    """A chain with two models, on any free port, though pipeline.toml says another."""
    folder = tmp_path_factory.mktemp("kept")
    path = write_files(folder / "shim", MODELS, pipeline(INGRESS, ROUTER))
    chain = RunningChain(folder / "shim", bare_environment(folder / "user"), path)
    chain.up()
    yield chain
    chain.down()


class User:
    """Somebody with a Codex configuration, at a home of ours."""

    def __init__(self, home: Path, folder: Path, text: str | None = THEIRS) -> None:
        self.home = home
        self.folder = folder
        self.config = folder / ".codex" / "config.toml"
        self.config.parent.mkdir(parents=True)
        if text is not None:
            self.config.write_bytes(text.encode())
            self.config.chmod(0o600)

    def shim(self, *words: str) -> Any:
        bare = dict.fromkeys(os.environ) | {"PATH": os.defpath, "HOME": str(self.folder)}
        return CliRunner().invoke(app, ["--home", str(self.home), *words], env=bare)

    def ok(self, *words: str) -> str:
        done = self.shim(*words)
        assert done.exit_code == 0, done.output
        return done.stdout

    @property
    def text(self) -> str:
        return self.config.read_bytes().decode()

    @property
    def settings(self) -> dict[str, Any]:
        return tomllib.loads(self.text)

    @property
    def codex(self) -> OwnCodex:
        return OwnCodex({"HOME": str(self.folder)}, Home(self.home))


@pytest.fixture
def user(kept_chain: RunningChain, tmp_path: Path) -> User:
    found = User(kept_chain.home, tmp_path / "user")
    (found.home / "codex-home" / "config.toml").unlink(missing_ok=True)  # no model is chosen
    return found


@pytest.fixture
def idle(tmp_path: Path) -> User:
    """No chain runs, and none may be started in a test that uses this alone."""
    write_files(tmp_path / "shim", MODELS, None)
    return User(tmp_path / "shim", tmp_path / "user")


def connect(user: User, way: Any = "provider", model: str = "one", url: str = "http://127.0.0.1:8765/v1") -> None:
    """What `enable` leaves behind, without a chain."""
    Home(user.home).local_token()
    user.ok("generate")
    user.codex.connect(way, False, model, url)


@pytest.mark.parametrize(
    ("flags", "way", "login"),
    [((), "provider", False), (("--keep-threads",), "threads", False), (("--keep-login",), "provider", True)],
)
def test_enable_leads_codex_to_the_running_chain_and_disable_puts_everything_back(
    user: User, kept_chain: RunningChain, flags: tuple[str, ...], way: str, login: bool
) -> None:
    """D63: there is no port to get wrong. D67: line ends and quoted keys are theirs."""
    said = user.ok("enable", *flags)
    assert f"Your Codex leads to {kept_chain.url}" in said
    assert "kept      model, model_provider: there as comments" in said
    assert "codex-shim disable" in said
    assert "Quit Codex Desktop" in said
    assert kept_chain.token not in said
    assert ("--keep-threads` keeps them listed" in said) == (way == "provider")
    assert (user.settings["model"], user.settings["profiles"]) == ("one", {"dev": {"model": "o3"}})
    told = json.loads(user.shim("status", "--json").stdout)["codex"]
    assert {name: told[name] for name in ("leads_here", "enabled", "in_sync", "way", "login", "model")} == {
        **dict.fromkeys(("leads_here", "enabled", "in_sync"), True),
        "way": way,
        "login": login,
        "model": "one",
    }
    backup = next(line.split()[1] for line in said.splitlines() if line.startswith("backup"))
    assert Path(backup).read_bytes().decode() == THEIRS
    back = user.ok("disable")
    assert "put back  model, model_provider" in back
    assert user.text == THEIRS
    assert user.ok("disable") == f"{user.config} does not lead to codex-shim. Nothing was changed.\n"


def test_a_second_enable_keeps_the_way_and_changes_nothing(user: User) -> None:
    user.ok("enable", "--keep-threads", "--model", "two")
    text = user.text
    assert "Nothing was changed." in user.ok("enable")
    assert user.text == text
    told = json.loads(user.ok("enable", "--own-provider", "--json"))
    assert (told["way"], told["model"], told["changed"], told["kept"]) == ("provider", "two", True, ["model", "model_provider"])
    user.ok("disable")
    assert user.text == THEIRS


@needs_modes
def test_a_file_is_made_for_us_where_there_is_none_and_goes_again(user: User) -> None:
    user.config.unlink()
    assert "backup" not in user.ok("enable")
    assert user.config.stat().st_mode & 0o777 == 0o600
    user.ok("disable")
    assert not user.config.exists()


def test_the_model_is_the_named_one_else_the_chosen_one_else_the_first(user: User) -> None:
    user.ok("model", "use", "two")
    assert user.text == THEIRS, "not enabled, so not touched"
    user.ok("enable")
    assert user.settings["model"] == "two"
    user.ok("enable", "--model", "one")
    assert user.settings["model"] == "one"
    before = user.text
    unknown = user.shim("enable", "--model", "onne")
    assert (unknown.exit_code, "did you mean `one`?" in unknown.stderr) == (1, True)
    assert user.text == before


@pytest.mark.parametrize("flags", [(), ("--keep-threads",), ("--keep-login",)])
def test_model_use_sets_it_in_an_enabled_codex_in_the_same_way(user: User, flags: tuple[str, ...]) -> None:
    """D60, D68: whatever chooses the model, one is chosen, in both configurations, and only at the top of the file."""
    user.ok("enable", *flags)
    connected = user.settings
    said = user.ok("model", "use", "The Second")
    assert f"updated    {user.config}" in said
    assert said.splitlines()[-1] == "Codex starts with two from now on. Next: codex"
    assert user.settings == {**connected, "model": "two"}
    assert tomllib.loads((user.home / "codex-home" / "config.toml").read_text())["model"] == "two"
    user.ok("disable")
    assert user.text == THEIRS


def test_another_port_than_that_of_the_file_is_a_warning_with_a_remedy(user: User, kept_chain: RunningChain) -> None:
    """D63."""
    (warning,) = json.loads(user.ok("enable", "--json"))["warnings"]
    at = kept_chain.url.removeprefix("http://").removesuffix("/v1")
    assert f"the chain is at {at}, but pipeline.toml says 127.0.0.1:8765" in warning
    assert f'`listen = "{at}"`' in warning
    assert user.codex.chain(kept_chain.url).url in user.text


def test_a_login_that_is_sent_along_but_lists_nothing_is_told(user: User) -> None:
    *_, warning = json.loads(user.ok("enable", "--keep-login", "--json"))["warnings"]
    assert warning.startswith("Codex sends its login, but ChatGPT's models are not in its list: Codex is not logged in")
    assert "in its list" not in user.ok("enable", "--no-login", "--json")


@needs_modes
def test_a_token_that_others_can_read_and_a_model_that_is_not_served_yet_are_told(user: User) -> None:
    user.config.chmod(0o644)
    models = user.home / "models.json"
    models.write_text(json.dumps([*MODELS, {"model": "three", **ROW}]))
    warnings = json.loads(user.ok("enable", "--model", "three", "--json"))["warnings"]
    models.write_text(json.dumps(MODELS))
    assert any("others can read it: `chmod 600 " in each for each in warnings)
    assert "the running chain does not serve `three` yet: `codex-shim pipeline reload`" in warnings


# -- what must not be written -----------------------------------------------------------------------------------------


def test_d67_a_file_that_is_no_toml_is_refused_with_its_place_and_nothing_is_started(idle: User) -> None:
    for content in ("a = 1\nmodel = \n", 'a = 1\nb = "\n'):
        idle.config.write_text(content)
        for command in ("enable", "disable"):
            done = idle.shim(command)
            assert done.exit_code == 78
            assert f"{idle.config}:2:" in done.stderr
        assert idle.text == content
    assert not (idle.home / "run").exists()
    assert not (idle.home / "backups").exists()


def test_what_cannot_be_edited_safely_is_said_and_nothing_is_started(idle: User) -> None:
    idle.config.write_text("model_providers = {a = {name = 'x'}}\n")
    done = idle.shim("enable")
    assert (done.exit_code, f"error: {idle.config}: it is written in a way" in done.stderr) == (1, True)
    assert "nothing was written there" in done.stderr
    assert not (idle.home / "run").exists()


def test_d62_a_port_of_somebody_else_is_refused_by_name_and_codex_is_not_led_there(idle: User) -> None:
    with socket.create_server(("127.0.0.1", 0)) as foreign:
        listen = f"127.0.0.1:{foreign.getsockname()[1]}"
        (idle.home / "pipeline.toml").write_text(pipeline(INGRESS, ROUTER, listen=listen))
        for command in (("enable",), ("start",)):
            done = idle.shim(*command)
            assert done.exit_code == 1
            assert f"port {listen.rpartition(':')[2]} for the stage `ingress` is in use by " in done.stderr
            assert f"(pid {os.getpid()})" in done.stderr
    assert idle.text == THEIRS
    assert not (idle.home / "backups").exists()


def test_d66_disable_needs_neither_chain_nor_models_nor_a_valid_pipeline(idle: User) -> None:
    connect(idle)
    (idle.home / "models.json").unlink()
    (idle.home / "custom_model_catalog.json").unlink()
    (idle.home / "pipeline.toml").write_text("[[stage")
    told = json.loads(idle.ok("disable", "--json"))
    assert (told["changed"], told["put_back"], told["chosen_since"]) == (True, ["model", "model_provider"], [])
    assert idle.text == THEIRS


def test_lines_written_by_hand_are_named_and_left(idle: User) -> None:
    text = 'model_provider = "codex_shim"\n\n[model_providers.codex_shim]\nbase_url = "http://127.0.0.1:8765/v1"\n'
    idle.config.write_text(text)
    done = idle.shim("disable")
    assert done.exit_code == 1
    assert "by lines that `codex-shim enable` has not written; remove them by hand" in done.stderr
    assert "line 1: model_provider" in done.stderr
    assert "line 3: model_providers.codex_shim" in done.stderr
    assert idle.text == text


# -- a chain that stops, moves and comes back -------------------------------------------------------------------------


def test_status_tells_of_a_codex_that_waits_for_a_chain_that_is_not_there(idle: User) -> None:
    assert "does not use codex-shim" in idle.shim("status").stdout
    connect(idle)
    assert "waits without a word: `codex-shim start`, or `codex-shim disable`" in idle.shim("status").stdout
    told = json.loads(idle.shim("status", "--json").stdout)["codex"]
    assert (told["leads_here"], told["in_sync"]) == (True, False)
    assert "still leads to it" in idle.shim("stop").stderr
    idle.config.write_text("model = ")
    assert f"{idle.config}:1:" in idle.shim("status").stdout


def test_generate_refreshes_what_went_stale_and_says_so_and_what_changed(idle: User) -> None:
    connect(idle, url="http://127.0.0.1:28888/v1")
    (idle.home / "models.json").write_text(
        json.dumps([{"model": "two", "max_context_limit": 9000, **ROW}, {"model": "new", **ROW}])
    )
    said = idle.ok("generate")
    assert "\n  + new\n  - one\n  ~ two: display_name, " in said
    assert f"Your Codex ({idle.config}) was brought up to date: http://127.0.0.1:8765/v1, model two." in said
    assert "were modified" not in said
    assert (idle.settings["model"], idle.settings["model_providers"]["codex_shim"]["base_url"]) == (
        "two",
        "http://127.0.0.1:8765/v1",
    )
    again = json.loads(idle.ok("generate", "--json"))
    assert (again["codex"], again["changes"]["added"], again["changes"]["changed"]) == (None, [], {})
    idle.ok("disable")
    assert idle.text == THEIRS


def test_a_codex_that_was_not_enabled_is_never_touched(idle: User) -> None:
    assert "No files under ~/.codex were modified." in idle.ok("generate")
    assert idle.text == THEIRS


def test_a_chain_that_moves_takes_codex_along_and_one_that_stops_says_what_it_leaves(tmp_path: Path) -> None:
    """Real starts: `enable` brings the chain up, and every command that starts it again leads Codex after it."""
    path = write_files(tmp_path / "shim", MODELS, pipeline(INGRESS, ROUTER, listen="127.0.0.1:0"))
    assert path is not None
    path.rename(tmp_path / "shim" / "pipeline.toml")
    user = User(tmp_path / "shim", tmp_path / "user")
    chain = RunningChain(user.home, {"PATH": os.defpath, "HOME": str(user.folder)}, None)
    try:
        enabled = chain.cli("enable", "--keep-threads")
        assert "No chain is running yet. Starting one:" in enabled.stderr
        first = chain.status()["url"]
        token = (user.home / "token").read_text().strip()
        assert user.settings["openai_base_url"] == first.replace("/v1", f"/key/{token}/v1")
        restarted = chain.cli("restart")
        second = chain.status()["url"]
        assert second != first
        assert f"was brought up to date: {second}" in restarted.stderr
        assert "still leads to it" not in restarted.stderr
        assert user.settings["openai_base_url"] == second.replace("/v1", f"/key/{token}/v1")
        stopped = chain.cli("pipeline", "down")
        assert f"Your Codex ({user.config}) still leads to it" in stopped.stderr
        assert "`codex-shim disable`, or start it again" in stopped.stderr
        started = chain.cli("start")
        assert f"was brought up to date: {chain.status()['url']}" in started.stderr
        assert user.settings["openai_base_url"] == chain.status()["url"].replace("/v1", f"/key/{token}/v1")
        chain.cli("disable")
        assert user.text == THEIRS
        assert "still leads" not in chain.cli("stop").stderr
    finally:
        chain.down()


def test_the_chain_of_another_home_leaves_this_codex_alone(idle: User, tmp_path: Path) -> None:
    connect(idle)
    text = idle.text
    other = User(tmp_path / "other", tmp_path / "nobody")
    other.folder, other.config = idle.folder, idle.config
    write_files(other.home, MODELS, None)
    other.ok("generate")
    assert "leads to a chain of another home" in other.shim("status").stdout
    assert "still leads" not in other.shim("stop").stderr
    other.ok("model", "use", "two")
    assert idle.text == text
    told = other.ok("disable")
    assert f"left      the chain of {idle.home}, to which it led before" in told
    assert idle.text == THEIRS
