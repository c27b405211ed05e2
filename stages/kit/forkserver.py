"""One preloaded process from which the built-in stages are forked (Linux).

What a stage imports is read once and its memory shared, so a stage starts in milliseconds and costs a few MB. This process never
reads a configuration and never holds a key: a child is told who it is only after the fork.

It answers on the socket whose descriptor is its argument, one JSON message per packet:

    → {"id", "kind": "module" | "command", "argv", "env", "cwd", "title"} with descriptors stdin, stdout, stderr[, listening socket]
    ← {"id", "pid"} and later {"pid", "status"}, the status as `waitpid` gives it

When the other end closes, foreign programs are killed with all that they have started: they may not watch their standard input, as
our own stages do.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import importlib.util
import json
import os
import runpy
import select
import signal
import socket
import sys
import traceback
from typing import Any, NoReturn

from setproctitle import getproctitle, setproctitle

from ..contract.handshake import LISTEN_FD
from .settings import EX_CONFIG

PRELOAD = (
    "ssl",
    "codex_shim.stages.kit.process",
    "codex_shim.stages.ingress.stage",
    "codex_shim.stages.policy.stage",
    "codex_shim.stages.probe.stage",
    "codex_shim.stages.router.stage",
    "codex_shim.stages.egress_http.stage",
    "codex_shim.stages.egress_demo.stage",
)
# A listening socket is given to every child under the same number, the first behind the standard three.
INHERITED_FD = 3
_MAX_PACKET = 1 << 20
_MAX_FDS = 4


class ForkServer:
    """Runs until its socket closes. One thread, no event loop: nothing that a fork could tear."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._foreign: set[int] = set()

    def run(self) -> None:
        wake_r, wake_w = os.pipe()
        os.set_blocking(wake_w, False)
        signal.set_wakeup_fd(wake_w)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        try:
            while True:
                readable, _, _ = select.select([self._control, wake_r], [], [])
                if wake_r in readable:
                    os.read(wake_r, 4096)
                    self._reap()
                if self._control in readable and not self._serve_one():
                    return
        finally:
            for pid in self._foreign:
                _kill_group(pid)

    def _serve_one(self) -> bool:
        """False at the end. An orchestrator that was killed with answers unread ends the connection with a reset."""
        try:
            packet, descriptors, _, _ = socket.recv_fds(self._control, _MAX_PACKET, _MAX_FDS)
        except ConnectionError:
            return False
        if not packet:
            return False
        message = json.loads(packet)
        pid = os.fork()
        if pid == 0:
            _become(message, descriptors, self._control)
        for descriptor in descriptors:
            os.close(descriptor)
        if message["kind"] == "command":
            self._foreign.add(pid)
        self._send({"id": message["id"], "pid": pid})
        return True

    def _reap(self) -> None:
        """What a foreign program leaves behind goes with it, while its pid still names its group and nobody else's."""
        with contextlib.suppress(ChildProcessError):
            while ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                if ended.si_pid in self._foreign:
                    _kill_group(ended.si_pid)
                    self._foreign.discard(ended.si_pid)
                pid, status = os.waitpid(ended.si_pid, 0)
                self._send({"pid": pid, "status": status})

    def _send(self, message: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):
            self._control.send(json.dumps(message).encode())


def _kill_group(leader: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def _become(message: dict[str, Any], descriptors: list[int], control: socket.socket) -> NoReturn:
    """The child: from here on this is another process with another name. Never returns."""
    code = 1
    try:
        control.close()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setpgid(0, 0)
        inherited = _place(descriptors)
        environment = dict(message["env"])
        if inherited is not None:
            environment[LISTEN_FD] = str(inherited)
        os.chdir(message["cwd"])
        if message["kind"] == "command":
            _die_with_parent()
            os.execvpe(message["argv"][0], message["argv"], environment)  # noqa: S606  # a program, never a shell
        code = _run_module(message["argv"], environment, message["title"])
    except OSError as error:
        print(f"{message['argv'][0]} cannot be started: {error.strerror}", file=sys.stderr)
        code = 127
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(BaseException):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _place(descriptors: list[int]) -> int | None:
    """Put the received descriptors where they belong: 0, 1, 2 and, for a listening socket, 3."""
    high = [os.dup2(descriptor, 100 + place) for place, descriptor in enumerate(descriptors)]
    for descriptor in descriptors:
        os.close(descriptor)
    for place, descriptor in enumerate(high):
        os.dup2(descriptor, place, inheritable=True)
        os.close(descriptor)
    return INHERITED_FD if len(descriptors) > INHERITED_FD else None


def _run_module(argv: list[str], environment: dict[str, str], title: str) -> int:
    os.environ.clear()
    os.environ.update(environment)
    # Read by an interpreter when it starts, and this one has started: without it a typed stage outside our packages is not found.
    sys.path[:0] = [folder for folder in environment.get("PYTHONPATH", "").split(os.pathsep) if folder]
    setproctitle(title)
    sys.argv = argv
    if not _exists(argv[0]):
        print(f"there is no Python module {argv[0]}; `path` in pipeline.toml names the folder it is found in", file=sys.stderr)
        return EX_CONFIG
    try:
        runpy.run_module(argv[0], run_name="__main__", alter_sys=True)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 1
    return 0


def _exists(module: str) -> bool:
    """A package that fails while it is imported does exist; running the module tells why."""
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError as error:
        return error.name is None or not (module + ".").startswith(error.name + ".")
    except Exception:
        return True


def _die_with_parent() -> None:
    """Foreign programs go when this process goes, even if it is killed (prctl PR_SET_PDEATHSIG)."""
    import ctypes

    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the terminal is the orchestrator's to act upon
    for name in PRELOAD:
        importlib.import_module(name)
    getproctitle()  # finds the memory of argv, which it no longer can once a child has changed its environment
    gc.collect()
    gc.freeze()  # what is loaded now is never collected, so children do not touch, and copy, its pages
    ForkServer(control).run()


if __name__ == "__main__":
    main()
