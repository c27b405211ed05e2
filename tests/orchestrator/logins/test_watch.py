"""Logins come and go while a chain runs: what is looked at, what is asked and when, and who hears of it. The clock stands still."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import chatgpt_login
import pytest
from codex_shim.orchestrator.logins import watch as module
from codex_shim.orchestrator.logins.ask import States
from codex_shim.orchestrator.logins.state import LoginState
from codex_shim.orchestrator.logins.watch import AGAIN_SECONDS, REGULAR_SECONDS, RETRY_SECONDS, Watch
from codex_shim.orchestrator.subscriptions import ChatGpt, Cursor, Subscriptions
from codex_shim.stages.contract import foreign_file
from waiting import PATIENCE

IN = LoginState(usable=True, reason="in")
OUT = LoginState(usable=False, reason="out")
FAILED = LoginState(usable=False, reason="failed", certain=False)


class Scene:
    """A home with both logins, a clock that stands still, and a cursor-agent that answers what `answers` says next."""

    def __init__(self, folder: Path) -> None:
        self.now = time.time()
        self.auth = folder / ".codex" / "auth.json"
        self.cursor_auth = folder / ".config" / "cursor" / "auth.json"
        self.cursor_config = folder / ".config" / "cursor" / "cli-config.json"
        self.cursor_auth.parent.mkdir(parents=True)
        self.program = folder / "cursor-agent"
        self.program.touch()
        self.answers: list[LoginState] = []
        self.asked = 0
        self.at_once = 0
        self.most_at_once = 0
        self.during: Callable[[], None] = lambda: None
        self.told: list[dict[str, bool]] = []
        self.trouble: Exception | None = None
        self.tried = 0
        self.log_in(3600)
        self.watch = Watch(
            Subscriptions(chatgpt=ChatGpt(auth_file=str(self.auth)), cursor=Cursor(binary=str(self.program), folder="")),
            {"HOME": str(folder)},
            self._changed,
            clock=lambda: self.now,
            probe=self._probe,
        )

    def log_in(self, seconds: float) -> None:
        """With a token that is good for so long."""
        chatgpt_login.write_auth(self.auth.parent, chatgpt_login.login(seconds=self.now + seconds - time.time()))

    async def look(self, seconds: float = 0.0) -> None:
        """One tick, `seconds` later; whatever was asked has been answered, and told, at its end."""
        self.now += seconds
        await self.watch.look()
        while (asking := self.watch._cursor._asking if self.watch._cursor else None) is not None:
            await asyncio.wait({asking})
        await self.watch.look()

    def _probe(self, give_up: threading.Event) -> LoginState:
        self.asked += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.during()
        self.at_once -= 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    async def _changed(self, states: States) -> None:
        self.tried += 1
        if self.trouble:
            raise self.trouble
        self.told.append({name: state.usable for name, state in states.items()})


def scene(test: Callable[[Scene], Coroutine[Any, Any, None]]) -> Callable[[Path], None]:
    """Run an async test with a scene of its own."""

    def run(tmp_path: Path) -> None:
        async def play() -> None:
            await test(Scene(tmp_path))

        asyncio.run(play())

    run.__name__ = test.__name__
    run.__doc__ = test.__doc__
    return run


@scene
async def test_what_is_there_at_the_start_is_known_at_once_and_cursor_is_asked(it: Scene) -> None:
    it.answers = [IN]
    assert it.watch.states["chatgpt"].usable
    assert it.watch.states["cursor"].reason == "cursor-agent is being asked whether it is logged in"
    await it.look()
    assert it.watch.states["cursor"] == IN
    assert it.told == [{"chatgpt": True, "cursor": True}], "what did not change is no news by itself"


@scene
async def test_nothing_is_asked_or_told_while_no_file_changes(it: Scene) -> None:
    it.answers = [OUT]
    for _ in range(50):
        await it.look(2)
    assert (it.asked, it.told) == (1, [])


@scene
async def test_d52_a_login_and_a_logout_of_cursor_are_seen_at_the_next_look(it: Scene) -> None:
    it.answers = [OUT]
    await it.look()
    it.answers = [IN]
    it.cursor_auth.write_text("{}")
    await it.look(2)
    assert it.watch.states["cursor"].usable
    it.answers = [OUT]
    it.cursor_auth.unlink()
    await it.look(2)
    assert it.told == [{"chatgpt": True, "cursor": True}, {"chatgpt": True, "cursor": False}]
    assert it.asked == 3


@scene
async def test_a_program_that_goes_is_seen_at_the_next_look(it: Scene) -> None:
    it.answers = [IN, OUT]
    await it.look()
    it.program.unlink()
    await it.look(2)
    assert it.watch.states["cursor"] == OUT


@scene
async def test_without_any_change_cursor_is_asked_every_ten_minutes(it: Scene) -> None:
    it.answers = [IN]
    await it.look()
    await it.look(REGULAR_SECONDS - 1)
    assert it.asked == 1
    it.answers = [OUT]
    await it.look(2)
    assert (it.asked, it.watch.states["cursor"]) == (2, OUT)


@scene
async def test_d52_chatgpts_login_is_seen_by_its_file_and_its_end_by_the_clock(it: Scene) -> None:
    it.answers = [OUT]
    await it.look()
    await it.look(3500)
    assert it.watch.states["chatgpt"].usable
    await it.look(101)
    assert it.watch.states["chatgpt"].reason.startswith("the ChatGPT login has expired")
    it.log_in(60)
    await it.look(2)
    it.auth.unlink()
    await it.look(2)
    assert [told["chatgpt"] for told in it.told] == [False, True, False]


@scene
async def test_a_file_that_could_not_be_opened_is_read_at_the_next_look_though_it_did_not_change(it: Scene) -> None:
    """As where the process had no descriptor left."""
    it.answers = [OUT]
    await it.look(2)
    it.log_in(7200)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(foreign_file, "read", _out_of_descriptors)
        await it.look(2)
    assert not it.watch.states["chatgpt"].usable
    await it.look(2)
    assert [told["chatgpt"] for told in it.told] == [False, True]


def _out_of_descriptors(path: Path, most_bytes: int) -> bytes:
    raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))


@scene
async def test_a_question_that_fails_is_put_again_soon_and_what_was_known_stays_for_a_while(it: Scene) -> None:
    it.answers = [IN]
    await it.look()
    it.cursor_auth.write_text("{}")
    it.answers = [FAILED]
    await it.look(2)
    await it.look(RETRY_SECONDS + 1)
    assert (it.asked, it.watch.states["cursor"]) == (3, IN)
    await it.look(RETRY_SECONDS + 1)
    assert (it.asked, it.watch.states["cursor"]) == (4, FAILED)
    it.answers = [IN]
    await it.look(RETRY_SECONDS + 1)
    assert it.watch.states["cursor"] == IN


@scene
async def test_a_question_that_always_fails_is_put_more_and_more_rarely(it: Scene) -> None:
    it.answers = [FAILED]
    for _ in range(1500):
        await it.look(2)
    assert 5 < it.asked < 16, it.asked
    assert it.told == []


@scene
async def test_there_is_one_question_at_a_time_and_a_change_during_it_is_not_lost(it: Scene) -> None:
    it.answers = [OUT, IN]

    def log_in() -> None:
        it.cursor_auth.write_text("{}")
        it.during = lambda: None

    it.during = log_in
    await asyncio.gather(it.watch.look(), it.watch.look(), it.look())
    assert (it.asked, it.most_at_once, it.watch.states["cursor"]) == (1, 1, OUT)
    await it.look(AGAIN_SECONDS + 1)
    assert (it.asked, it.watch.states["cursor"]) == (2, IN)


@scene
async def test_a_question_that_changes_the_files_by_itself_is_put_more_and_more_rarely(it: Scene) -> None:
    it.answers = [IN]
    it.during = lambda: it.cursor_auth.write_text(str(it.asked)) and None  # pyright: ignore[reportAttributeAccessIssue]
    for _ in range(900):
        await it.look(2)
    assert it.asked < 12


@scene
async def test_of_cursors_settings_only_who_is_logged_in_counts(it: Scene) -> None:
    it.answers = [IN]
    it.cursor_config.write_text(json.dumps({"authInfo": {"email": "a@example.com"}, "model": "x"}))
    await it.look()
    it.cursor_config.write_text(json.dumps({"authInfo": {"email": "a@example.com"}, "model": "another"}))
    await it.look(2)
    assert it.asked == 1
    it.cursor_config.write_text(json.dumps({"model": "another"}))
    await it.look(2)
    assert it.asked == 2


@scene
async def test_what_could_not_be_written_is_told_again(it: Scene) -> None:
    it.answers = [IN]
    it.trouble = OSError("the disk is full")
    await it.look()
    assert it.told == []
    it.trouble = None
    await it.look(2)
    assert it.told == [{"chatgpt": True, "cursor": True}]


@scene
async def test_a_fault_of_ours_ends_neither_the_questions_nor_the_watch(it: Scene) -> None:
    it.answers = []  # taking one raises
    await it.look()
    assert "IndexError" in it.watch.states["cursor"].reason
    it.answers = [IN]
    await it.look(RETRY_SECONDS)
    assert it.watch.states["cursor"].usable
    it.tried, it.trouble = 0, ValueError("a bug")
    it.log_in(-1)
    async with running(it.watch):
        async with asyncio.timeout(PATIENCE):
            while it.tried < 2:  # told in vain, and told again at the next look
                it.watch._woken.set()
                await asyncio.sleep(0)


@scene
async def test_who_stops_watching_does_not_wait_for_an_answer(it: Scene) -> None:
    asked = threading.Event()

    def hang(give_up: threading.Event) -> LoginState:
        asked.set()
        give_up.wait()
        return FAILED

    assert it.watch._cursor is not None
    it.watch._cursor._probe = hang
    async with running(it.watch):
        assert await asyncio.to_thread(asked.wait, 15)


@asynccontextmanager
async def running(watch: Watch) -> AsyncIterator[None]:
    task = asyncio.create_task(watch.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


def test_a_subscription_that_is_switched_off_says_so(tmp_path: Path) -> None:
    async def play() -> None:
        async def changed(states: States) -> None:
            raise AssertionError

        environ = {"HOME": str(tmp_path), "PATH": "", "CODEX_SHIM_DISABLE_CHATGPT": "1"}
        states = Watch(Subscriptions(), environ, changed).states
        assert states["chatgpt"].reason == "it is switched off by CODEX_SHIM_DISABLE_CHATGPT"
        assert states["cursor"].reason == "there is no cursor-agent; install it from https://cursor.com/cli"

    asyncio.run(play())


def test_a_login_is_seen_within_thirty_seconds() -> None:
    """The promise of decision 10, from the numbers it is made of."""
    assert module.TICK_SECONDS + AGAIN_SECONDS + module.cursor.SECONDS < 30
