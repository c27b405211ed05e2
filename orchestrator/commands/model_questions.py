"""What `codex-shim model add` asks a person for. A key that is typed is not shown, and is in no command line."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import typer

_COLUMNS = 4


def can_ask() -> bool:
    """Whether somebody is there to answer."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def provider(presets: Mapping[str, Any]) -> str:
    """The name of one of them."""
    from ..settings.problems import did_you_mean

    _say("Providers:")
    _say_columns(list(presets))
    while True:
        answer = _ask("Provider").lower()
        if answer in presets:
            return answer
        _say(f"There is no provider named `{answer}`{did_you_mean(answer, presets)}.")


def model() -> str:
    return _ask("Model, by the name that the provider knows")


def base_url() -> str:
    return _ask("Base URL of the server, up to and including /v1")


def key(usual: str | None, environ: Mapping[str, str], path: str) -> dict[str, str]:
    """The part of the row that says where the key comes from; empty where that is the provider's usual variable."""
    state = "" if usual is None else f" {usual} ({'set' if environ.get(usual) else 'not set'} here)"
    _say("Where does the key come from?")
    _say(f"  1  from the environment variable{state or ', whose name is asked for'}")
    _say("  2  from a command that prints it, like `pass show llm/key`")
    _say(f"  3  it is typed now, and stored in {path}, which only you can read")
    match _choice():
        case 1:
            name = typer.prompt("Environment variable", default=usual, err=True) if usual else _ask("Environment variable")
            return {} if name == usual else {"api_key_env": str(name).strip()}
        case 2:
            return {"api_key_command": _ask("Command")}
        case _:
            typed = typer.prompt("Key (it is not shown)", hide_input=True, err=True)
            return {"api_key": str(typed).strip()}


def _choice() -> int:
    while True:
        answer = str(typer.prompt("1, 2 or 3", default="1", err=True)).strip()
        if answer in ("1", "2", "3"):
            return int(answer)


def _ask(question: str) -> str:
    """Anything but nothing."""
    return str(typer.prompt(question, err=True)).strip()


def _say(line: str) -> None:
    typer.echo(line, err=True)


def _say_columns(words: list[str]) -> None:
    width = max(map(len, words), default=0) + 2
    for start in range(0, len(words), _COLUMNS):
        _say("  " + "".join(word.ljust(width) for word in words[start : start + _COLUMNS]).rstrip())
