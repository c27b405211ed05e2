"""Where codex-shim keeps its files, and how it writes them: folders 0700, files 0600, each put in place in one step."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

# Between tries at a file that another program has open.
PAUSES = (0.01, 0.05, 0.2)

Result = TypeVar("Result")


class Home:
    """The paths below `~/.codex-shim` (or `--home`, `CODEX_SHIM_HOME`). Nothing is created by naming it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.models = root / "models.json"
        self.pipeline = root / "pipeline.toml"
        self.providers = root / "providers.toml"
        self.prices = root / "prices.toml"
        self.usage = root / "usage.sqlite3"
        self.token = root / "token"
        self.service_env = root / "service.env"
        self.service_task = root / "service-task.xml"
        self.catalog = root / "custom_model_catalog.json"
        self.backups = root / "backups"
        self.codex_home = root / "codex-home"
        self.codex_config = self.codex_home / "config.toml"
        self.prompt_cache = root / "codex-prompt.json"
        self.run = root / "run"
        self.lock = self.run / "lock"
        self.control = self.run / "control.json"
        self.desk_control = self.run / "desk.json"
        self.otel_control = self.run / "otel.json"
        self.advertised = self.run / "advertised.json"
        self.subscription_catalog = self.run / "subscriptions.json"
        self.spent = self.run / "spent.json"
        self.cursor_slots = self.run / "cursor" / "slots"
        self.stages = self.run / "stages"
        self.logs = self.run / "logs"

    @classmethod
    def find(cls, explicit: Path | None, environ: Mapping[str, str]) -> Home:
        named = explicit or environ.get("CODEX_SHIM_HOME")
        return cls(Path(named).expanduser().absolute() if named else Path.home() / ".codex-shim")

    def local_token(self) -> str:
        """The bearer token that Codex presents to ingress; made once, then kept, so that Codex's configuration stays right."""
        token = self.known_token()
        if not token:
            token = secrets.token_urlsafe(32)
            write_private(self.token, token.encode() + b"\n")
        return token

    def known_token(self) -> str:
        """The same, empty where none has been made yet."""
        try:
            return self.token.read_text().strip()
        except FileNotFoundError:
            return ""


def private_folder(path: Path) -> None:
    """Make the folder and the missing ones above it, all 0700; `mkdir(parents=True)` would make those above world-readable."""
    if not path.is_dir():
        private_folder(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)


def patiently(act: Callable[[], Result], pause: Callable[[float], None] = time.sleep) -> Result:
    """On Windows nobody can replace, remove or open a file while another program has it open, which takes a moment."""
    for seconds in PAUSES:
        try:
            return act()
        except PermissionError:
            pause(seconds)
    return act()


def write_private(path: Path, content: bytes) -> None:
    """Readers see the old file or the new one, never half of one."""
    private_folder(path.parent)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        patiently(lambda: draft.replace(path))
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
