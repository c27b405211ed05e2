"""Files and arguments that cannot work: what the user reads, the exit code, and that nothing was left running."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from pathlib import Path

import pytest
from pipelines import INGRESS, POLICY, ROUTER, pipeline
from running_chain import RunningChain
from systems import needs_posix, needs_proc
from waiting import until

UP = ("pipeline", "up", "--detach", "--port", "0")
FILE_PROBLEM = 78


def stage(name: str, **keys: object) -> str:
    """json.dumps writes text and lists as TOML does."""
    return f"[[stage]]\nname = {json.dumps(name)}\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in keys.items())


def refused(home: RunningChain, *arguments: str, code: int) -> str:
    """What a command that fails tells its user: on standard error, without a traceback, and nothing runs afterwards."""
    done = home.cli(*arguments, check=False)
    assert done.returncode == code, done.stderr + done.stdout
    assert "Traceback" not in done.stderr
    assert not (home.home / "run" / "control.json").exists()
    assert not list((home.home / "run" / "stages").glob("*"))
    until(lambda: not processes_of(home.home), "nothing of this home runs")
    return done.stderr


def processes_of(home: Path) -> list[str]:
    """Command lines in which this home is named: the orchestrator's, and those of the programs below it."""
    listed = subprocess.run(["ps", "-ww", "-eo", "args"], capture_output=True, text=True, check=True).stdout.splitlines()
    return [line for line in listed if str(home) in line]


@pytest.mark.parametrize(
    ("text", "place", "sentence"),
    [
        ("[pipeline\n", "1:10", "this is not valid TOML"),
        ("[pipeline]\ndrain_second = 3\n", "2:1", "unknown key `drain_second` in [pipeline]; did you mean `drain_seconds`?"),
        (pipeline(INGRESS + "keepalive = 3\n", ROUTER), "6:1", "did you mean `keepalive_seconds`?"),
        (pipeline(INGRESS, stage("a", script="missing.py"), ROUTER), "9:10", "the script of stage `a` does not exist"),
        (
            pipeline(
                INGRESS,
                stage("a", command=["true"], listen="127.0.0.1:9123"),
                stage("b", command=["true"], listen="127.0.0.1:9123"),
                ROUTER,
            ),
            "15:10",
            "127.0.0.1:9123 is taken: stage `a` has it too",
        ),
        (pipeline(INGRESS, stage("a", command=["./missing"]), ROUTER), "9:12", "the program `./missing` of stage `a`"),
    ],
    ids=["invalid TOML", "unknown key", "unknown key of a stage", "missing script", "two stages on one port", "missing program"],
)
def test_a_pipeline_that_cannot_work_is_refused_with_its_place(
    idle_home: RunningChain, text: str, place: str, sentence: str
) -> None:
    file = idle_home.home / "pipeline.toml"
    file.write_text(text)
    (line, *_) = [line for line in refused(idle_home, *UP, code=FILE_PROBLEM).splitlines() if place in line]
    assert line.startswith(f"error: {file}:{place}: ")
    assert sentence in line


def test_all_problems_are_told_at_once_each_on_its_line(idle_home: RunningChain) -> None:
    (idle_home.home / "pipeline.toml").write_text(pipeline(INGRESS + "keepalive = 3\n", ROUTER + "fallback = 1\n", drain_second=3))
    told = refused(idle_home, *UP, code=FILE_PROBLEM)
    assert refused(idle_home, "pipeline", "validate", code=FILE_PROBLEM) == told
    lines = told.splitlines()
    assert len(lines) == 3
    assert all(line.startswith("error: ") for line in lines)


@pytest.mark.parametrize(("written", "place"), [("{nope", "1:2"), ('[{"model": "a"}', "1:16"), ("3", "1:1")])
def test_a_models_file_that_is_none_is_refused_with_its_place(idle_home: RunningChain, written: str, place: str) -> None:
    (idle_home.home / "models.json").write_text(written)
    assert f"models.json:{place}: " in refused(idle_home, *UP, code=FILE_PROBLEM)


def test_a_models_file_that_is_named_but_missing_is_an_error(idle_home: RunningChain) -> None:
    sentence = refused(idle_home, "--settings", str(idle_home.home / "mine.json"), *UP, code=FILE_PROBLEM)
    assert sentence == f"error: {idle_home.home / 'mine.json'}: there is no such file\n"


