"""A key is found where the user put it, and goes nowhere that the user did not send it."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from codex_shim.orchestrator.settings import model_key
from codex_shim.orchestrator.settings.model_key import KeyCommandError, KeyProblem, run_command
from codex_shim.orchestrator.settings.providers import packaged
from codex_shim.stages.contract.secret import Secret

GROQ = "https://api.groq.com/openai/v1"
ENVIRON = {"GROQ_API_KEY": "groq", "OPENAI_API_KEY": "openai", "MINE": "mine", "EMPTY": "", "CURSOR_API_KEY": "cursor"}


def find(provider: str, url: str, **row: Any) -> tuple[str | None, str]:
    secret, source = model_key.find(row, url, packaged()[provider], ENVIRON, lambda command: f"{command}-output\n")
    return (secret.reveal() if isinstance(secret, Secret) else None), source


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({}, ("groq", "api_key_env GROQ_API_KEY")),
        ({"api_key_command": "print"}, ("print-output", "api_key_command")),
        ({"api_key": "k", "api_key_command": "print"}, ("k", "api_key in models.json")),
        ({"api_key": "${MINE}"}, ("mine", "api_key ${MINE}")),
        ({"api_key": "pre-${MINE}"}, ("pre-mine", "api_key in models.json")),
        ({"api_key": "k", "api_key_env": "MINE"}, ("mine", "api_key_env MINE")),
        ({"api_key": "${NOT_SET}", "api_key_env": "MINE"}, ("mine", "api_key_env MINE")),
        ({"api_key": "k", "api_key_env": "EMPTY"}, ("k", "api_key in models.json")),
        ({"api_key": ""}, ("groq", "api_key_env GROQ_API_KEY")),
    ],
)
def test_the_order_of_the_places(row: dict[str, Any], expected: tuple[str, str]) -> None:
    assert find("groq", GROQ, **row) == expected


@pytest.mark.parametrize("provider", ["groq", "openai", "chat"])
def test_a_usual_variable_stays_with_its_provider(provider: str) -> None:
    with pytest.raises(KeyProblem, match="it has no key"):
        find(provider, "https://llm.example.com/v1")


def test_a_usual_variable_of_a_language_goes_to_its_maker() -> None:
    assert find("openai", "https://api.openai.com/v1") == ("openai", "api_key_env OPENAI_API_KEY")


def test_a_local_server_needs_no_key_and_gets_none() -> None:
    assert find("openai", "http://127.0.0.1:8080/v1") == (None, "none")
    assert find("ollama", "http://[::1]:11434/v1", api_key="k") == ("k", "api_key in models.json")


def test_a_header_may_be_the_credential() -> None:
    assert find("chat", "https://llm.example.com/v1", extra_headers={"Api-Key": "k"}) == (None, "extra_headers")


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_a_command_is_run_without_a_shell() -> None:
    assert run_command([*python("import sys; print(sys.argv[1:])"), "$HOME", ";"]) == "['$HOME', ';']\n"
    assert run_command(f"'{sys.executable}' -c 'print(\"a b\")'") == "a b\n"


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (python("print('SECRET'); raise SystemExit(3)"), "failed with exit code 3"),
        (python("import sys; sys.stdout.buffer.write(b'SECRET\\xff')"), "printed something that is not text"),
        (["no-such-program", "SECRET"], "was not found"),
        ("'unfinished SECRET", "could not be started"),
        ([""], "could not be started|was not found"),
    ],
)
def test_a_command_that_fails_says_why_and_not_what_it_printed(command: str | list[str], reason: str) -> None:
    with pytest.raises(KeyCommandError, match=reason) as caught:
        run_command(command)
    assert caught.value.__context__ is None
    assert "SECRET" not in repr(caught.value)


def test_a_command_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_key, "COMMAND_SECONDS", 0.05)
    with pytest.raises(KeyCommandError, match="took longer than"):
        run_command(python("print('SECRET', flush=True); import threading; threading.Event().wait()"))
