"""The commands around a running chain, as a user types them."""

from __future__ import annotations

import json
import subprocess
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Thread

import process_tree
import warm_commands
from chat_answers import DONE, Answer, Wait, chunk, finish, says
from ports import free_port
from responses_client import ask, ask_all, text_of
from running_chain import COMMAND_SECONDS, RunningChain
from scripted_upstream import ScriptedUpstream
from waiting import PATIENCE, until
from warm_commands import CLI

UP = ("pipeline", "up", "--detach", "--port", "0")


def test_a_second_up_says_that_the_chain_runs_already(kept_chain: RunningChain) -> None:
    pid = kept_chain.pids["orchestrator"]
    for command in (UP, ("pipeline", "up")):
        done = kept_chain.cli(*command, check=False)
        assert (done.returncode, done.stderr) == (1, f"error: the chain of {kept_chain.home} is running already (pid {pid})\n")
    start = kept_chain.cli("start")
    assert start.stdout == f"The chain is running already at {kept_chain.url} (pid {pid}).\n"


def test_of_many_ups_at_once_one_wins_and_the_others_say_so(idle_home: RunningChain) -> None:
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: idle_home.cli(*UP, check=False), range(4)))
    assert sorted(each.returncode for each in done) == [0, 1, 1, 1]
    assert all("is running already" in each.stderr for each in done if each.returncode)
    assert all(stage["state"] in ("ready", "asleep") for stage in idle_home.status()["stages"])
    idle_home.down()


def test_up_ends_with_what_the_user_needs_next_and_down_with_its_end(idle_home: RunningChain) -> None:
    lines = idle_home.cli(*UP).stderr.splitlines()
    url = idle_home.status()["url"]
    assert any(line.startswith("Ready in") and url in line for line in lines)
    assert lines[-1] == f"Try it:  CODEX_HOME={idle_home.home / 'codex-home'} codex"
    down = idle_home.cli("pipeline", "down")
    assert (down.returncode, down.stdout) == (0, "The chain has stopped.\n")
    assert not idle_home.cli("status", check=False).stderr


def test_d64_d65_a_restart_lets_a_stream_end_and_what_was_named_from_a_folder_is_found_again(
    idle_home: RunningChain, provider: ScriptedUpstream, tmp_path: Path
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "models.json").write_text(json.dumps([provider.model()]))

    def typed_there(*words: str) -> subprocess.CompletedProcess[str]:
        arguments = ["--home", str(idle_home.home), "--settings", "models.json", *words]
        return warm_commands.run(arguments, idle_home.environ, tmp_path / "mine", COMMAND_SECONDS)

    gate = provider.gate()
    provider.script(Answer(chunk(content="first"), Wait(gate), chunk(content=" last"), finish("stop"), DONE), says("again"))
    assert typed_there(*UP).returncode == 0
    idle_home.url, idle_home.token = idle_home.status()["url"], (idle_home.home / "token").read_text().strip()
    old = idle_home.note_processes()
    with ThreadPoolExecutor(1) as pool, ask(idle_home) as answer:
        events = answer.events()
        seen = [next(event for event in events if event["type"] == "response.output_text.delta")]
        restart = pool.submit(typed_there, "restart", "--port", "0")
        until(lambda: "draining" in idle_home.all_logs(), "the chain is told to end")
        assert not restart.done(), "a stream is under way"
        gate.open()
        seen += list(events)
        done = restart.result()
    assert (text_of(seen), seen[-1]["type"]) == ("first last", "response.completed")
    assert (done.returncode, "The chain has stopped." in done.stdout, "Ready in" in done.stderr) == (0, True, True)
    until(lambda: not process_tree.alive(old), "the old chain has ended")
    idle_home.url = idle_home.status()["url"]
    assert text_of(ask_all(idle_home)) == "again", "a chain is there, with the models of that file"
    idle_home.down()


