"""What a child may know of this environment: an allow-list, because nobody can list all the names that hold secrets. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

_ALLOWED = (
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "LANGUAGE",
    "TZ",
    "TMPDIR",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    # Windows programs do not start, or find no folder, without these.
    "SYSTEMROOT",
    "SYSTEMDRIVE",
    "WINDIR",
    "COMSPEC",
    "PATHEXT",
    "TEMP",
    "TMP",
    "USERPROFILE",
    "APPDATA",
    "LOCALAPPDATA",
)
# Where cursor-agent keeps its login and its settings, and what node needs to reach the network. Its own keys and endpoints are not
# among them: they would change who pays.
_CURSOR = (
    "SHELL",
    "CURSOR_CONFIG_DIR",
    "NODE_EXTRA_CA_CERTS",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_CACHE_HOME",
    "XDG_RUNTIME_DIR",
    "DBUS_SESSION_BUS_ADDRESS",
    "AGENT_CLI_CREDENTIAL_STORE",
    "PROGRAMDATA",
    "PROGRAMFILES",
    "PROGRAMFILES(X86)",
)
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """`base` is what every child gets, `proxies` what only those that leave the machine get, `cursor` is what cursor-agent gets,
    `full` is for `${NAME}` in `env`."""

    base: dict[str, str]
    proxies: dict[str, str]
    cursor: dict[str, str]
    full: dict[str, str]
    stages: Path

    def config_path(self, stage: str) -> str:
        return str(self.stages / f"{stage}.json")

    def __repr__(self) -> str:
        return "Surroundings(…)"


def survey(environ: Mapping[str, str], stages: Path) -> Surroundings:
    """`stages` is the folder of the configuration files."""
    base = _base(environ)
    return Surroundings(
        base={**base, "PYTHONUNBUFFERED": "1"},
        proxies=_proxies(environ),
        cursor=for_cursor(environ),
        full=dict(environ),
        stages=stages,
    )


def for_cursor(environ: Mapping[str, str]) -> dict[str, str]:
    """What a cursor-agent may know."""
    return {**_base(environ), **_proxies(environ), **{name: environ[name] for name in _CURSOR if name in environ}}


def _base(environ: Mapping[str, str]) -> dict[str, str]:
    allowed = {name: environ[name] for name in _ALLOWED if name in environ}
    return allowed | {name: value for name, value in environ.items() if name.startswith("LC_")}


def _proxies(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if name.upper() in _PROXIES}
