"""Sections ChatGPT passthrough and Cursor passthrough. Both are optional: that somebody has none is no fault."""

from __future__ import annotations

import time

from ..logins import chatgpt, cursor
from ..logins.state import LoginState
from ..subscriptions import CHATGPT, CURSOR, Subscription
from .check import Check, Section
from .subject import Subject

_CHATGPT = Section("ChatGPT passthrough")
_CURSOR = Section("Cursor passthrough")


def check_chatgpt(subject: Subject) -> list[Check]:
    if chatgpt.disabled(subject.environ):
        return [_CHATGPT.info(f"it is switched off by {chatgpt.SWITCH}")]
    here = chatgpt.check(chatgpt.auth_file(subject.environ), time.time())
    return [judge_chatgpt(here), *_judge_chain(_CHATGPT, subject, CHATGPT, here)]


def judge_chatgpt(state: LoginState) -> Check:
    """Codex may well be logged in with an API key instead; a login that has come to its end is what its owner wants to know of."""
    if not state.usable and "not logged in" in state.reason:
        return _CHATGPT.info("Codex is not logged in with ChatGPT, so no model of that subscription is on offer", "`codex login`")
    if not state.usable and "cannot be listed" in state.reason:  # with `--keep-login` that may be what its owner wants
        sentence, _, remedy = state.reason.partition("; ")
        return _CHATGPT.info(sentence, remedy)
    return _of(_CHATGPT, state)


def check_cursor(subject: Subject) -> list[Check]:
    if cursor.disabled(subject.environ):
        return [_CURSOR.info(f"it is switched off by {cursor.SWITCH}")]
    binary = cursor.find_binary(subject.environ)
    if binary is None:
        return [_no_binary(subject)]
    here = subject.cursor_login(binary)
    checks = [_CURSOR.ok(f"cursor-agent at {binary}"), _of(_CURSOR, here), *_judge_chain(_CURSOR, subject, CURSOR, here)]
    if subject.environ.get("CURSOR_API_KEY"):
        checks.append(_CURSOR.info("CURSOR_API_KEY is set here; cursor-agent is run without it, so that the login is what counts"))
    return checks


def _no_binary(subject: Subject) -> Check:
    if subject.environ.get(cursor.BINARY):
        remedy = f"set {cursor.BINARY} to the whole path of cursor-agent, or unset it"
        return _CURSOR.warn(f"{cursor.BINARY} names no program that can be started", remedy)
    return _CURSOR.info(
        "there is no cursor-agent, so no model of that subscription is on offer", "install it from https://cursor.com/cli"
    )


def _judge_chain(section: Section, subject: Subject, name: Subscription, here: LoginState) -> list[Check]:
    """A chain that was started with another environment looks for its logins elsewhere."""
    there = subject.running.logins.get(name) if subject.running else None
    if there is None or not here.usable or there.usable:
        return []
    message = f"the running chain cannot use it: {there.reason.partition('; ')[0]}"
    return [section.warn(message, "wait half a minute if you have just logged in; else `codex-shim restart` in this environment")]


def _of(section: Section, state: LoginState) -> Check:
    """The reason of a login that is not usable ends with its remedy."""
    if state.usable:
        return section.ok(state.reason)
    sentence, _, remedy = state.reason.partition("; ")
    return section.warn(sentence, remedy or "log in anew")
