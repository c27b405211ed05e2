"""Secrets that tests hand out. Each carries one mark, so that a search finds it wherever it should not be.

    row = {"model": "m", "provider": "openai", "api_key": marked.key("one")}
    marked.refuse(done.stdout, "the output of `codex-shim list`")

Searched are the output of every command (`RunningChain.cli`), what the system shows of every process of a chain
(`RunningChain.note_processes`), and at the end of the run every file that the tests have left behind (tests/conftest.py).
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Letters and digits only: no encoding of a header, a URL or JSON changes them.
MARK = "Mark3dT3stS3cr3t"

# What tests write themselves, because it is what their user has. Everything else is the work of the program.
INPUT = {
    "models.json": "a user may write keys into it",
    "models.json.*": "the private copy of it that `codex-shim model add` and `model remove` keep",
    "auth.json": "the login that Codex keeps",
    "print-key": "the user's own program that prints a key (tests/chain/test_secrets.py)",
    "litellm/config.json": "LiteLLM's own settings: it is the one who asks for the key (tests/support/litellm_proxy.py)",
}


def key(name: str, prefix: str = "sk-") -> str:
    """An API key."""
    return f"{prefix}{name}-{MARK}-0123456789"


def jwt(claims: dict[str, Any], name: str = "token") -> str:
    """A token whose claims can be read and whose signature, the part without which it is of no use, carries the mark."""
    header, payload = (_base64url(json.dumps(part).encode()) for part in ({"alg": "RS256", "typ": "JWT"}, claims))
    return f"{header}.{payload}.{name}{MARK}0123456789"


def shown_in(data: str | bytes) -> bool:
    """Whether a marked secret is in it, as it is or within something that was encoded in base64."""
    raw = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data
    return any(form in raw for form in _FORMS)


def refuse(data: str | bytes, where: str) -> None:
    """Fails without the secret in its own words."""
    if shown_in(data):
        raise AssertionError(f"a secret is in {where}")


def files_with_secrets(folder: Path) -> list[Path]:
    """All files below that hold one and are not INPUT, relative to the folder."""
    found = [path for path in _files(folder) if shown_in(_content(path)) and not any(path.match(name) for name in INPUT)]
    return sorted(path.relative_to(folder) for path in found)


def _files(folder: Path) -> Iterator[Path]:
    for parent, _, names in os.walk(folder):
        yield from (path for name in names if (path := Path(parent, name)).is_file() and not path.is_symlink())


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # a process that still ends has taken it away
        return b""


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _within_base64(data: bytes) -> Iterator[bytes]:
    """How it reads in base64, for each of the three places in a group where it may begin; without the letters its neighbours have
    a share in."""
    for before in range(3):
        whole = base64.b64encode(bytes(before) + data)
        yield whole[-(-8 * before // 6) : 8 * (before + len(data)) // 6]


_FORMS = (MARK.encode(), *_within_base64(MARK.encode()))
