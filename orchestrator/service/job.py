"""What is to run as a service: the command line, the few variables it needs, and the name it goes by. Pure.

Rule of this file: no secret comes into a `Job`. A service manager keeps what it is told in files that others may read, and shows it
to whoever asks; so variables are carried by name, and none of the names holds a key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

NAME = "codex-shim"
MODULE = "codex_shim.orchestrator.cli"
# Beyond the drain time of pipeline.toml, for the processes to end.
MORE_SECONDS = 15

CARRIED = (
    "PATH",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NODE_EXTRA_CA_CERTS",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_CACHE_HOME",
    "CODEX_HOME",
    "CODEX_BIN",
    "CODEX_SHIM_DISABLE_CHATGPT",
    "CODEX_SHIM_DISABLE_CURSOR",
    "CODEX_SHIM_CURSOR_WORKSPACE",
    "CURSOR_AGENT_BIN",
    "CURSOR_CONFIG_DIR",
    "AGENT_CLI_CREDENTIAL_STORE",
    # What an `api_key_command` like `pass` or `gpg` looks for.
    "GNUPGHOME",
    "PASSWORD_STORE_DIR",
)
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
# What every service manager gives its services by itself.
_GIVEN = ("HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS")


class NotPossibleError(ValueError):
    """Why no service can be made of this, as a sentence."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """`argv` holds absolute paths. `environ` is all that is told of this terminal's; `env_file` may give more, and need not be
    there. `patience` is how many seconds an orderly end may take."""

    name: str
    argv: list[str]
    environ: dict[str, str]
    home: Path
    env_file: Path
    log: Path
    patience: int


def command(python: str, home: Path, settings: Path | None, pipeline: Path | None) -> list[str]:
    """What starts the chain and stays. Paths that are the usual ones of the home are left out."""
    chosen = [*(["--settings", str(settings)] if settings else []), *(["--pipeline", str(pipeline)] if pipeline else [])]
    return [python, "-P", "-m", MODULE, "--home", str(home), *chosen, "pipeline", "up"]


def name_of(home: Path, usual: Path) -> str:
    """One service for each home; that of the usual home has the plain name."""
    return NAME if home == usual else f"{NAME}-{hashlib.sha256(str(home).encode()).hexdigest()[:8]}"


def carried(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that a service is told, of those that are set here."""
    found = {name: environ[name] for name in CARRIED if environ.get(name)}
    found |= {name: value for name, value in environ.items() if name.upper() in _PROXIES and value and not _has_password(value)}
    return {name: value for name, value in found.items() if _is_plain(value)}


def withheld(environ: Mapping[str, str]) -> list[str]:
    """The proxy variables that are not told, because a password stands in them."""
    return [name for name, value in environ.items() if name.upper() in _PROXIES and _has_password(value)]


def seen_by_service(told: Mapping[str, str], environ: Mapping[str, str], more: Mapping[str, str]) -> dict[str, str]:
    """The environment after a reboot: what the manager gives, what it is told, and `more` that comes from elsewhere."""
    return {**{name: environ[name] for name in _GIVEN if name in environ}, **more, **told}


def read_env_file(text: str) -> dict[str, str]:
    """The variables of a file of `NAME=value` lines, as systemd reads them, in so far as people write them."""
    found = {}
    for line in text.splitlines():
        name, equals, value = line.strip().partition("=")
        if equals and not name.startswith(("#", ";")):
            value = value.strip()
            quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
            found[name.strip()] = value[1:-1] if quoted else value
    return found


def check(job: Job) -> None:
    """Raises `NotPossibleError` for what no service manager could be told."""
    for value in (*job.argv, *map(str, (job.home, job.env_file, job.log))):
        if not _is_plain(value):
            raise NotPossibleError(
                f"the path {value!r} holds a line break or a character that is no text; a service cannot have it"
            )


def _is_plain(value: str) -> bool:
    return not any(ord(each) < 32 or ord(each) == 127 or 0xD800 <= ord(each) < 0xE000 for each in value)


def _has_password(value: str) -> bool:
    try:
        place = urlsplit(value if "://" in value else f"//{value}").netloc
    except ValueError:
        return True  # nobody can tell what it is
    return "@" in place
