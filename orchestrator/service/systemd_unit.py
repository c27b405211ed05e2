"""A systemd user unit, in systemd's own quoting (systemd.syntax(7), systemd.service(5)). Pure.

`%` begins a specifier everywhere, so it is doubled. `$` begins a variable in a command line unless the program is marked with `:`.
A path after `EnvironmentFile=` is not unquoted but is a pattern.
"""

from __future__ import annotations

import re

from .job import Job, NotPossibleError

_HEAD = "# Written by `codex-shim service install`; `codex-shim service uninstall` takes it away. Changes of your own belong\n"
_HEAD += "# into a drop-in: `systemctl --user edit {name}`.\n"
# Of a chain that cannot start, so many starts are tried in so many seconds. 78: the user's files have a problem.
_UNIT = """
[Unit]
Description=codex-shim, models for Codex
StartLimitIntervalSec=300
StartLimitBurst=5

[Service]
Type=exec
ExecStart={command}
{environment}
EnvironmentFile=-{env_file}
Restart=on-failure
RestartSec=5
RestartPreventExitStatus=78
KillMode=mixed
TimeoutStopSec={patience}
UMask=0077

[Install]
WantedBy=default.target
"""


def unit(job: Job) -> str:
    """The text of the unit's file. Raises `NotPossibleError`."""
    if set(job.argv[0]) & set("\"'\\"):
        raise NotPossibleError(f"systemd starts no program with a quote or a backslash in its path, like {job.argv[0]}")
    words = [_quoted(word) for word in job.argv]
    if any("$" in word for word in job.argv):
        words[0] = words[0].replace('"', '":', 1)
    return _HEAD.format(name=job.name) + _UNIT.format(
        command=" ".join(words),
        environment="\n".join(f"Environment={_quoted(f'{name}={value}')}" for name, value in job.environ.items()),
        env_file=_pattern(str(job.env_file)),
        patience=job.patience,
    )


def settings(text: str) -> dict[str, str]:
    """What a unit says, by name; each variable is one of its own."""
    found = {}
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            variable = re.match(r'"(\w+)=', value) if name == "Environment" else None
            found[variable[1] if variable else name] = value
    return found


def _quoted(word: str) -> str:
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%") + '"'


def _pattern(path: str) -> str:
    return re.sub(r"([\\*?\[\]])", r"\\\1", path).replace("%", "%%")
