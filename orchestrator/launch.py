"""Starting a chain in this process or in one of its own, with the same words on the terminal."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from .chain import Chain
from .home import Home, private_folder
from .settings.problems import ConfigError
from .sockets import StartError
from .sources import Options
from .system import apart

Show = Callable[[dict[str, Any]], None]


def foreground(options: Options, show: Show) -> int:
    """Run the chain here until it is stopped. Raises `ConfigError` and `StartError`."""
    return asyncio.run(Chain(options, show).run())


def detached(options: Options, show: Show) -> int:
    """Run the chain in a process of its own and return once it is ready or has failed."""
    home = Home(options.home)
    private_folder(home.logs)
    log = home.logs / "orchestrator.log"
    with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "wb") as errors:
        process = subprocess.Popen(  # noqa: S603  # our own interpreter and module
            [
                sys.executable,
                "-P",
                "-m",
                "codex_shim.orchestrator.launch",
                msgspec.json.encode(options, enc_hook=str).decode(),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=home.root,
            **apart(),
        )
    assert process.stdout is not None
    with process.stdout:
        for line in process.stdout:
            message = json.loads(line)
            show(message)
            if message["event"] == "ready":
                return 0
            if message["event"] == "failed":
                process.wait()  # so that the next try does not meet the end of this one
                return int(message["code"])
    show({"event": "failed", "text": f"the chain ended before it was ready; see {log}", "code": 1})
    return 1


def main() -> None:
    """The detached process: reports on standard output for as long as somebody reads it."""
    options = msgspec.json.decode(sys.argv[1], type=Options, dec_hook=lambda kind, value: kind(value))
    try:
        code = asyncio.run(Chain(options, _tell).run())
    except ConfigError as error:
        code = ConfigError.EXIT_CODE
        _tell({"event": "failed", "text": str(error), "problems": [str(problem) for problem in error.problems], "code": code})
    except StartError as error:
        code = 1
        _tell({"event": "failed", "text": str(error), "code": code})
    raise SystemExit(code)


def _tell(message: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):
        os.write(1, json.dumps(message).encode() + b"\n")


def options_from(home: Path, settings: Path, pipeline: Path | None, port: int | None) -> Options:
    return Options(home=home, settings=settings, pipeline=pipeline, port=port)


if __name__ == "__main__":
    main()
