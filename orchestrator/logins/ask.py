"""What can be said of each subscription's login at this moment, for a command that has no running chain to ask."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from ..subscriptions import CHATGPT, CURSOR, NAMES, Subscription, Subscriptions
from . import chatgpt, cursor
from .state import LoginState

States = dict[Subscription, LoginState]


def ask(subscriptions: Subscriptions, environ: Mapping[str, str], progress: Callable[[str], None]) -> States:
    """Of both, also of one that has no worker. Asking Cursor may take seconds; `progress` is told before."""
    return {name: _ask(name, subscriptions, environ, progress) for name in NAMES}


def absent(name: Subscription, environ: Mapping[str, str]) -> LoginState:
    """Why a subscription has no worker."""
    return LoginState(usable=False, reason=_why_absent(name, environ))


def _ask(
    name: Subscription, subscriptions: Subscriptions, environ: Mapping[str, str], progress: Callable[[str], None]
) -> LoginState:
    if name == CHATGPT and subscriptions.chatgpt:
        return chatgpt.check(Path(subscriptions.chatgpt.auth_file), time.time())
    if name == CURSOR and subscriptions.cursor:
        progress("Asking cursor-agent whether it is logged in …")
        return cursor.probe(Path(subscriptions.cursor.binary), environ)
    return absent(name, environ)


def _why_absent(name: Subscription, environ: Mapping[str, str]) -> str:
    module = chatgpt if name == CHATGPT else cursor
    if module.disabled(environ):
        return f"it is switched off by {module.SWITCH}"
    if name == CURSOR and environ.get(cursor.BINARY):
        return f"{cursor.BINARY} names no program that can be started; set it to the whole path of cursor-agent, or unset it"
    if name == CURSOR and cursor.find_binary(environ) is None:
        return "there is no cursor-agent; install it from https://cursor.com/cli"
    return 'the chain has no router; end pipeline.toml with `use = "router"`'
