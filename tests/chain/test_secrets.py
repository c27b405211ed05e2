"""Where keys and tokens can be found while a chain runs. What a process has in its memory is not searched; all else is."""

from __future__ import annotations

import contextlib
import json
import os
import stat
from pathlib import Path
from typing import Any

import marked
import process_tree
import pytest
from chat_answers import Answer, Close, chunk, refuses, says
from pipelines import INGRESS, POLICY, ROUTER, pipeline, relay
from responses_client import ask, ask_all, error_of
from running_chain import RunningChain, StartChain
from scripted_upstream import ScriptedUpstream
from systems import needs_proc
from upstream_connection import Received
from waiting import until

INLINE, FROM_ENVIRONMENT, FROM_COMMAND, IN_HEADER = (marked.key(name) for name in ("one", "two", "three", "four"))
KEYS = (INLINE, FROM_ENVIRONMENT, FROM_COMMAND, IN_HEADER)

pytestmark = needs_proc


@pytest.fixture(scope="module")
def keyed(keep_chain: StartChain, kept_provider: ScriptedUpstream, tmp_path_factory: pytest.TempPathFactory) -> RunningChain:
    """One worker for each way to give a key, a script and a program between them."""
    own = tmp_path_factory.mktemp("own")
    printer = own / "print-key"
    printer.write_text(f"#!/bin/sh\necho {FROM_COMMAND}\n")
    printer.chmod(0o700)
    script = own / "look.py"
    script.write_text("def request(body): ...\n")
    plain = {name: value for name, value in kept_provider.model().items() if name != "api_key"}
    models = [
        {**plain, "slug": "one", "api_key": INLINE},
        {**plain, "slug": "two", "api_key_env": "MARKED_KEY"},
        {**plain, "slug": "three", "api_key_command": str(printer)},
        {**plain, "slug": "four", "extra_headers": {"x-api-key": IN_HEADER}},
    ]
    tables = (INGRESS, f'[[stage]]\nname = "look"\nscript = "{script}"\n', POLICY, relay("program"), ROUTER)
    return keep_chain(models, pipeline(*tables), {"MARKED_KEY": FROM_ENVIRONMENT})


def files_with(chain: RunningChain, secret: str) -> set[str]:
    files = [path for path in chain.home.rglob("*") if path.is_file()]
    return {str(path.relative_to(chain.home)) for path in files if secret.encode() in content(path)}


def content(path: Path) -> bytes:
    with contextlib.suppress(FileNotFoundError):
        return path.read_bytes()
    return b""  # what a stage was told is taken away when it has read it


def processes_with(chain: RunningChain, secret: str) -> set[int]:
    """Those of which any program of the user may read it."""
    shown = {process.pid: [entry for _, entry in process_tree.shown(process)] for process in chain.note_processes()}
    return {pid for pid, entries in shown.items() if any(secret.encode() in entry for entry in entries)}


def use_all_models(chain: RunningChain, provider: ScriptedUpstream) -> None:
    """Success, a refusal that repeats the key, a stream that fails with it, and one that breaks off."""

    def sent(request: Received) -> str:
        return request.headers.get("x-api-key") or request.headers["authorization"].removeprefix("Bearer ")

    def answers(request: Received) -> Answer:
        kinds = [
            says("fine"),
            refuses(401, {"error": {"message": f"Incorrect API key provided: {sent(request)}."}}),
            Answer(chunk(content="a"), {"error": {"message": f"the key {sent(request)} has expired"}}),
            Answer(chunk(content="a"), Close()),
            says("fine"),
        ]
        return kinds[(request.number - 1) % len(kinds)]

    provider.script(answers)
    for slug, key in zip(("one", "two", "three", "four"), KEYS, strict=True):
        assert ask_all(chain, model=slug)[-1]["type"] == "response.completed"
        assert sent(provider.requests[-1]) == key
        for _ in range(3):
            shown = json.dumps(error_of(ask_all(chain, model=slug)))
            marked.refuse(shown, "an error")
        with ask(chain, model=slug, codex=False, stream=False) as answer:
            answer.json()


