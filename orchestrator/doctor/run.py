"""All checks side by side, in the order of the report. One that breaks is a finding of its own, never the end of the others."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import chain, codex_config, desktop, generated, home_folder, installation, proxy, service, settings, subscriptions
from .check import Check, Section
from .subject import Subject

Look = Callable[[Subject], list[Check]]


SECTIONS: tuple[tuple[str, Look], ...] = (
    ("Python", installation.python),
    ("Dependencies", installation.dependencies),
    ("Codex CLI", installation.codex_cli),
    ("Settings", settings.check),
    ("Generated files", generated.check),
    ("Chain", chain.check),
    ("Port", chain.check_port),
    ("Service", service.check),
    ("ChatGPT passthrough", subscriptions.check_chatgpt),
    ("Cursor passthrough", subscriptions.check_cursor),
    ("Proxy", proxy.check),
    ("Codex config", codex_config.check),
    ("Codex Desktop", desktop.check),
    ("Home", home_folder.check),
)


def examine(subject: Subject, sections: Sequence[tuple[str, Look]] = SECTIONS) -> list[Check]:
    """In threads: most of the time passes in waiting for programs."""
    with ThreadPoolExecutor(max_workers=len(sections)) as pool:
        found = pool.map(lambda section: _guarded(subject, *section), sections)
        return [check for checks in found for check in checks]


def _guarded(subject: Subject, name: str, look: Look) -> list[Check]:
    try:
        return look(subject)
    except Exception as error:
        return [_broken(name, error)]


def _broken(section: str, error: Exception) -> Check:
    """The kind of error and its place in our code. Its message stays out: it may quote what was read."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    message = f"this check itself broke: {type(error).__name__} at {Path(last.filename).name}:{last.lineno}"
    return Section(section).fail(message, "report this line as a fault of codex-shim; the other sections are right without it")
