"""Every module can be imported on Windows and macOS: with the system's name changed and what only Unix has hidden.

What a call does there is not seen here; `.github/workflows/ci.yml` runs the tests on the systems themselves.
"""

from __future__ import annotations

import json
import subprocess
import sys

import needed
import pytest
from custom_stages import ROOT

# Programs, and what is imported only where the system can do it.
ONLY_UNIX = ("forkserver", "spawn_fork", "spawn_posix", "warden")
PROGRAM = """
import importlib, json, os, signal, socket, sys

names, only_unix = json.loads(sys.argv[1])
HIDDEN = {
    "darwin": ((), {os: "pidfd_open sched_getaffinity", signal: "pidfd_send_signal"}),
    "win32": (
        ("fcntl", "resource", "termios", "tty", "pty", "pwd", "grp", "syslog", "curses", "readline"),
        {
            os: "fork forkpty killpg setsid setpgid getpgid getuid geteuid getgid getegid WNOHANG mkfifo chown uname"
            " set_blocking wait4 nice getloadavg",
            signal: "SIGKILL SIGHUP SIGQUIT SIGUSR1 SIGUSR2 SIGCHLD SIGPIPE SIGALRM SIGSTOP SIGCONT SIGXFSZ",
            socket: "AF_UNIX socketpair send_fds recv_fds SO_REUSEPORT",
        },
    ),
}


def forget_ours():
    for name in [name for name in sys.modules if name.startswith("codex_shim.")]:
        del sys.modules[name]


for name in names:
    importlib.import_module(name)  # so that what they build upon is there, as this system has it
found = {}
for platform, (modules, attributes) in HIDDEN.items():
    forget_ours()
    sys.platform = platform
    sys.modules.update(dict.fromkeys(modules))
    for module, parts in attributes.items():
        for part in parts.split():
            if hasattr(module, part):
                delattr(module, part)
    found[platform] = {}
    for name in names:
        try:
            if platform != "win32" or name not in only_unix:
                importlib.import_module(name)
        except Exception as error:
            found[platform][name] = f"{type(error).__name__}: {error}"
found["needs a Unix"] = [name for name in only_unix if name in sys.modules]
print(json.dumps(found))
"""


def modules() -> list[str]:
    """All of ours, but for the programs that run when they are imported."""
    paths = [path for folder in ("stages", "orchestrator") for path in (ROOT / folder).rglob("*.py")]
    names = [".".join(("codex_shim", *path.relative_to(ROOT).with_suffix("").parts)) for path in sorted(paths)]
    return [name.removesuffix(".__init__") for name in names if not name.endswith(".__main__")]


def test_every_module_is_imported_on_macos_and_on_windows() -> None:
    names = modules()
    argv = [sys.executable, "-P", "-c", PROGRAM, json.dumps([names, [name for name in names if name.endswith(ONLY_UNIX)]])]
    done = subprocess.run(argv, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {"darwin": {}, "win32": {}, "needs a Unix": []}


def test_what_needs_a_posix_system_modes_or_proc_bears_the_mark_of_it() -> None:
    """So that the jobs of macOS and Windows skip it by name, in place of failing there (tests/support/systems.py)."""
    lacking = [
        f"{path.relative_to(ROOT)}:{line}: {name} lacks @{mark}"
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        if path.name != "test_other_systems.py"
        for name, mark, line in needed.unmarked(path.read_text("utf-8"))
    ]
    assert lacking == []


@pytest.mark.parametrize(
    ("source", "lacking"),
    [
        ("def test_a(x):\n    x.symlink_to('y')\n", ["needs_posix"]),
        ("@needs_posix\ndef test_a(x):\n    x.symlink_to('y')\n", []),
        ("pytestmark = needs_linux\ndef test_a(x):\n    x.symlink_to('y')\n", []),
        ("@needs_posix\ndef test_a():\n    open('/proc/1/stat')\n", ["needs_proc"]),
        (
            "TEXT = '#!/bin/sh'\ndef made():\n    return TEXT\ndef test_a(made):\n    pass\ndef test_b():\n    pass\n",
            ["needs_posix"],
        ),
        ("from fake_cursor_agent import FakeAgent\ndef test_a():\n    FakeAgent()\n", ["needs_posix"]),
        ("def test_a(path):\n    assert path.stat().st_mode & 0o777 == 0o600\n", ["needs_modes"]),
        ("def test_a(path):\n    path.write_text('x')\n", []),
    ],
)
def test_a_mark_that_is_lacking_is_seen_also_through_what_a_test_uses(source: str, lacking: list[str]) -> None:
    assert [mark for _, mark, _ in needed.unmarked(source)] == lacking
