"""Section Generated files: what Codex reads of ours, compared with what `generate` would write now."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from shlex import quote

import msgspec

from .. import offering
from ..codex import cli, files
from ..codex.files import Draft
from ..logins import chatgpt
from ..logins.ask import States, absent
from ..settings.models import ModelRow
from ..subscriptions import CHATGPT, CURSOR, NAMES, Subscriptions
from ..system import open_to_others
from .check import Check, Section
from .installation import quiet
from .subject import Subject

_GENERATED = Section("Generated files")
_REMEDY = "`codex-shim generate`"


def check(subject: Subject) -> list[Check]:
    home = subject.home
    sources, url = subject.settings.sources, subject.base_url
    if sources is None or url is None:
        there = [path for path in (home.catalog, home.codex_config) if path.exists()]
        return [_GENERATED.info("they cannot be compared with settings that cannot be used", details=list(map(str, there)))]
    prompt = cli.look(cli.find(subject.environ), home.prompt_cache, quiet(subject.environ))
    rows = likely(sources.rows, files.listed(home.catalog))
    offered, more = offering.prepare(msgspec.structs.replace(sources, rows=rows), prompt, subject.environ)
    entries = offered.catalog(offered.advertised(logins(subject, sources.subscriptions)), more)
    drafts = files.drafts(home, entries, url, home.known_token(), choosable=offered.choosable)
    return [judge(draft, open_to_others(draft.path)) for draft in drafts]


def logins(subject: Subject, subscriptions: Subscriptions) -> States:
    """What the running chain knows, since it keeps the files in step with that; else what a look tells."""
    if subject.running and subject.running.logins:
        return subject.running.logins
    states: States = {name: absent(name, subject.environ) for name in NAMES}
    if subscriptions.chatgpt:
        states[CHATGPT] = chatgpt.check(Path(subscriptions.chatgpt.auth_file), time.time())
    if subscriptions.cursor:
        states[CURSOR] = subject.cursor_login(Path(subscriptions.cursor.binary))
    return states


def judge(draft: Draft, readable: bool) -> Check:
    """`readable` tells that others than its owner can read the file."""
    if draft.content is None and draft.change != "unchanged":
        message = f"{draft.path} is not valid TOML, so it is left as it is"
        return _GENERATED.warn(message, f"mend it, or remove it and run {_REMEDY}")
    if draft.change == "created":
        return _GENERATED.warn(f"there is no {draft.path}", _REMEDY)
    if draft.change == "updated":
        return _GENERATED.warn(f"{draft.path} is not in step with the settings as they are now", _REMEDY)
    if readable:
        return _GENERATED.warn(f"{draft.path} can be read by others", f"`chmod 600 {quote(str(draft.path))}`")
    return _GENERATED.ok(f"{draft.path} is in step with the settings")


def likely(rows: Sequence[ModelRow], listed: Sequence[str]) -> list[ModelRow]:
    """The rows that `generate` would list. Whether a command gives a key is not tried here; last time it did, or did not."""
    return [row for row in rows if row.key_source != "api_key_command" or not listed or row.slug in listed]
