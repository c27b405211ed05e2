"""The worker as a server, before a fake `cursor-agent`: one request is one run, and every odd end is told and cleaned up."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import process_tree
import pytest
from codex_shim.stages.contract import summary
from codex_shim.stages.contract.handshake import CONFIG, Handshake
from codex_shim.stages.egress_cursor import stage as stage_module
from fake_cursor_agent import FakeCursorAgent, Step
from fake_cursor_agent_stage import MODEL, SLUG, Got, Worker, assert_nothing_is_left, left_files, text_of, with_worker
from systems import needs_posix
from waiting import until

pytestmark = needs_posix

HELLO: list[Step] = [{"say": "Hello."}, {"result": {}}]
HANG: Step = {"hang": True}
ESCAPEE: Step = {"fork": {"setsid": True, "ignore": ["SIGTERM"], "hold": True}}
STUBBORN: Step = {"ignore": ["SIGTERM"]}
SHELL = {"type": "function", "name": "exec_command", "parameters": {"type": "object", "properties": {"cmd": {"type": "string"}}}}
CALL = '<call-{nonce} name="exec_command">{"cmd":"ls"}</call-{nonce}>'
QUICK = {"linger_seconds": 0.05, "term_seconds": 0.1}


@pytest.fixture
def agent(tmp_path: Path) -> FakeCursorAgent:
    return FakeCursorAgent(tmp_path / "agent")


def ask(tmp_path: Path, agent: FakeCursorAgent, *steps: Step, config: dict[str, Any] | None = None, **request: Any) -> Got:
    """One request to a worker of its own."""
    if steps:
        agent.plays(*steps)
    answers: list[Got] = []

    async def talk(worker: Worker) -> None:
        answers.append(await worker.ask(**request))
        await worker.at_rest()

    with_worker(tmp_path, agent, talk, **{**QUICK, **(config or {})})
    return answers[0]


def user(text: str) -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}


def test_a_stream_is_one_run_and_every_word_comes_once(tmp_path: Path, agent: FakeCursorAgent) -> None:
    """D46, D47: text, a tool of its own, text; snapshots, characters cut in two, noise and a line of two megabytes in between."""
    got = ask(
        tmp_path,
        agent,
        {"think": "Let me see."},
        {"line": "stdout: not an event"},
        {"say": "Größe: 10 €. ", "cut": 1},
        {"tool": "read"},
        {"bytes": "ff0a"},
        {"long": 2_000_000},
        {"say": "All done."},
        {"result": {}},
    )
    assert (got.status, got.headers["content-type"], got.whole) == (200, "text/event-stream", True)
    assert "".join(event["delta"] for event in got.events if event["type"] == "response.output_text.delta") == got.text
    assert got.text.replace("\n", "") == "Größe: 10 €. All done."
    assert got.events[-1]["type"] == "response.completed"
    assert [event["sequence_number"] for event in got.events] == list(range(len(got.events)))
    assert got.response["usage"]["input_tokens"] == 117
    assert any(item["type"] == "reasoning" for item in got.response["output"])
    assert len(agent.started) == 1


def test_a_client_that_does_not_stream_gets_the_object(tmp_path: Path, agent: FakeCursorAgent) -> None:
    got = ask(tmp_path, agent, *HELLO, stream=False)
    assert (got.status, got.headers["content-type"]) == (200, "application/json")
    assert got.json["status"] == "completed"
    assert text_of(got.json) == "Hello."


def test_a_call_is_codexs_to_run_and_ends_the_run(tmp_path: Path, agent: FakeCursorAgent) -> None:
    """D43. What the model goes on to invent is not waited for."""
    got = ask(tmp_path, agent, {"say": CALL}, {"say": "The output is: made up"}, STUBBORN, HANG, tools=[SHELL])
    (call,) = got.response["output"]
    assert (call["type"], call["name"], call["arguments"]) == ("function_call", "exec_command", '{"cmd":"ls"}')
    assert got.events[-1]["type"] == "response.completed"


def test_the_answer_ends_before_the_program_does(tmp_path: Path, agent: FakeCursorAgent) -> None:
    agent.plays(*HELLO, STUBBORN, HANG)

    async def talk(worker: Worker) -> None:
        got = await worker.ask()
        assert got.text == "Hello."
        assert worker.state["busy"] == 1, "its slot is being cleaned"
        assert agent.living()
        await worker.at_rest()

    with_worker(tmp_path, agent, talk, linger_seconds=1.0, term_seconds=1.0)


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    ("trouble", "status", "code"),
    [
        ("login", 401, "cursor_auth_required"),
        ("keychain", 401, "cursor_auth_required"),
        ("limit", 402, "cursor_usage_limit"),
        ("capacity", 429, "cursor_rate_limited"),
    ],
)
def test_what_cursor_refuses_is_an_error_and_never_an_answer(
    tmp_path: Path, agent: FakeCursorAgent, trouble: str, status: int, code: str, stream: bool
) -> None:
    """D48."""
    got = ask(tmp_path, agent, {"trouble": trouble}, stream=stream)
    assert (got.status, got.code) == (status, code)


def test_a_failure_behind_the_first_words_is_told_in_the_stream(tmp_path: Path, agent: FakeCursorAgent) -> None:
    got = ask(tmp_path, agent, {"say": "Hello there."}, {"exit": 1})
    assert got.events[-1]["type"] == "response.failed"
    assert (got.status, got.whole) == (200, True)


@pytest.mark.parametrize(
    ("clock", "steps", "init"),
    [
        ("start_seconds", [HANG], False),
        ("idle_seconds", [HANG], True),
        ("tool_seconds", [{"tool": "read", "outcome": "open"}, HANG], True),
    ],
)
def test_a_run_that_hangs_is_ended_and_told(
    tmp_path: Path, agent: FakeCursorAgent, clock: str, steps: list[Step], init: bool
) -> None:
    """D50."""
    agent.scenario(init=init)
    got = ask(tmp_path, agent, *steps, config={clock: 0.2})
    assert got.code in ("cursor_timeout", "server_error")
    assert got.status in (200, 504)


def test_the_first_run_of_a_race_is_repeated_once(tmp_path: Path, agent: FakeCursorAgent) -> None:
    agent.scenario(before_stdin=[])
    agent.scenario(init=False)
    agent.plays_in_turn([{"trouble": "race"}])
    init = {"type": "system", "subtype": "init", "apiKeySource": "login", "model": "Composer 2.5"}
    got = ask(tmp_path, agent, {"event": init}, *HELLO)
    assert got.text == "Hello."
    assert len(agent.started) == 2
    assert agent.started[0]["env"]["CODEX_SHIM_RUN_ID"] != agent.started[1]["env"]["CODEX_SHIM_RUN_ID"]


def test_what_fails_twice_before_it_has_begun_is_not_tried_a_third_time(tmp_path: Path, agent: FakeCursorAgent) -> None:
    agent.scenario(init=False)
    got = ask(tmp_path, agent, {"kill": "SIGSEGV"})
    assert (got.status, got.code, len(agent.started)) == (502, "cursor_protocol_error", 2)


def test_what_has_begun_or_needs_a_login_is_tried_once(tmp_path: Path, agent: FakeCursorAgent) -> None:
    agent.scenario(status={"logged_in": False})
    assert ask(tmp_path, agent, *HELLO).code == "cursor_auth_required"
    agent.scenario(status={})
    assert ask(tmp_path, agent, {"exit": 1}).status == 502
    assert len(agent.started) == 1, "without a login it ends before it notes anything"


def test_a_key_that_pays_in_place_of_the_login_ends_the_run(tmp_path: Path, agent: FakeCursorAgent) -> None:
    agent.scenario(init_event={"apiKeySource": "env"})
    got = ask(tmp_path, agent, *HELLO)
    assert (got.status, got.code) == (424, "cursor_misconfigured")


def test_a_tool_of_its_own_that_changed_something_ends_the_run(tmp_path: Path, agent: FakeCursorAgent) -> None:
    """D44."""
    got = ask(tmp_path, agent, {"tool": "edit"}, STUBBORN, HANG)
    assert got.code in ("cursor_policy_violation", "invalid_prompt")


def test_requests_that_no_run_can_serve_start_none(tmp_path: Path, agent: FakeCursorAgent) -> None:
    assert ask(tmp_path, agent, model="other").code == "model_not_found"
    missing = ask(tmp_path, agent, config={"binary": ""})
    assert (missing.status, missing.code) == (424, "cursor_unavailable")
    gone = ask(tmp_path, agent, config={"binary": str(tmp_path / "gone")})
    assert (gone.status, gone.code) == (424, "cursor_misconfigured")
    assert "CURSOR_AGENT_BIN" in gone.json["error"]["message"]
    nowhere = ask(tmp_path, agent, config={"workspace": str(tmp_path / "nowhere")})
    assert (nowhere.status, nowhere.code) == (424, "cursor_misconfigured")
    assert agent.started == []


def test_a_conversation_is_compacted_both_ways(tmp_path: Path, agent: FakeCursorAgent) -> None:
    agent.plays({"say": "They want a poem."}, {"result": {}})

    async def talk(worker: Worker) -> None:
        streamed = await worker.ask(input=[user("A poem!"), {"type": "compaction_trigger"}])
        whole = await worker.ask(path="/v1/responses/compact", stream=False)
        for response in (streamed.response, whole.json):
            (item,) = response["output"]
            assert summary.text_of(item) == "They want a poem."
        assert streamed.events[-1]["type"] == "response.completed"
        assert whole.json["object"] == "response.compaction"

    with_worker(tmp_path, agent, talk, **QUICK)


def test_a_compaction_without_words_is_asked_for_twice_and_then_fails(tmp_path: Path, agent: FakeCursorAgent) -> None:
    got = ask(tmp_path, agent, {"result": {}}, input=[user("A poem!"), {"type": "compaction_trigger"}])
    assert got.events[-1]["type"] == "response.failed"
    assert len(agent.started) == 2
    refused = ask(tmp_path, agent, {"trouble": "login"}, input=[user("A poem!"), {"type": "compaction_trigger"}])
    assert refused.code in ("cursor_auth_required", "invalid_prompt")


@pytest.mark.parametrize("named_by", ["context", "header", "setting"])
def test_the_workspace_is_the_folder_of_the_turn(tmp_path: Path, agent: FakeCursorAgent, named_by: str) -> None:
    """D42."""
    place = tmp_path / "project"
    place.mkdir()
    context = user(f"<environment_context>\n  <cwd>{place}</cwd>\n</environment_context>")
    header = "x-codex-turn-metadata: " + json.dumps({"workspaces": {str(place): {"has_changes": False}}}) + "\r\n"
    ask(
        tmp_path,
        agent,
        *HELLO,
        input=[context, user("hi")] if named_by == "context" else [user("hi")],
        headers=header if named_by == "header" else "",
        config={"workspace": str(place)} if named_by == "setting" else {},
    )
    (started,) = agent.started
    assert started["cwd"] == str(place)
    assert started["argv"][started["argv"].index("--workspace") + 1] == str(place)
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("cwd", ["{root}/stages/egress_cursor", "{root}", "relative", "/nonexistent/folder", None, "{none}"])
def test_the_workspace_is_an_empty_folder_where_the_turn_has_none_to_show(
    tmp_path: Path, agent: FakeCursorAgent, cwd: str | None
) -> None:
    """D42: never the folder that codex-shim runs from."""
    place = cwd and cwd.format(root=stage_module.ROOT, none=tmp_path)
    context = [user(f"<environment_context><cwd>{place}</cwd></environment_context>")] if place else []
    ask(tmp_path, agent, *HELLO, input=[*context, user("hi")], config={"workspace": "none" if cwd == "{none}" else ""})
    assert agent.started[0]["cwd"] == str(tmp_path / "slots" / "0" / "ws")


def test_the_worker_has_its_settings_and_its_keys_to_itself(
    tmp_path: Path, agent: FakeCursorAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D44: what the program gets of the user's own settings, and of this process's environment."""
    (tmp_path / ".cursor").mkdir()
    mine = {"network": {"useHttp1ForAgent": True}, "permissions": {"allow": ["Shell(*)"]}, "model": "gpt-5.5"}
    (tmp_path / ".cursor" / "cli-config.json").write_text(json.dumps(mine))
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_CONFIG_HOME", "CURSOR_CONFIG_DIR"):
        monkeypatch.delenv(name, raising=False)
    for name in ("CURSOR_API_KEY", "OPENAI_API_KEY", "CODEX_SHIM_HOP_TOKEN"):
        monkeypatch.setenv(name, "marked-secret")
    ask(tmp_path, agent, *HELLO)
    assert "marked-secret" not in json.dumps(agent.record)
    (given,) = agent.noted("settings")
    assert given["settings"]["network"] == {"useHttp1ForAgent": True}
    assert given["settings"]["permissions"]["allow"] == []
    assert "Shell(*)" in given["settings"]["permissions"]["deny"]
    assert json.loads((tmp_path / ".cursor" / "cli-config.json").read_text()) == mine, "the user's own default stays"


