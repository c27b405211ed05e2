"""What leads one run of Codex to the chain."""

from __future__ import annotations

import tomllib

import marked
import pytest
from codex_shim.orchestrator.codex import overrides
from codex_shim.orchestrator.codex.connection import Chain

TOKEN = marked.key("local")
CHAIN = Chain(url="http://127.0.0.1:8765/v1", token=TOKEN, catalog='C:\\the "home"\\catalog.json', slugs=["a b"])


def settings(words: list[str]) -> dict:
    assert words[::2] == ["-c"] * (len(words) // 2)
    return tomllib.loads("\n".join(words[1::2]))


def test_the_words_are_settings_of_the_same_connection_as_that_of_enable_but_for_the_token() -> None:
    words = overrides.words(CHAIN, "a b")
    found = settings(words)
    provider = found["model_providers"]["codex_shim"]
    told = CHAIN.provider("provider") or {}
    del told["experimental_bearer_token"]
    by_variable = {"env_key": overrides.VARIABLE, "env_http_headers": {"x-codex-shim-token": overrides.VARIABLE}}
    assert provider == {**told, **by_variable}
    assert {name: found[name] for name in CHAIN.top("provider", "a b")} == CHAIN.top("provider", "a b")
    assert not any(marked.shown_in(word) for word in words)
    assert found["shell_environment_policy"] == {"set": {overrides.VARIABLE: ""}}, "commands of the model are not told it"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "127.0.0.1,localhost"),
        ({"NO_PROXY": ""}, "127.0.0.1,localhost"),
        ({"no_proxy": "corp.example, .lan"}, "corp.example,.lan,127.0.0.1,localhost"),
        ({"NO_PROXY": "localhost,::1"}, "localhost,::1,127.0.0.1"),
        ({"NO_PROXY": "*"}, "*"),
    ],
)
def test_no_proxy_stands_between_codex_and_this_machine_in_either_spelling(given: dict[str, str], expected: str) -> None:
    environ = overrides.environment({"PATH": "/bin", **given}, TOKEN)
    assert environ == {"PATH": "/bin", "NO_PROXY": expected, "no_proxy": expected, overrides.VARIABLE: TOKEN}


@pytest.mark.parametrize(
    ("words", "may"),
    [
        ([], True),
        (["resume", "--last"], True),
        (["do this"], True),
        (["exec", "do this"], False),
        (["--remote", "ws://h"], False),
        (["--remote=ws://h"], False),
    ],
)
def test_only_a_screen_of_this_machine_may_start_a_server_that_outlives_it(words: list[str], may: bool) -> None:
    assert overrides.may_start_daemon(words) is may
