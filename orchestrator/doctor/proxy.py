"""Section Proxy: whether a proxy for the internet would also be asked for the chain on this machine.

Codex applies `HTTP_PROXY` to loopback addresses too, so without a matching `NO_PROXY` its requests never reach the chain. A proxy's
URL may hold a password, so it is not shown.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

from ..system import export_line
from .check import Check, Section
from .subject import Subject

NEEDED = ("127.0.0.1", "localhost")

_PROXY = Section("Proxy")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


def check(subject: Subject) -> list[Check]:
    return [judge(subject.environ)]


def judge(environ: Mapping[str, str]) -> Check:
    proxies = [name for name, value in environ.items() if name.upper() in _PROXIES and value]
    if not proxies:
        return _PROXY.ok("no proxy is set")
    lists = {name: environ[name] for name in ("NO_PROXY", "no_proxy") if name in environ} or {"NO_PROXY": ""}
    for name, listed in lists.items():  # some programs read the one, some the other
        lacking = [host for host in NEEDED if not covers(listed, host)]
        if lacking:
            message = f"{' and '.join(proxies)} would be used for the chain too: {name} lacks {' and '.join(lacking)}"
            return _PROXY.warn(message, f"`{export_line(name, ','.join(lacking))}` where Codex is started")
    return _PROXY.ok(f"{' and '.join(proxies)} are not used for this machine itself")


def covers(no_proxy: str, host: str) -> bool:
    """As curl, Python and Codex's own client read such a list."""
    return any(_matches(entry.strip().lower(), host) for entry in no_proxy.split(","))


def _matches(entry: str, host: str) -> bool:
    if entry == "*" or entry.lstrip(".") == host:
        return True
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return False