def test_the_log_tells_the_slot_the_times_and_the_usage_and_no_word_of_the_conversation(
    tmp_path: Path, agent: FakeCursorAgent, capfd: pytest.CaptureFixture[str]
) -> None:
    ask(tmp_path, agent, {"say": "marked answer"}, {"stderr": "marked noise"}, {"result": {}}, prompt="marked prompt")
    logged = capfd.readouterr().err
    line = next(json.loads(line) for line in logged.splitlines() if '"request"' in line)
    assert line["slot"] == 0
    assert line["model"] == SLUG
    assert line["ended"] == "completed"
    assert line["usage"]["output_tokens"] == 7
    assert {"waited_ms", "ran_ms"} <= line.keys()
    assert "marked" not in logged


def test_a_client_that_leaves_ends_the_run_at_every_stage(tmp_path: Path, agent: FakeCursorAgent) -> None:
    """D45: in the queue, before the first word, in the middle, and while the agent says nothing and works."""
    agent.plays({"say": "One two"}, {"tool": "read", "outcome": "open"}, ESCAPEE, STUBBORN, HANG)

    async def talk(worker: Worker) -> None:
        _, early = await worker.send()
        await worker.until(lambda: agent.started, "the run has started")
        waiting_reader, waiting = await worker.send()
        await worker.until(lambda: worker.state["waiting"] == 1, "one waits")
        waiting.transport.abort()
        await worker.until(lambda: worker.state["waiting"] == 0, "nobody waits")
        early.transport.abort()
        await worker.at_rest()
        assert agent.living() == []
        reader, late = await worker.send()
        await reader.readuntil(b"One ")
        await worker.until(lambda: len(agent.noted("hanging")) >= 1, "the agent is silent")
        late.transport.abort()
        await worker.at_rest()
        assert agent.living() == []
        assert len(agent.started) == 2, "the one that left the queue started nothing"
        assert await waiting_reader.read() == b""

    with_worker(tmp_path, agent, talk, slots=1, **QUICK)


