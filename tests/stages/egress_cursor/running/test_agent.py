"""One run of a program: what it is given, how it is read, and that nothing of it is left, whatever it does."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import process_tree
import pytest
from codex_shim.stages.contract.errors import HopError
from codex_shim.stages.egress_cursor.config import Config, Options
from codex_shim.stages.egress_cursor.running import environment, limits, spawn_posix, tree
from codex_shim.stages.egress_cursor.running.agent import Run
from codex_shim.stages.egress_cursor.running.child import Launch, StartError
from codex_shim.stages.kit.loop import loop_factory
from fake_cursor_agent import FakeCursorAgent, Step
from fake_cursor_agent_stage import zombies
from systems import needs_linux, needs_posix, needs_proc
from waiting import PATIENCE, until

pytestmark = needs_posix

RESULT = b'"type": "result"'
STUBBORN: Step = {"ignore": ["SIGTERM"]}
ESCAPEE: Step = {"fork": {"setsid": True, "ignore": ["SIGTERM", "SIGHUP"], "hold": True}}
NAMELESS: Step = {"fork": {"setsid": True, "ignore": ["SIGTERM"], "hold": True, "scrub": True}}
SECRETS = {
    "CURSOR_API_KEY": "crsr_1",
    "OPENAI_API_KEY": "sk-1",
    "GITHUB_TOKEN": "ghp_1",
    "CURSOR_AUTH_TOKEN": "t",
    "NODE_OPTIONS": "-x",
}


@pytest.fixture
def agent(tmp_path: Path) -> FakeCursorAgent:
    return FakeCursorAgent(tmp_path / "agent")


class Seen:
    """What a run gave."""

    def __init__(self) -> None:
        self.output = b""
        self.code: int | None = None
        self.stderr = ""
        self.failure: HopError | None = None
        self.clean: bool | None = None
        self.run_id = ""


def launch(agent: FakeCursorAgent, **changes: Any) -> Launch:
    place = agent.folder / "slot"
    for name in ("config", "data", "tmp"):
        (place / name).mkdir(parents=True, exist_ok=True)
    given = {"PATH": os.environ["PATH"], "HOME": str(agent.folder), **SECRETS}
    folders = {"config": str(place / "config"), "data": str(place / "data"), "temporary": str(place / "tmp")}
    made = Launch(
        argv=[str(agent.binary), *environment.arguments(str(place), "composer-2.5")],
        environ=environment.of_run(given, **folders, run_id=os.urandom(16).hex()),
        folder=str(place),
        content=b"the prompt",
        limits=limits.of_process(Options()),
        memory=2 << 30,
        linger=0.3,
        term=0.2,
        memory_every=0.05,
    )
    return msgspec.structs.replace(made, **changes)


def in_loop(work: Callable[[], Awaitable[Any]], factory: Any = None) -> Any:
    async def bounded() -> Any:
        async with asyncio.timeout(4 * PATIENCE):
            return await work()

    with asyncio.Runner(loop_factory=factory or loop_factory()) as runner:
        return runner.run(bounded())


async def follow(
    asked: Launch,
    *,
    stop: bytes = RESULT,
    begun: bool = True,
    open_tools: int = 0,
    options: Options | None = None,
    good: bool = True,
) -> Seen:
    """Read until `stop` was seen, the output ends or a clock does, then wait for the end of everything."""
    seen = Seen()
    seen.run_id = asked.environ[environment.RUN_ID]
    run = Run(asked, options or Config())
    try:
        async with run:
            await read_until(run, seen, stop, begun=begun, open_tools=open_tools)
            run.good = good
            seen.code, seen.stderr = await run.last_words()
    except HopError as error:
        seen.failure = error
    finally:
        assert run.ended
        seen.clean = await run.ended
    return seen


async def read_until(run: Run, seen: Seen, stop: bytes, **state: Any) -> None:
    while stop not in seen.output and (chunk := await run.read(**state)):
        seen.output += chunk


def play(agent: FakeCursorAgent, *steps: Step, factory: Any = None, **how: Any) -> Seen:
    """One run that does `steps`. Nothing may be left of it."""
    agent.plays(*steps)
    following = {name: how.pop(name) for name in ("stop", "begun", "open_tools", "options", "good") if name in how}
    seen = in_loop(lambda: follow(launch(agent, **how), **following), factory)
    assert_gone(agent, seen)
    return seen


def assert_gone(agent: FakeCursorAgent, seen: Seen) -> None:
    assert seen.clean
    assert [process_tree.describe(each) for each in agent.living()] == []
    assert tree.marked([seen.run_id]) == []
    assert zombies() == []


def test_it_is_given_no_content_in_its_arguments_and_no_key_in_its_environment(agent: FakeCursorAgent) -> None:
    """D44: no `--force`, ask mode, and an environment of named things only."""
    play(agent, {"say": "Hi"}, {"result": {}})
    (started,) = agent.started
    place = str(agent.folder / "slot")
    assert started["argv"] == [
        *("-p", "--output-format", "stream-json", "--stream-partial-output", "--trust", "--mode", "ask"),
        *("--workspace", place, "--model", "composer-2.5"),
    ]
    assert started["cwd"] == place
    assert agent.prompts == ["the prompt"]
    assert not SECRETS.keys() & started["env"].keys()
    assert not [value for value in started["env"].values() if value in SECRETS.values()]
    told = ("CURSOR_CONFIG_DIR", "CURSOR_DATA_DIR", "TMPDIR")
    assert [started["env"][name] for name in told] == [f"{place}/config", f"{place}/data", f"{place}/tmp"]
    assert started["env"]["HOME"] == str(agent.folder), "the login is shared, not copied"
    assert started["env"]["NO_OPEN_BROWSER"] == started["env"]["NO_COLOR"] == "1"
    assert len(started["env"]["CODEX_SHIM_RUN_ID"]) == 32


@needs_linux
def test_it_lives_under_limits(agent: FakeCursorAgent) -> None:
    play(agent, {"result": {}})
    told = agent.started[0]["limits"]
    assert (told["RLIMIT_CORE"], told["RLIMIT_FSIZE"], told["RLIMIT_CPU"]) == (0, 1 << 30, 1801)
    assert 256 <= told["RLIMIT_NOFILE"] <= 4096
    assert told["oom_score_adj"] == 500
    assert told["nice"] >= 5


@pytest.mark.parametrize("factory", [None, asyncio.new_event_loop], ids=["stage's loop", "asyncio's loop"])
@pytest.mark.parametrize("held", [[], [ESCAPEE], [NAMELESS]], ids=["alone", "pipe held", "pipe held without a mark"])
def test_the_end_of_the_program_is_the_end_also_where_another_holds_its_pipes(
    agent: FakeCursorAgent, held: list[Step], factory: Any
) -> None:
    seen = play(agent, {"line": "first"}, *held, {"stderr": "why"}, {"exit": 3}, factory=factory)
    assert (seen.code, seen.stderr) == (3, "why")
    assert b"first" in seen.output


def test_a_signal_is_told_as_one(agent: FakeCursorAgent) -> None:
    assert play(agent, {"kill": "SIGSEGV"}).code == -signal.SIGSEGV


@pytest.mark.parametrize(
    "steps",
    [
        [{"hang": True}],
        [STUBBORN, {"hang": True}],
        [ESCAPEE, NAMELESS, STUBBORN, {"hang": True}],
        [ESCAPEE, ESCAPEE],
        [{"fork": {"busy": True}}, {"close": "stdout"}, {"hang": True}],
    ],
    ids=["lingers", "ignores SIGTERM", "with escapees", "leaves escapees", "closes its output"],
)
def test_behind_a_result_nothing_stays(agent: FakeCursorAgent, steps: list[Step]) -> None:
    seen = play(agent, {"say": "Hi"}, {"result": {}}, *steps)
    assert RESULT in seen.output


def test_what_ends_by_itself_behind_its_result_is_let(agent: FakeCursorAgent) -> None:
    agent.touch("go")
    play(agent, {"result": {}}, {"await": "go"}, {"touch": "ended well"}, linger=PATIENCE)
    assert agent.touched("ended well")


def test_it_may_write_megabytes_before_it_reads_its_prompt(agent: FakeCursorAgent) -> None:
    """D49."""
    agent.scenario(before_stdin=[{"long": 1_700_000}])
    seen = play(agent, {"result": {}}, content=b"p" * 3_000_000)
    assert len(agent.prompts[0]) == 3_000_000
    assert len(seen.output) > 1_700_000


def test_a_program_that_never_reads_its_prompt_can_end(agent: FakeCursorAgent) -> None:
    agent.scenario(before_stdin=[{"stderr": "no time"}, {"exit": 4}])
    seen = play(agent, content=b"p" * 3_000_000)
    assert (seen.code, seen.stderr) == (4, "no time")


def test_standard_error_is_read_to_its_end_and_only_that_is_kept(agent: FakeCursorAgent) -> None:
    seen = play(agent, {"noise": 1_000_000}, {"stderr": "the end"}, {"exit": 1})
    assert seen.stderr.endswith("the end")
    assert len(seen.stderr) <= 16 * 1024


def test_who_does_not_read_makes_the_program_wait(agent: FakeCursorAgent) -> None:
    agent.plays(*[{"long": 1_000_000}] * 8, {"touch": "all out"}, {"result": {}})

    async def work() -> Seen:
        seen, asked = Seen(), launch(agent)
        seen.run_id = asked.environ[environment.RUN_ID]
        async with Run(asked, Config()) as run:
            inlet = run._running().stdout
            while not getattr(inlet, "_paused", False):
                await asyncio.sleep(0.005)
            assert inlet.total < 1_000_000
            assert not agent.touched("all out"), "eight megabytes fit into no pipe"
            while RESULT not in await run.read(begun=True, open_tools=0):
                pass
            assert agent.touched("all out")
        assert run.ended
        seen.clean = await run.ended
        return seen

    assert_gone(agent, in_loop(work))


@pytest.mark.parametrize(
    ("clock", "state", "options"),
    [
        ("start", {"begun": False}, Options(start_seconds=0.05)),
        ("idle", {"begun": True}, Options(idle_seconds=0.05)),
        ("tool", {"begun": True, "open_tools": 1}, Options(tool_seconds=0.05, idle_seconds=0.01)),
        ("total", {"begun": True}, Options(total_seconds=0.05)),
    ],
)
def test_every_clock_ends_a_run_that_hangs(agent: FakeCursorAgent, clock: str, state: dict[str, Any], options: Options) -> None:
    seen = play(agent, {"hang": True}, options=options, **state)
    assert seen.failure
    assert seen.failure.failure.code == "cursor_timeout"
    assert seen.failure.failure.status == (424 if clock == "total" else 504)


def test_more_output_than_allowed_ends_it(agent: FakeCursorAgent) -> None:
    seen = play(agent, *[{"long": 1_000_000}] * 3, {"hang": True}, options=Options(output_mib=1))
    assert seen.failure
    assert "output went beyond 1 MiB" in seen.failure.failure.message


@needs_proc
def test_more_memory_than_allowed_ends_it_also_where_a_child_has_it(agent: FakeCursorAgent) -> None:
    seen = play(agent, {"hog": 200}, STUBBORN, {"hang": True}, memory=100 << 20)
    assert seen.failure
    assert "memory went beyond 2048 MiB" in seen.failure.failure.message


def test_a_program_that_is_not_there_is_told_by_name(agent: FakeCursorAgent) -> None:
    asked = launch(agent, argv=[str(agent.folder / "gone"), "-p"])
    with pytest.raises(StartError, match=r"gone: No such file"):
        in_loop(lambda: follow(asked))


def test_a_folder_that_is_not_there_is_told_too(agent: FakeCursorAgent) -> None:
    asked = launch(agent, folder=str(agent.folder / "no folder"))
    with pytest.raises(StartError, match="no folder"):
        in_loop(lambda: follow(asked))
    assert zombies() == []


def test_a_run_that_is_cancelled_is_ended_all_the_same(agent: FakeCursorAgent) -> None:
    """D45, at every moment: while it starts, while it is read, while it ends."""
    agent.plays(ESCAPEE, STUBBORN, {"hang": True})

    async def work() -> list[bool]:
        clean = []
        for hops in (0, 1, 2, 5, 20, 200):
            run = Run(launch(agent), Config())
            task = asyncio.create_task(read_all(run))
            for _ in range(hops):
                await asyncio.sleep(0)
            if hops == 200:
                while len(agent.noted("forked")) == 0:
                    await asyncio.sleep(0.005)
            task.cancel()
            await asyncio.wait({task})
            if run.ended is not None:
                clean.append(await run.ended)
        return clean

    clean = in_loop(work)
    assert clean
    assert all(clean)
    assert agent.living() == []
    assert zombies() == []


async def read_all(run: Run) -> None:
    async with run:
        while await run.read(begun=True, open_tools=0):
            pass


def test_a_warden_that_is_killed_takes_the_program_with_it_and_the_rest_is_swept(agent: FakeCursorAgent) -> None:
    agent.plays(ESCAPEE, STUBBORN, {"hang": True})

    async def work() -> Seen:
        seen, asked = Seen(), launch(agent)
        seen.run_id = asked.environ[environment.RUN_ID]
        async with Run(asked, Config()) as run:
            while not agent.noted("hanging"):
                await asyncio.sleep(0.005)
            os.kill(run.pid, signal.SIGKILL)
            while await run.read(begun=True, open_tools=0):
                pass
            seen.code, _ = await run.last_words()
        assert run.ended
        seen.clean = await run.ended
        return seen

    seen = in_loop(work)
    until(lambda: not agent.living(), "what the killed warden left has ended")
    assert seen.clean
    assert seen.code is None


@needs_linux
def test_a_worker_that_is_killed_takes_everything_with_it(agent: FakeCursorAgent) -> None:
    """Nobody is left to sweep: the warden does it, also for a child that has left its session and its environment."""
    agent.plays(ESCAPEE, NAMELESS, STUBBORN, {"hang": True})
    asked = launch(agent, term=0.05)
    worker = subprocess.Popen([sys.executable, "-c", _WORKER, msgspec.json.encode(asked).decode()])
    until(lambda: agent.noted("hanging") and len(agent.noted("forked")) == 2, "the run hangs")
    assert len(agent.living()) == 3
    worker.kill()
    worker.wait()
    until(lambda: not agent.living(), "all of it has ended")
    until(lambda: not tree.marked([asked.environ[environment.RUN_ID]]), "the warden has ended")


_WORKER = """
import asyncio, sys, msgspec
from codex_shim.stages.egress_cursor.running.child import Launch
from codex_shim.stages.egress_cursor.running.spawn_posix import spawn