def test_keys_are_in_no_environment_no_argument_no_file_and_no_output(keyed: RunningChain, provider: ScriptedUpstream) -> None:
    use_all_models(keyed, provider)
    keyed.cli("pipeline", "restart")
    keyed.cli("generate")
    for words in COMMANDS:
        keyed.cli(*words, check=False)  # which searches what it shows
    for key in KEYS:
        assert files_with(keyed, key) == ({"models.json"} if key in (INLINE, IN_HEADER) else set()), "only where the user wrote it"
        holders = processes_with(keyed, key)
        # The user put one key into the environment that the chain was started from; the orchestrator has that one, nobody else.
        assert holders == ({keyed.pids["orchestrator"]} if key == FROM_ENVIRONMENT else set())


COMMANDS = (
    ("status", "--json"),
    ("list",),
    ("list", "--json"),
    ("pipeline", "logs", "--json"),
    ("pipeline", "validate"),
    ("pipeline", "restart", "nobody"),
)


def test_the_local_token_is_in_two_files_and_the_hop_token_in_none(keyed: RunningChain, provider: ScriptedUpstream) -> None:
    use_all_models(keyed, provider)
    assert files_with(keyed, keyed.token) == {"token", "codex-home/config.toml"}
    assert not (keyed.home / "run" / "stages" / "ingress.json").exists(), "it also holds the key that opens a login"
    assert not processes_with(keyed, keyed.token)
    environment = Path(f"/proc/{keyed.pids['program']}/environ").read_bytes().split(b"\0")
    hop_token = next(each.partition(b"=")[2] for each in environment if each.startswith(b"CODEX_SHIM_HOP_TOKEN=")).decode()
    assert not files_with(keyed, hop_token)
    assert hop_token not in keyed.cli("status", "--json").stdout + keyed.cli("pipeline", "logs", "--json").stdout
    assert keyed.pids["orchestrator"] not in processes_with(keyed, hop_token)
    assert process_tree.parent(keyed.pids["program"]) not in processes_with(keyed, hop_token), "the fork server knows nothing"


def test_d71_what_is_said_and_answered_is_in_no_file_that_the_chain_writes(keyed: RunningChain, provider: ScriptedUpstream) -> None:
    provider.script(says("an-answer-nobody-keeps"), refuses(400, {"error": {"message": "no"}}))
    ask_all(keyed, "a-prompt-nobody-keeps")
    assert error_of(ask_all(keyed, "a-prompt-nobody-keeps"))
    until(lambda: sum(line["event"] == "request" for line in keyed.logs("ingress")) >= 2, "both have been logged")
    keyed.cli("pipeline", "logs", "--json")
    assert not files_with(keyed, "nobody-keeps")


def test_files_are_for_their_owner_alone(keyed: RunningChain, provider: ScriptedUpstream) -> None:
    use_all_models(keyed, provider)
    keyed.cli("pipeline", "restart")
    ours = [path for path in keyed.home.rglob("*") if path.name not in ("models.json", "chain.toml")]  # those the test wrote
    open_to_others = [str(path) for path in ours if mode(path) & 0o077]
    assert not open_to_others


def mode(path: Path) -> int:
    with contextlib.suppress(FileNotFoundError):
        return stat.S_IMODE(path.stat().st_mode)
    return 0  # taken away meanwhile


def test_a_key_leaves_the_disk_also_when_its_worker_dies(keyed: RunningChain) -> None:
    def workers() -> list[dict[str, Any]]:
        return [row for row in keyed.status()["stages"] if row["name"].startswith("127-0-0-1")]

    killed = {row["pid"] for row in workers()}
    assert len(killed) == 4
    for pid in killed:
        os.kill(pid, 9)
    until(lambda: all(row["state"] == "ready" and row["pid"] not in killed for row in workers()), "all have come back")
    until(lambda: not any(files_with(keyed, key) - {"models.json"} for key in KEYS), "the keys are where the user wrote them")


def test_the_environment_of_a_stage_is_an_allow_list(keyed: RunningChain) -> None:
    allowed = {"PATH", "HOME", "NO_PROXY", "PYTHONUNBUFFERED", "LC_CTYPE"}
    for name in ("program", "policy"):
        environment = Path(f"/proc/{keyed.pids[name]}/environ").read_bytes().split(b"\0")
        names = {each.partition(b"=")[0].decode() for each in environment if each}
        assert {each for each in names if not each.startswith("CODEX_SHIM_")} <= allowed
        assert "MARKED_KEY" not in names
