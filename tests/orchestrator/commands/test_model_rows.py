"""`codex-shim model add` and `model remove`."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import marked
import pytest
from codex_shim.orchestrator.cli import app
from codex_shim.orchestrator.commands import model_questions
from codex_shim.orchestrator.system import Lock
from systems import needs_modes, needs_posix
from typer.testing import CliRunner
from waiting import PATIENCE
from warm_commands import CLI

KEY = marked.key("typed")
BEFORE = '{\n  "models": [\n    {"model": "llama4", "provider": "ollama", "x": 1.50}\n  ]\n}\n'
ADDED = '{"model": "deepseek-chat", "provider": "deepseek"}'


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir(mode=0o700)
    (tmp_path / "home" / "models.json").write_text(BEFORE)
    return tmp_path / "home"


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_questions, "can_ask", lambda: True)


def shim(home: Path, *words: str, typed: str | None = None, **environ: str) -> Any:
    bare = dict.fromkeys(os.environ) | {"PATH": os.defpath, "HOME": str(home.parent), **environ}
    return CliRunner().invoke(app, ["--home", str(home), *words], env=bare, input=typed)


def text(home: Path) -> str:
    return (home / "models.json").read_text()


def last_row(home: Path) -> Any:
    document = json.loads(text(home))
    return document["models"][-1] if isinstance(document, dict) else document[-1]


def error(done: Any) -> str:
    assert done.exit_code, done.output
    return done.stderr.splitlines()[-1].removeprefix("error: ")


@needs_modes
def test_a_row_is_added_in_the_layout_of_the_file_and_the_old_one_is_kept(home: Path) -> None:
    done = shim(home, "model", "add", "deepseek", "deepseek-chat", DEEPSEEK_API_KEY="k")
    assert done.exit_code == 0, done.output
    backup = next((home / "backups").iterdir())
    assert done.stdout.splitlines() == [
        f"added     deepseek-chat to {home}/models.json",
        f"backup    {backup}",
        "next      codex-shim start, then codex-shim model test deepseek-chat",
    ]
    assert text(home) == BEFORE.replace("\n  ]", f",\n    {ADDED}\n  ]")
    assert (backup.read_text(), backup.stat().st_mode & 0o777) == (BEFORE, 0o600)
    assert (home / "models.json").stat().st_mode & 0o777 == 0o600
    again = shim(home, "model", "remove", "deepseek-chat")
    assert (again.exit_code, text(home)) == (0, BEFORE)


def test_where_there_is_no_file_one_is_made(home: Path) -> None:
    (home / "models.json").unlink()
    told = json.loads(shim(home, "model", "add", "DeepSeek", "deepseek-chat", "--json").stdout)
    expected = {
        "slug": "deepseek-chat",
        "backup": None,
        "unset": "DEEPSEEK_API_KEY",
        "next": "codex-shim start",
        "key_stored": False,
    }
    assert {name: told[name] for name in expected} == expected
    assert text(home) == f"[\n  {ADDED}\n]\n"


def test_every_option_becomes_a_key_of_the_row(home: Path) -> None:
    words = ("--base-url", "https://llm.example.com/v1", "--slug", "Work GPT", "--name", "GPT at work", "--key-command", "echo k")
    done = shim(home, "model", "add", "openai", "gpt-5.5", *words)
    assert done.exit_code == 0, done.output
    assert "added     work-gpt to" in done.stdout
    assert last_row(home) == {
        "model": "gpt-5.5",
        "provider": "openai",
        "base_url": "https://llm.example.com/v1",
        "slug": "Work GPT",
        "display_name": "GPT at work",
        "api_key_command": "echo k",
    }


def test_a_variable_that_is_not_set_here_is_told_and_the_row_is_added(home: Path) -> None:
    done = shim(home, "model", "add", "deepseek", "deepseek-chat", "--key-env", "MY_KEY")
    assert (done.exit_code, last_row(home)["api_key_env"]) == (0, "MY_KEY")
    assert "note: MY_KEY is not set here: without it, where the chain is started, the model is left out" in done.stderr


@pytest.mark.parametrize("given", [KEY, "abcdef0123456789"])
def test_the_key_itself_in_place_of_its_variable_is_neither_written_nor_shown(home: Path, given: str) -> None:
    done = shim(home, "model", "add", "deepseek", "deepseek-chat", "--key-env", given)
    assert (done.exit_code, text(home)) == (2, BEFORE)
    assert "the key itself does not belong there" in error(done)
    assert given not in done.output


LACKING = (
    "name the provider and the model: `codex-shim model add PROVIDER MODEL`; `codex-shim list --providers` shows the providers"
)
TAKEN = "there is a model `llama4` already; give this one another name with --slug, or remove that one first"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("", LACKING),
        ("deepseek", LACKING),
        ("deepsek x", "there is no provider named `deepsek`; did you mean `deepseek`?"),
        ("deepseek x --key-env A --key-command b", "--key-env and --key-command are two ways to give one key; keep one"),
        ("chat x", "`chat` is a language that many servers speak: name the server with --base-url"),
        (
            "chat x --base-url https://h.example/v1",
            "where does the key come from? Name it with --key-env NAME or --key-command CMD",
        ),
    ],
)
def test_what_is_not_said_is_named_where_nobody_can_be_asked(home: Path, words: str, sentence: str) -> None:
    done = shim(home, "model", "add", *words.split())
    assert (error(done), text(home)) == (sentence, BEFORE)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("deepseek x --base-url http://h.example/v1 --key-env K", "model `x`: `base_url` is plain http to another machine"),
        ("deepseek x --key-command none-such", "model `x`: the command `none-such` that should print its key was not found"),
        ("ollama llama4", TAKEN),
        ("ollama x --slug Llama4", TAKEN),
        ("ollama é", "model `é`: no slug can be made of its name"),
    ],
)
def test_what_cannot_work_is_refused_and_nothing_is_written(home: Path, words: str, sentence: str) -> None:
    said = error(shim(home, "model", "add", *words.split()))
    assert said.startswith(sentence) and said.endswith("; nothing was written")
    assert text(home) == BEFORE
    assert not (home / "backups").exists()


def test_a_row_without_a_name_is_refused_for_that_beside_another_that_has_none(home: Path) -> None:
    (home / "models.json").write_text('[7, {"model": "llama4", "provider": "ollama"}]')
    assert error(shim(home, "model", "add", "ollama", "é")).startswith("model `é`: no slug can be made of its name")
    assert error(shim(home, "model", "add", "ollama", " ")).startswith("row 3: it has no `model`")


def test_a_row_that_would_rename_another_one_is_refused(home: Path) -> None:
    (home / "models.json").write_text('[{"model": "llama4", "provider": "ollama", "display_name": "At home"}]')
    done = shim(home, "model", "add", "ollama", "llama4", "--slug", "other")
    assert "with this row the model `llama4` would be called `at-home`" in error(done)


@pytest.mark.parametrize("broken", ["[", '{"other": 1}', "7"])
def test_a_file_that_holds_no_list_of_models_is_left_as_it_is(home: Path, broken: str) -> None:
    (home / "models.json").write_text(broken)
    for words in (("add", "ollama", "x"), ("remove", "x")):
        done = shim(home, "model", *words)
        assert (done.exit_code, text(home)) == (78, broken)


def test_rows_that_cannot_work_do_not_hinder_and_commands_of_others_are_not_run(home: Path) -> None:
    (home / "models.json").write_text('[7, {"model": "a", "provider": "openai", "api_key_command": "none-such"}, {"model": "b"}]')
    assert shim(home, "model", "add", "ollama", "c").exit_code == 0
    assert shim(home, "model", "remove", "b").exit_code == 0
    assert json.loads(text(home))[2] == {"model": "c", "provider": "ollama"}


@needs_posix
def test_a_link_stays_a_link_and_a_byte_order_mark_stays_too(home: Path) -> None:
    real = home.parent / "dotfiles.json"
    real.write_bytes(b"\xef\xbb\xbf" + BEFORE.encode())
    (home / "models.json").unlink()
    (home / "models.json").symlink_to(real)
    assert shim(home, "model", "add", "ollama", "x").exit_code == 0
    assert (home / "models.json").is_symlink()
    assert real.read_bytes().startswith(b'\xef\xbb\xbf{\n  "models"')


def test_of_two_at_once_one_is_told_to_try_again(home: Path) -> None:
    lock = Lock(home / "run" / "models.lock")
    assert lock.acquire()
    assert "another codex-shim command is changing it just now" in error(shim(home, "model", "add", "ollama", "x"))
    lock.release()


# -- asked in a terminal ----------------------------------------------------------------------------------------------


@needs_modes
@pytest.mark.usefixtures("terminal")
def test_what_is_not_said_is_asked_for_and_a_typed_key_is_not_shown(home: Path) -> None:
    done = shim(home, "model", "add", typed=f"deepsek\ndeepseek\ndeepseek-chat\n9\n3\n{KEY}\n")
    assert done.exit_code == 0, done.output
    assert "There is no provider named `deepsek`; did you mean `deepseek`?" in done.stderr
    assert "DEEPSEEK_API_KEY (not set here)" in done.stderr
    assert "the key stands in" in done.stderr
    assert KEY not in done.output
    assert last_row(home) == {"model": "deepseek-chat", "provider": "deepseek", "api_key": KEY}
    assert (home / "models.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize(
    ("typed", "more"),
    [
        ("1\n\n", {}),
        ("1\nOTHER_KEY\n", {"api_key_env": "OTHER_KEY"}),
        ("\n\n", {}),
        ("2\necho k\n", {"api_key_command": "echo k"}),
    ],
)
def test_a_key_may_come_from_a_variable_or_a_command(home: Path, typed: str, more: dict[str, str]) -> None:
    done = shim(home, "model", "add", "deepseek", "deepseek-chat", typed=typed)
    assert done.exit_code == 0, done.output
    assert last_row(home) == {"model": "deepseek-chat", "provider": "deepseek", **more}


@pytest.mark.usefixtures("terminal")
def test_a_language_is_asked_for_its_server_and_a_local_server_for_no_key(home: Path) -> None:
    done = shim(home, "model", "add", typed="chat\nx\nhttp://127.0.0.1:9/v1\n")
    assert done.exit_code == 0, done.output
    assert last_row(home) == {"model": "x", "provider": "chat", "base_url": "http://127.0.0.1:9/v1"}


@needs_posix
def test_a_real_terminal_shows_what_is_typed_but_for_the_key(home: Path) -> None:
    import pty

    ours, theirs = pty.openpty()
    command = [*CLI, "--home", str(home), "model", "add"]
    environ = {"PATH": os.defpath, "HOME": str(home.parent)}
    asking = subprocess.Popen(command, env=environ, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    shown = ""
    answers = {"Provider: ": "deepseek", "knows: ": "deepseek-chat", "2 or 3 [1]: ": "3", "not shown): ": KEY}
    for question, answer in answers.items():
        while question not in shown:
            shown += os.read(ours, 4096).decode()
        os.write(ours, answer.encode() + b"\n")
    while "model test deepseek-chat" not in shown:
        shown += os.read(ours, 4096).decode()
    assert asking.wait(PATIENCE) == 0
    os.close(ours)
    assert "deepseek-chat" in shown and KEY not in shown
    assert last_row(home)["api_key"] == KEY


# -- taken out --------------------------------------------------------------------------------------------------------


def test_a_model_is_removed_by_any_of_its_names(home: Path) -> None:
    rows = [{"model": "vendor/a b", "display_name": "The first", "provider": "ollama"}, "qwen3:32b"]
    for word in ("vendor-a-b", "vendor/a b", "first"):
        (home / "models.json").write_text(json.dumps(rows))
        done = shim(home, "model", "remove", word)
        assert done.stdout.splitlines()[0] == f"removed   vendor-a-b (The first) from {home}/models.json"
        assert text(home) == '["qwen3:32b"]'


def test_remove_tells_what_was_chosen_and_what_is_called_otherwise_now(home: Path) -> None:
    (home / "models.json").write_text(json.dumps(["m", {"model": "m", "provider": "ollama", "base_url": "http://[::1]:1/v1"}]))
    shim(home, "model", "use", "m")
    done = shim(home, "model", "remove", "m")
    assert "the model `m-1` is called `m` from now on" in done.stderr
    assert "Codex has started with this model; choose another with `codex-shim model use NAME`" in done.stderr
    left = json.loads(shim(home, "model", "remove", "m", "--json").stdout)
    assert (left["slug"], left["renamed"], text(home)) == ("m", {}, "[]")
    assert "holds no model that could be removed" in error(shim(home, "model", "remove", "m"))


def test_remove_says_which_models_there_are(home: Path) -> None:
    assert error(shim(home, "model", "remove", "llama5")) == "there is no model named `llama5`; did you mean `llama4`?"


def test_a_subscriptions_model_is_switched_off_by_a_variable(home: Path) -> None:
    said = error(shim(home, "model", "remove", "gpt-5.5"))
    assert "CODEX_SHIM_DISABLE_CHATGPT=1" in said and "not from models.json" in said