def test_a_home_that_cannot_be_written_is_an_error_in_one_sentence(idle_home: RunningChain) -> None:
    (idle_home.home / "run").touch()
    sentence = refused(idle_home, *UP, code=1)
    assert sentence.count("\n") == 1
    assert sentence.startswith(f"error: {idle_home.home / 'run'}")


def test_a_row_without_a_url_is_named_and_the_others_serve(idle_home: RunningChain) -> None:
    rows = [{"model": "one", "provider": "openai"}, {"model": "two", "provider": "openai", "base_url": "http://127.0.0.1:9/v1"}]
    (idle_home.home / "models.json").write_text(json.dumps(rows))
    listed = idle_home.cli("list", "--json")
    told = json.loads(listed.stdout)
    assert [row["slug"] for row in told["models"]] == ["two"]
    assert ["base_url" in problem and "model `one`" in problem for problem in told["problems"]] == [True]
    started = idle_home.cli(*UP)
    assert f"problem: {told['problems'][0]}" in started.stderr
    idle_home.down()


@needs_proc
def test_a_port_in_use_is_told_with_its_owner(idle_home: RunningChain) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        sentence = refused(idle_home, "pipeline", "up", "--detach", "--port", str(port), code=1)
        assert f"port {port} for the stage `ingress` is in use" in sentence
        if Path("/proc/net/tcp").exists():
            assert f"by {Path('/proc/self/comm').read_text().strip()} (pid {os.getpid()})" in sentence
        assert "--port" in sentence
        assert sentence == refused(idle_home, "pipeline", "up", "--port", str(port), code=1)


@needs_posix
def test_a_program_that_exits_at_once_is_told_with_its_last_line(idle_home: RunningChain) -> None:
    command = ["sh", "-c", "echo starting; echo the licence has run out >&2; exit 3"]
    (idle_home.home / "pipeline.toml").write_text(pipeline(INGRESS, stage("rude", command=command), POLICY, ROUTER))
    sentences = refused(idle_home, *UP, code=1)
    assert "error: the stage `rude` did not come up: exit code 3\n" in sentences
    assert sentences.splitlines()[-1] == "  │ the licence has run out"


def test_a_script_that_cannot_be_loaded_is_told_with_its_line_and_not_tried_again(idle_home: RunningChain) -> None:
    """What else a script may have is in tests/stages/kit/test_script.py."""
    (idle_home.home / "mine.py").write_text("def request(body:\n")
    (idle_home.home / "pipeline.toml").write_text(pipeline(INGRESS, stage("mine", script="mine.py"), ROUTER))
    told = refused(idle_home, *UP, code=1)
    assert "its settings are unusable" in told
    assert "SyntaxError: '(' was never closed (line 1)" in told.splitlines()[-1]
    assert "is being restarted" not in told


def test_commands_that_need_a_chain_say_how_to_start_one(idle_home: RunningChain) -> None:
    for command in (("pipeline", "down"), ("pipeline", "restart", "policy")):
        assert "start it with `codex-shim start`" in refused(idle_home, *command, code=1)
    assert "no chain is running" in refused(idle_home, "pipeline", "ready", code=1)
    assert "no logs of an earlier one" in refused(idle_home, "pipeline", "logs", code=1)
    assert idle_home.cli("stop").stdout == "No chain is running.\n"
    told = json.loads(idle_home.cli("status", "--json", check=False).stdout)
    assert (told["running"], told["stages"]) == (False, [])


@pytest.mark.parametrize("arguments", [("pipeline", "upp"), ("pipeline", "up", "--port", "99999"), ("status", "--jason")])
def test_a_command_line_that_is_wrong_is_usage(idle_home: RunningChain, arguments: tuple[str, ...]) -> None:
    assert "Usage:" in refused(idle_home, *arguments, code=2)


def test_names_that_no_stage_has_are_refused_with_those_there_are(kept_chain: RunningChain) -> None:
    for command in (("restart",), ("logs", "-f")):
        near = kept_chain.cli("pipeline", *command, "polcy", check=False)
        assert (near.returncode, near.stderr) == (1, "error: there is no stage named `polcy`; did you mean `policy`?\n")
    far = kept_chain.cli("pipeline", "logs", "zzz", check=False)
    assert far.returncode == 1
    assert "there are" in far.stderr
    assert "ingress" in far.stderr
