"""What leads one run of Codex to the chain, and nothing else: words of its command line and variables of its environment. Pure.

Observed on Codex 0.169.0: `-c` reaches every subcommand; a table that the user's configuration has already is merged with it, and a
header from a variable wins over one that is written there. The command line can be read by everybody on the machine, so the local
token goes by a variable; a second variable of the same name, for the commands that Codex runs, is empty.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from codex_shim.stages.contract.headers import LOCAL_TOKEN

from .connection import Chain
from .edit import PROVIDER

VARIABLE = "CODEX_SHIM_LOCAL_TOKEN"
NO_DAEMON = "--no-daemon"

_HERE = ("127.0.0.1", "localhost")
_WITHOUT_SCREEN = ("exec", "e")


def words(chain: Chain, model: str) -> list[str]:
    """What stands before the user's own words, which therefore win."""
    settings: dict[str, Any] = chain.top("provider", model)
    for name, value in (chain.provider("provider") or {}).items():
        if name != "experimental_bearer_token":
            settings[f"model_providers.{PROVIDER}.{name}"] = value
    settings[f"model_providers.{PROVIDER}.env_key"] = VARIABLE
    settings[f"model_providers.{PROVIDER}.env_http_headers.{LOCAL_TOKEN}"] = VARIABLE
    settings[f"shell_environment_policy.set.{VARIABLE}"] = ""
    return [word for name, value in settings.items() for word in ("-c", f"{name}={json.dumps(value, ensure_ascii=False)}")]


def environment(environ: Mapping[str, str], token: str) -> dict[str, str]:
    """The user's, with the token in it, and with no proxy between Codex and this machine: it would use one even there."""
    lists = {name: _with_us(environ.get(name) or environ.get(other) or "") for name, other in _both("NO_PROXY", "no_proxy")}
    return {**environ, **lists, VARIABLE: token}


def may_start_daemon(arguments: Sequence[str]) -> bool:
    """Codex's screen leaves a server behind that keeps the environment of its first start, and with it an old token. `exec`, which
    scripts use, does not; nor does a screen for a server elsewhere."""
    remote = any(word.partition("=")[0] == "--remote" for word in arguments)
    return not remote and (not arguments or arguments[0] not in _WITHOUT_SCREEN)


def _with_us(listed: str) -> str:
    entries = [entry.strip() for entry in listed.split(",") if entry.strip()]
    return ",".join([*entries, *(host for host in _HERE if host not in entries and "*" not in entries)])


def _both(one: str, other: str) -> tuple[tuple[str, str], tuple[str, str]]:
    return (one, other), (other, one)
