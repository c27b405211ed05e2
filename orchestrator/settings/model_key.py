"""Where a row of models.json gets its key from: a variable, the file, a command, or the provider's usual variable.

Rules of this file: a key goes only where the user sent it, so a provider's usual variable counts for that provider's host alone and
no other variable is ever tried; what a command printed is never repeated.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from codex_shim.stages.contract.secret import Secret

from ..system import words_of
from . import base_url, extra_headers
from .providers import Preset
from .values import PLACEHOLDER, MissingVariableError, expand

COMMAND_SECONDS = 15
RunCommand = Callable[[str | list[str]], str]
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")


class KeyProblem(Exception):
    """`key` is the row's key that the sentence is about."""

    def __init__(self, key: str, sentence: str) -> None:
        super().__init__(sentence)
        self.key = key


class KeyCommandError(Exception):
    """Why a command gave no key, as the end of a sentence that begins with its name: "was not found"."""


def find(
    row: Mapping[str, object], url: str, preset: Preset, environ: Mapping[str, str], run: RunCommand
) -> tuple[Secret | None, str]:
    """The key and how it was given, the first of: `api_key_env`, `api_key`, `api_key_command`, the provider's usual variable.

    `row` holds canonical keys as written, `url` the one that the key would be sent to. Raises `KeyProblem`.
    """
    if variable := _text(row, "api_key_env"):
        if environ.get(variable):
            return _secret(environ[variable], "api_key_env"), f"api_key_env {variable}"
        if not row.get("api_key") and not row.get("api_key_command"):
            raise KeyProblem("api_key_env", _unset(variable))
    if written := _text(row, "api_key"):
        return _written(written, environ)
    if command := row.get("api_key_command"):
        return _secret(_command(command, run), "api_key_command"), "api_key_command"  # type: ignore[arg-type]
    return _usual(row, url, preset, environ)


def _unset(variable: str) -> str:
    """People write the key itself where its variable's name belongs, so only what looks like such a name is repeated."""
    if _VARIABLE.fullmatch(variable):
        return f"its key is missing: set the environment variable {variable}"
    return "`api_key_env` must be the name of an environment variable that is set, like OPENAI_API_KEY, not the key itself"


def _text(row: Mapping[str, object], key: str) -> str:
    value = row.get(key)
    return value.strip() if isinstance(value, str) else ""


def _written(written: str, environ: Mapping[str, str]) -> tuple[Secret, str]:
    try:
        secret = _secret(expand(written, environ), "api_key")
    except MissingVariableError as missing:
        raise KeyProblem("api_key", f"its key is missing: set the environment variable {missing.name}") from None
    return secret, f"api_key {written}" if PLACEHOLDER.fullmatch(written) else "api_key in models.json"


def _usual(row: Mapping[str, object], url: str, preset: Preset, environ: Mapping[str, str]) -> tuple[Secret | None, str]:
    variable = preset.key_env if preset.owns(base_url.host(url)) else None
    if variable and environ.get(variable):
        return _secret(environ[variable], "provider"), f"api_key_env {variable}"
    headers = row.get("extra_headers")
    if isinstance(headers, dict) and extra_headers.carry_credential(headers):
        return None, "extra_headers"
    if base_url.is_local(url):
        return None, "none"
    if variable:
        raise KeyProblem("provider", f"it has no key: set the environment variable {variable}, or name another in `api_key_env`")
    raise KeyProblem("provider", "it has no key: name the environment variable that holds it in `api_key_env`")


def _secret(value: str, key: str) -> Secret:
    value = value.strip()
    if not value.isascii() or not value.isprintable():
        raise KeyProblem(key, "its key holds a line break or another character that no key has")
    return Secret(value)


def _command(command: str | list[str], run: RunCommand) -> str:
    program = (command.split() if isinstance(command, str) else command)[0]
    mistaken = len(program) >= 20 and not {"/", "\\"} & set(program)  # then it may be the key itself, and is not repeated
    name = "the command" if mistaken else f"the command `{program}`"
    failure = "printed nothing"
    try:
        if output := run(command).strip():
            return output
    except KeyCommandError as error:
        failure = str(error)
    raise KeyProblem("api_key_command", f"{name} that should print its key {failure}")


def run_command(command: str | list[str]) -> str:
    """What it prints; no shell reads it. Raises `KeyCommandError`, outside of the handlers, whose errors carry the output."""
    import subprocess

    try:
        argv = words_of(command) if isinstance(command, str) else command
        done = subprocess.run(  # noqa: S603  # the user's own command, from the user's own file
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=COMMAND_SECONDS, check=False
        )
        if done.returncode == 0:
            return done.stdout.decode()
        failure = f"failed with exit code {done.returncode}"
    except FileNotFoundError:
        failure = "was not found"
    except subprocess.TimeoutExpired:
        failure = f"took longer than {COMMAND_SECONDS} s"
    except UnicodeDecodeError:
        failure = "printed something that is not text"
    except (OSError, ValueError, IndexError):
        failure = "could not be started"
    raise KeyCommandError(failure)