def test_a_port_on_the_command_line_wins_and_codex_is_told(idle_home: RunningChain) -> None:
    port = free_port()
    idle_home.cli("pipeline", "up", "--detach", "--port", str(port))
    assert idle_home.status()["url"] == f"http://127.0.0.1:{port}/v1"
    config = tomllib.loads((idle_home.home / "codex-home" / "config.toml").read_text())
    provider = config["model_providers"][config["model_provider"]]
    assert provider["base_url"] == f"http://127.0.0.1:{port}/v1"
    idle_home.down()


def test_the_home_may_come_from_the_environment(idle_home: RunningChain, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    environ = {**idle_home.environ, "CODEX_SHIM_HOME": str(elsewhere)}
    done = subprocess.run([*CLI, "pipeline", "init"], env=environ, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert (elsewhere / "pipeline.toml").exists()


def test_init_writes_a_pipeline_that_is_valid_and_leaves_an_existing_one(idle_home: RunningChain) -> None:
    idle_home.cli("pipeline", "init")
    file = idle_home.home / "pipeline.toml"
    assert idle_home.cli("pipeline", "validate").stdout == f"{file} is valid: ingress → policy → router\n"
    file.write_text(file.read_text() + "# mine\n")
    again = idle_home.cli("pipeline", "init", check=False)
    assert (again.returncode, again.stderr) == (1, f"error: {file} exists already; it was left as it is\n")
    assert file.read_text().endswith("# mine\n")


def test_graph_draws_the_chain_in_two_ways(kept_chain: RunningChain) -> None:
    drawn = kept_chain.cli("pipeline", "graph").stdout
    places = [drawn.index(name) for name in ("ingress", "policy", "router", "127-0-0-1")]
    assert places == sorted(places)
    assert kept_chain.cli("pipeline", "graph", "--mermaid").stdout.startswith(("graph ", "flowchart "))


def test_list_shows_models_without_keys(kept_chain: RunningChain) -> None:
    told = json.loads(kept_chain.cli("list", "--json").stdout)
    assert [(row["slug"], row["key"]) for row in told["models"]] == [("scripted", "api_key in models.json")]
    assert "scripted" in kept_chain.cli("list").stdout, "and no key, which `cli` sees to"


def test_ready_waits_for_a_chain_that_is_about_to_come(idle_home: RunningChain) -> None:
    waiting = Thread(target=lambda: results.append(idle_home.cli("pipeline", "ready", "--wait", "30", check=False)))
    results: list[subprocess.CompletedProcess[str]] = []
    waiting.start()
    idle_home.cli(*UP)
    waiting.join()
    assert (results[0].returncode, results[0].stdout) == (0, f"ready at {idle_home.status()['url']}\n")
    idle_home.down()


def test_logs_of_one_stage_are_followed_as_they_come(kept_chain: RunningChain, provider: ScriptedUpstream) -> None:
    command = [*CLI, "--home", str(kept_chain.home), "pipeline", "logs", "--follow", "--lines", "0", "--json", "router"]
    following = subprocess.Popen(command, env=kept_chain.environ, stdout=subprocess.PIPE, text=True)
    assert following.stdout is not None
    lines: list[str] = []
    reading = Thread(target=lambda: lines.extend(iter(following.stdout.readline, "")))  # pyright: ignore[reportOptionalMemberAccess]
    reading.start()
    provider.script(lambda request: says("fine"))

    def asked_and_heard() -> bool:
        ask_all(kept_chain)  # until the follower has connected, there is nothing to hear
        return any(json.loads(line).get("outcome") == "ok" for line in lines)  # others may tell of what was before

    until(asked_and_heard, "the line of a turn is followed")
    following.terminate()
    following.wait(PATIENCE)
    reading.join(PATIENCE)
    following.stdout.close()
    assert {json.loads(line)["stage"] for line in lines} == {"router"}


def test_logs_remain_when_the_chain_is_gone(idle_home: RunningChain) -> None:
    idle_home.cli(*UP)
    idle_home.cli("pipeline", "down")
    assert "draining" in idle_home.cli("pipeline", "logs", "router").stdout
    assert "router" not in idle_home.cli("pipeline", "logs", "policy").stdout
    unknown = idle_home.cli("pipeline", "logs", "roter", check=False)
    assert unknown.stderr == "error: no chain is running, and there are no logs of an earlier one named `roter`\n"
