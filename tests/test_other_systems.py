"""Every module can be imported on Windows and macOS: with the system's name changed and what only Unix has hidden.

What a call does there is not seen here; `.github/workflows/ci.yml` runs the tests on the systems themselves.
"""

from __future__ import annotations

import json
import subprocess
import sys

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