def test_a_client_that_does_not_read_is_given_up(tmp_path: Path, agent: FakeCursorAgent) -> None:
    agent.plays(*[{"say": "x" * 1_000_000}] * 40, {"touch": "all out"}, HANG)

    async def talk(worker: Worker) -> None:
        slow = socket.socket()
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.connect(("127.0.0.1", worker.port))
        body = json.dumps({"model": SLUG, "stream": True, "input": "hi"}).encode()
        slow.sendall(b"POST /v1/responses HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
        await worker.until(lambda: agent.started, "the run has started")
        await worker.at_rest()
        slow.close()
        assert not agent.touched("all out"), "forty megabytes fit into no buffer"

    with_worker(tmp_path, agent, talk, stall_seconds=0.2, **QUICK)


def test_fifty_turns_against_two_slots_finish_or_are_refused_clearly(tmp_path: Path, agent: FakeCursorAgent) -> None:
    """D50."""
    agent.plays({"await": "go"}, *HELLO)

    async def talk(worker: Worker) -> None:
        asking = [asyncio.create_task(worker.ask()) for _ in range(50)]
        await worker.until(lambda: sum(task.done() for task in asking) == 40, "those beyond the queue are refused at once")
        assert worker.state == {"slots": 2, "busy": 2, "waiting": 8}
        agent.touch("go")
        answers = await asyncio.gather(*asking)
        served = [got for got in answers if got.status == 200]
        refused = [got for got in answers if got.status == 429]
        assert (len(served), len(refused)) == (10, 40)
        assert {got.text for got in served} == {"Hello."}
        assert {got.code for got in refused} == {"cursor_pool_full"}
        assert all(int(got.headers["retry-after"]) >= 1 for got in refused)
        assert len(agent.started) == 10

    with_worker(tmp_path, agent, talk, slots=2, queue=8, **QUICK)


def test_who_waits_too_long_is_told_so(tmp_path: Path, agent: FakeCursorAgent) -> None:
    agent.plays({"await": "go"}, *HELLO)

    async def talk(worker: Worker) -> None:
        first = asyncio.create_task(worker.ask())
        await worker.until(lambda: worker.state["busy"] == 1, "the slot is taken")
        late = await worker.ask()
        assert (late.status, late.code) == (503, "cursor_pool_timeout")
        agent.touch("go")
        assert (await first).text == "Hello."

    with_worker(tmp_path, agent, talk, slots=1, queue_seconds=0.05, **QUICK)


def test_three_refused_logins_stop_the_asking_for_a_while(tmp_path: Path, agent: FakeCursorAgent) -> None:
    agent.plays({"trouble": "login"})

    async def talk(worker: Worker) -> None:
        codes = [(await worker.ask()).code for _ in range(4)]
        assert codes == ["cursor_auth_required"] * 4
        assert len(agent.started) == 3

    with_worker(tmp_path, agent, talk, **QUICK)


def test_a_hundred_clients_that_leave_anywhere_leave_nothing_behind(tmp_path: Path, agent: FakeCursorAgent) -> None:
    """D45, D50: no process, no zombie, no file (with_worker looks)."""
    chance = random.Random(4711)
    agent.plays({"think": "Hm."}, {"say": "One two three four five six"}, ESCAPEE, {"say": "seven"}, {"result": {}}, HANG)

    async def leave_somewhere(worker: Worker, where: int, after: int) -> None:
        reader, writer = await worker.send()
        if where == 0:
            for _ in range(after):
                await asyncio.sleep(0)
        elif where == 1:
            await reader.read(1)  # the answer has begun
        elif where == 2:
            with contextlib.suppress(asyncio.IncompleteReadError):
                await reader.readexactly(after * 40)
        else:
            await reader.read()
        writer.transport.abort()

    async def talk(worker: Worker) -> None:
        points = [(chance.choice([0, 0, 0, 1, 2, 3]), chance.randrange(60)) for _ in range(100)]
        await asyncio.gather(*(leave_somewhere(worker, *point) for point in points))
        await worker.at_rest()
        assert agent.living() == []
        assert left_files(tmp_path / "slots") == []
        assert worker.state == {"slots": 4, "busy": 0, "waiting": 0}
        agent.plays(*HELLO)
        assert (await worker.ask()).text == "Hello."

    with_worker(tmp_path, agent, talk, slots=4, queue=100, **QUICK)
    assert len(agent.started) > 20


def test_a_shutdown_ends_what_runs_and_tells_those_who_wait(tmp_path: Path, agent: FakeCursorAgent) -> None:
    agent.plays({"say": "One two"}, ESCAPEE, STUBBORN, HANG)
    answers: list[Got] = []

    async def talk(worker: Worker) -> None:
        running, waiting = asyncio.create_task(worker.ask()), asyncio.create_task(worker.ask())
        await worker.until(lambda: agent.noted("hanging") and worker.state["waiting"] == 1, "one hangs and one waits")
        await worker.server.stop()
        await worker.stage.close()
        assert agent.living() == []
        answers.extend(await asyncio.gather(running, waiting, return_exceptions=False))

    with_worker(tmp_path, agent, talk, slots=1, term_seconds=0.1)
    cut, told = sorted(answers, key=lambda got: got.status)
    assert (cut.status, cut.whole) == (200, False)
    assert told.status == 503


def start_worker(tmp_path: Path, agent: FakeCursorAgent) -> tuple[subprocess.Popen[bytes], int]:
    """The worker as a process of its own."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = {"binary": str(agent.binary), "folder": str(tmp_path / "slots"), "models": {SLUG: MODEL}, "slots": 1}
    (tmp_path / "config.json").write_text(json.dumps(config))
    told = Handshake(stage="cursor", host="127.0.0.1", port=port, config=str(tmp_path / "config.json"), drain_seconds=0.1)
    command = [sys.executable, "-P", "-m", "codex_shim.stages.egress_cursor"]
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), **told.environ()}
    assert CONFIG in environ
    return subprocess.Popen(command, env=environ, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True), port


def knock(port: int) -> socket.socket:
    """A connection to a worker that may still be starting."""

    def attempt() -> socket.socket | None:
        with contextlib.suppress(OSError):
            return socket.create_connection(("127.0.0.1", port))
        return None

    found = until(attempt, "the worker listens")
    assert found
    return found


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_outlives_a_worker_that_is_killed_or_stopped(tmp_path: Path, agent: FakeCursorAgent, number: int) -> None:
    agent.plays({"say": "One"}, ESCAPEE, STUBBORN, HANG)
    worker, port = start_worker(tmp_path, agent)
    try:
        client = knock(port)
        body = json.dumps({"model": SLUG, "stream": True, "input": "hi"}).encode()
        client.sendall(b"POST /v1/responses HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
        until(lambda: agent.noted("hanging"), "the run hangs")
        os.killpg(worker.pid, number)
        worker.wait(timeout=60)
        client.close()
        until(lambda: not agent.living(), "the whole tree has ended")
        if number == signal.SIGKILL:
            assert left_files(tmp_path / "slots"), "nobody was there to remove them"
            worker, port = start_worker(tmp_path, agent)
        until(lambda: not left_files(tmp_path / "slots"), "the next worker, or this one, has removed them")
        assert_nothing_is_left(tmp_path, agent)
    finally:
        worker.kill()
        worker.wait()
    assert process_tree.find(worker.pid) is None
