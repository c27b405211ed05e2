"""The words for what a chain reports while it starts, runs and stops (see chain.py for the messages)."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer

from ..logins.state import TITLES
from ..running.status import SLEEPS
from ..system import with_variable

Message = dict[str, Any]

_MARKS = {
    "ready": ("●", "green"),
    "asleep": ("○", "blue"),
    "waiting": ("◐", "yellow"),
    "failed": ("✗", "red"),
    "hung": ("◐", "red"),
    "leased": ("◇", "cyan"),
}


class Progress:
    """`show` takes one message. `foreground` adds how to stop."""

    def __init__(self, *, foreground: bool, echo: Callable[[str], None] = lambda line: typer.echo(line, err=True)) -> None:
        self._foreground = foreground
        self._echo = echo
        self._told: dict[str, str] = {}
        self.failure: Message | None = None

    def show(self, message: Message) -> None:
        match message["event"]:
            case "stage":
                self._stage(message)
            case "slow":
                self._slow(message)
            case "problem":
                self._echo(typer.style("problem: ", fg="yellow") + message["text"])
            case "changed":
                self._echo(message["words"])
            case "unchanged":
                self._unchanged(message)
            case "login":
                self._login(message)
            case "ready":
                self._ready(message)
            case "stopping":
                self._echo("Stopping; what streams may finish. Ctrl-C again ends it now." if self._foreground else "Stopping.")
            case "failed":
                self.failure = message

    def _unchanged(self, message: Message) -> None:
        for problem in message["problems"]:
            self._echo(typer.style("not changed: ", fg="yellow") + problem)

    def _stage(self, status: Message) -> None:
        state = status["state"]
        if state not in _MARKS:
            return
        mark, colour = _MARKS[state]
        self._echo(f"  {typer.style(mark, fg=colour)} {status['name']:<16} {status['address']:<22} {self._words(status)}")

    def _words(self, status: Message) -> str:
        match status["state"]:
            case "ready":
                took = f" in {status['start_ms']:.0f} ms" if status["start_ms"] is not None else ""
                return f"ready{took}" + (f" (start {status['restarts'] + 1})" if status["restarts"] else "")
            case "asleep":
                return SLEEPS
            case "waiting":
                return f"{_ended(status['last_exit'])}; it is being restarted{_last_line(status)}"
            case "hung":
                return "does not answer; it will be replaced if it goes on like that"
            case "failed":
                return f"failed: {status['last_exit']}"
            case _:
                return "is run by hand"

    def _slow(self, message: Message) -> None:
        stages = ", ".join(message["stages"]) or "something"
        self._echo(typer.style(f"  … waiting for {stages} ({message['seconds']} s)", dim=True))

    def _login(self, message: Message) -> None:
        offer = "on offer" if message["usable"] else "no longer on offer"
        self._echo(f"  {TITLES[message['subscription']]} is {offer}: {message['reason']}")

    def _ready(self, message: Message) -> None:
        bold = typer.style(message["url"], bold=True)
        self._echo(f"Ready in {message['seconds']:.2f} s. Codex connects to {bold}")
        if not message["codex"]:
            self._echo("The Codex CLI was not found; `npm install -g @openai/codex` installs it.")
        self._echo(f"Try it:  {with_variable('CODEX_HOME', _short(message['codex_home']), 'codex')}")
        if self._foreground:
            self._echo(typer.style("Ctrl-C stops the chain.", dim=True))


def _ended(last_exit: str) -> str:
    """How a process ended is told as a death; why there was none, or why it was killed, is a sentence already."""
    return f"died ({last_exit})" if last_exit.startswith(("exit code", "killed by", "its ")) else last_exit


def _last_line(status: Message) -> str:
    """The last thing it said to people: records of its log are for programs."""
    said = [line for line in status["lines"] if not line.startswith("{")]
    return f"\n      │ {said[-1]}" if said else ""


def _short(path: str) -> str:
    home = str(Path.home())
    return "~" + path[len(home) :] if path.startswith(home + os.sep) else path
