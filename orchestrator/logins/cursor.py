"""The Cursor login: the program that holds it, and the question whether it does.

`cursor-agent status` ends with exit code 0 either way, takes up to 15 seconds, and may leave a helper process behind. So it is
asked in a process group of its own that is swept in the end, and its output goes to a file: a helper that holds a pipe open would
keep us waiting for it.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import msgspec
from codex_shim.stages.contract.body import UNREADABLE

from ..codex.user_home import user_folder
from ..environment import for_cursor
from .state import LoginState, is_on

SWITCH = "CODEX_SHIM_DISABLE_CURSOR"
BINARY = "CURSOR_AGENT_BIN"
SECONDS = 15.0
REMEDY = "run `cursor-agent login`"

_OUTPUT_BYTES = 64 * 1024
_STEP_SECONDS = 0.05
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
# Words of builds that know no `--format json`. The refusals come first: "not logged in" contains "logged in".
_LOGGED_OUT = ("not logged in", "logged out", "not authenticated", "unauthenticated", "authentication required", "please run")
_LOGGED_IN = ("logged in", "authenticated as")

_OUT = LoginState(usable=False, reason=f"Cursor is not logged in; {REMEDY}")
_IN = LoginState(usable=True, reason="cursor-agent is logged in")


def disabled(environ: Mapping[str, str]) -> bool:
    return is_on(environ, SWITCH)


def find_binary(environ: Mapping[str, str]) -> Path | None:
    """The `cursor-agent` to use. A path that `CURSOR_AGENT_BIN` names wrongly is not replaced by another one.

    Nor is one that begins nowhere taken: it would lead elsewhere for the chain than for the command that starts it.
    """
    path = environ.get("PATH", "")
    if named := environ.get(BINARY, "").strip():
        program = Path(named).expanduser()
        begins = program.is_absolute() or len(program.parts) == 1
        return _path(shutil.which(os.fspath(program), path=path)) if begins else None
    own = user_folder(environ) / ".local" / "bin"
    for folders in (path, str(own)):
        if found := shutil.which("cursor-agent", path=folders):
            return Path(found)
    for folders in (path, str(own)):
        found = shutil.which("agent", path=folders)
        if found and _is_cursors(Path(found)):
            return Path(found)
    return None


def login_files(environ: Mapping[str, str]) -> list[Path]:
    """The files whose change means that the login may have changed, of every system: those of the others are never there."""
    home = user_folder(environ)
    config = Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "cursor"
    roaming = Path(environ.get("APPDATA") or home / "AppData" / "Roaming") / "Cursor"
    named = environ.get("CURSOR_CONFIG_DIR")
    folders = [config, home / ".cursor", roaming, *([Path(named).expanduser()] if named else [])]
    keychain = home / "Library" / "Keychains" / "login.keychain-db"
    return [*(folder / name for folder in folders for name in ("auth.json", "cli-config.json")), keychain]


def probe(binary: Path, environ: Mapping[str, str], seconds: float = SECONDS, give_up: threading.Event | None = None) -> LoginState:
    """Ask the program; blocks for `seconds` at most, and until `give_up` is set. Never raises."""
    give_up_at = time.monotonic() + seconds
    give_up = give_up or threading.Event()
    try:
        output, errors = _ask(binary, ["status", "--format", "json"], environ, give_up_at, give_up)
        if "unknown option" in errors + output and "format" in errors + output:
            output, errors = _ask(binary, ["status"], environ, give_up_at, give_up)
    except TimeoutError:
        reason = f"`cursor-agent status` did not answer within {seconds:g} seconds; run it by hand to see why"
        return LoginState(usable=False, reason=reason, certain=False)
    except OSError as error:
        return LoginState(usable=False, reason=f"{binary} cannot be started: {error.strerror}; install cursor-agent anew")
    return parse_status(output, errors)


def parse_status(output: str, errors: str = "") -> LoginState:
    """What `status` said, as JSON or in words. Nothing of it is repeated: it names the user."""
    authenticated = _authenticated(output)
    if authenticated is not None:
        return _IN if authenticated else _OUT
    words = " ".join(_ANSI.sub("", f"{output}\n{errors}").lower().split())
    if "keychain" in words and "locked" in words:
        return LoginState(usable=False, reason="the macOS login keychain, which holds Cursor's login, is locked; unlock it")
    if any(phrase in words for phrase in _LOGGED_OUT):
        return _OUT
    if any(phrase in words for phrase in _LOGGED_IN):
        return _IN
    reason = "`cursor-agent status` gave an answer that is not understood; run it by hand, and update cursor-agent"
    return LoginState(usable=False, reason=reason, certain=False)


def _authenticated(output: str) -> bool | None:
    """Of the JSON form, whatever noise stands around it; None where there is none."""
    start, end = output.find("{"), output.rfind("}")
    try:
        found = msgspec.json.decode(output[start : end + 1]) if 0 <= start < end else None
    except UNREADABLE:
        return None
    answer = found.get("isAuthenticated") if isinstance(found, dict) else None
    return answer if isinstance(answer, bool) else None


def _ask(
    binary: Path, arguments: list[str], environ: Mapping[str, str], give_up_at: float, give_up: threading.Event
) -> tuple[str, str]:
    """What the program wrote to its two outputs. Raises `OSError`; of those, `TimeoutError` where it did not end in time."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(  # noqa: S603  # the user's own cursor-agent
            [binary, *arguments],
            env={**for_cursor(environ), "TERM": "dumb", "NO_COLOR": "1", "NO_OPEN_BROWSER": "1"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            start_new_session=True,
        )
        try:
            while process.poll() is None:
                if time.monotonic() > give_up_at or give_up.wait(_STEP_SECONDS):
                    raise TimeoutError
        finally:
            _end(process)
        return _text(output), _text(errors)


def _end(process: subprocess.Popen[bytes]) -> None:
    """The program and all it has started in its group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read(_OUTPUT_BYTES).decode("utf-8", "replace")


def _is_cursors(program: Path) -> bool:
    """`agent` is a name that others use too: Cursor's lies in `…/cursor-agent/versions/…`."""
    parts = program.resolve().parts
    return any(pair == ("cursor-agent", "versions") for pair in itertools.pairwise(parts))


def _path(found: str | None) -> Path | None:
    return Path(found) if found else None