async def main():
    child = await spawn(msgspec.json.decode(sys.argv[1], type=Launch))
    await child.exited

asyncio.run(main())
"""


def test_a_warden_that_does_not_answer_is_killed(agent: FakeCursorAgent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spawn_posix, "PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr(spawn_posix, "_LAST_SECONDS", 0.05)
    agent.plays(ESCAPEE, {"hang": True})

    async def work() -> Seen:
        seen, asked = Seen(), launch(agent)
        seen.run_id = asked.environ[environment.RUN_ID]
        async with Run(asked, Config()) as run:
            while not agent.noted("hanging"):
                await asyncio.sleep(0.005)
            os.kill(run.pid, signal.SIGSTOP)
        assert run.ended
        seen.clean = await run.ended
        return seen

    assert in_loop(work).clean
    until(lambda: not agent.living(), "all of it has ended")
    assert zombies() == []


def test_the_clock_that_runs_out_first_counts() -> None:
    options = Options(start_seconds=30, idle_seconds=90, tool_seconds=120, total_seconds=100)
    assert limits.next_deadline(options, started=0, heard=5, begun=False, open_tools=0) == ("start", 30, 30)
    assert limits.next_deadline(options, started=0, heard=5, begun=True, open_tools=0) == ("idle", 90, 95)
    assert limits.next_deadline(options, started=0, heard=5, begun=True, open_tools=1) == ("total", 100, 100)
    assert limits.next_deadline(options, started=0, heard=15, begun=True, open_tools=0) == ("total", 100, 100)
