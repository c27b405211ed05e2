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
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """`base` is what every child gets, `proxies` what only those that leave the machine get, `full` is for `${NAME}` in `env`."""

    base: dict[str, str]
    proxies: dict[str, str]
    full: dict[str, str]
    stages: Path

    def config_path(self, stage: str) -> str:
        return str(self.stages / f"{stage}.json")

    def __repr__(self) -> str:
        return "Surroundings(…)"


def survey(environ: Mapping[str, str], stages: Path) -> Surroundings:
    """`stages` is the folder of the configuration files."""
    base = {name: environ[name] for name in _ALLOWED if name in environ}
    base |= {name: value for name, value in environ.items() if name.startswith("LC_")}
    proxies = {name: value for name, value in environ.items() if name.upper() in _PROXIES}
    return Surroundings(base={**base, "PYTHONUNBUFFERED": "1"}, proxies=proxies, full=dict(environ), stages=stages)
