"""The installed Codex CLI: where it is, and what it carries: the base prompt, and a list of its service's models.

Both belong to OpenAI's client and are read from the user's own copy of it, once per version, never shipped by us.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from codex_shim.stages.contract.body import UNREADABLE

from ..home import write_private

SECONDS = 10.0

# Stands in until a Codex CLI is found: enough for a model to use Codex's tools rightly.
FALLBACK_PROMPT = """\
You are a coding agent running in Codex, in the user's own workspace. Work until the task is done, then say briefly what you did.

- Read before you write: look at the files that matter with `exec_command` (prefer `rg` and `sed -n`), follow the style you find,
  and obey AGENTS.md files, the nearest one first.
- Change files with `apply_patch`: the input starts with `*** Begin Patch` and ends with `*** End Patch`. Inside stand
  `*** Add File: PATH` with lines that start with `+`, `*** Update File: PATH` with `@@` hunks of context, `-` and `+` lines,
  or `*** Delete File: PATH`.
- Run the project's own tests or commands to check what you did. Say so when you could not.
- Do not undo changes you did not make, and do not commit unless you are asked to.
"""


class _Entry(msgspec.Struct):
    """As much of the CLI's own catalog as is needed to choose a prompt that suits a model with ordinary tools."""

    slug: str = ""
    base_instructions: str = ""
    use_responses_lite: bool = False
    tool_mode: str | None = None
    priority: int = 0


class _Catalog(msgspec.Struct):
    models: list[_Entry] = []


class _Cached(msgspec.Struct):
    key: str
    prompt: str
    bundled: msgspec.Raw


def find(environ: Mapping[str, str]) -> Path | None:
    """The `codex` on the PATH, or the one that `CODEX_BIN` names."""
    named = environ.get("CODEX_BIN") or shutil.which("codex", path=environ.get("PATH"))
    return Path(named) if named and Path(named).exists() else None


class Prompt(msgspec.Struct, frozen=True):
    """`source` says in words where the text comes from; `bundled` is the whole list that the CLI carries, as JSON, empty where
    there is none. `fresh` is what the cache should hold, None where it does already."""

    text: str
    source: str
    bundled: bytes = b""
    fresh: bytes | None = None

    def __repr__(self) -> str:
        return f"Prompt({self.source})"


def base_prompt(cli: Path | None, cache: Path, environ: Mapping[str, str]) -> Prompt:
    """What the CLI had to be asked for is kept in the cache."""
    prompt = look(cli, cache, environ)
    if prompt.fresh is not None:
        write_private(cache, prompt.fresh)
    return prompt


def look(cli: Path | None, cache: Path, environ: Mapping[str, str]) -> Prompt:
    """The prompt, without keeping it. Asks the CLI only when its file has changed since the last time."""
    if cli is None:
        return Prompt(FALLBACK_PROMPT, "the built-in short prompt (no Codex CLI was found)")
    key, source = _key(cli), f"the Codex CLI at {cli}"
    with contextlib.suppress(OSError, *UNREADABLE):
        cached = msgspec.json.decode(cache.read_bytes(), type=_Cached)
        if cached.key == key:
            return Prompt(cached.prompt, source, bytes(cached.bundled))
    bundled = _ask(cli, environ)
    prompt = choose(bundled)
    if prompt is None:
        return Prompt(FALLBACK_PROMPT, f"the built-in short prompt ({source} did not give its own)")
    return Prompt(prompt, source, bundled, msgspec.json.encode(_Cached(key, prompt, msgspec.Raw(bundled))))


def choose(catalog: bytes) -> str | None:
    """The prompt of the foremost model that has ordinary tools, else of the foremost one. None for what is no catalog."""
    try:
        models = msgspec.json.decode(catalog, type=_Catalog).models
    except UNREADABLE:
        return None
    usable = [model for model in models if model.base_instructions]
    usable.sort(key=lambda model: (model.use_responses_lite, model.tool_mode is not None, model.priority))
    return usable[0].base_instructions if usable else None


def _ask(cli: Path, environ: Mapping[str, str]) -> bytes:
    """`codex debug models --bundled` reads nothing of the user's and calls nobody."""
    command: list[Any] = [cli, "debug", "models", "--bundled"]
    try:
        done = subprocess.run(  # noqa: S603  # the user's own Codex
            command, capture_output=True, timeout=SECONDS, stdin=subprocess.DEVNULL, env=dict(environ), check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return b""
    return done.stdout if done.returncode == 0 else b""


def _key(cli: Path) -> str:
    """The launcher is a link into a package; the real file changes with every version."""
    real = cli.resolve()
    facts = real.stat()
    return f"{os.fspath(real)}:{facts.st_size}:{facts.st_mtime_ns}"
