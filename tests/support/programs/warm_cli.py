"""`codex-shim` without the price of an interpreter's start: commands are forked from this process, which has imported all of it.

warm_cli.py SOCKET: the descriptor of a socket that keeps messages apart. Each message is JSON with `argv`, `env` and `cwd`, and
comes with three descriptors: the command's standard output, its standard error, and a pipe that is told its pid and then its exit
code, a line each. Standard input is empty. When the socket closes, this process ends; commands under way do not care.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import signal
import socket
import sys
import traceback
from typing import Any, NoReturn

from codex_shim.orchestrator import cli
from typer.testing import CliRunner


def main() -> None:
    CliRunner().invoke(cli.app, ["--home", os.devnull, "status"])  # imports what is not imported before it is needed
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody here waits for the keepers
    with socket.socket(fileno=int(sys.argv[1])) as requests:
        while True:
            message, descriptors, _, _ = socket.recv_fds(requests, 1 << 20, 3)
            if not message:
                return
            if os.fork() == 0:
                requests.close()
                _keep(json.loads(message), *descriptors)
            for each in descriptors:
                os.close(each)


def _keep(order: dict[str, Any], out: int, err: int, told: int) -> NoReturn:
    """Start the command, tell its pid, wait for it, tell its end."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    pid = os.fork()
    if pid == 0:
        os.close(told)
        _become(order, out, err)
    os.close(out)
    os.close(err)
    os.write(told, f"{pid}\n".encode())
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with contextlib.suppress(BrokenPipeError):
        os.write(told, f"{code}\n".encode())
    os._exit(0)


def _become(order: dict[str, Any], out: int, err: int) -> NoReturn:
    code: Any = 1
    try:
        nothing = os.open(os.devnull, os.O_RDONLY)
        for place, descriptor in enumerate((nothing, out, err)):
            os.dup2(descriptor, place)
            os.close(descriptor)
        os.environ.clear()
        os.environ.update(order["env"])
        os.chdir(order["cwd"])
        sys.argv = ["codex-shim", *order["argv"]]
        cli.main()
        code = 0
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code if isinstance(code, int) else 0 if code is None else 1)


if __name__ == "__main__":
    main()
