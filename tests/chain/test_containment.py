"""What a stage does wrong stays its own: slow start, hang, flood, a stolen port, a crash; each is reported with its last words."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

from chat_answers import says
from pipelines import INGRESS, PROGRAMS, ROUTER, pipeline, program
from ports import free_port
from responses_client import ask_all, text_of
from running_chain import StartChain
from scripted_upstream import ScriptedUpstream
from systems import needs_proc
from waiting import until


def said(home: Path) -> set[str]:
    """Which of the words of a flood stand in the stage's log."""
    text = "".join(path.read_text("utf-8", "replace") for path in (home / "run" / "logs").glob("own.log*"))
    return {words for words in ("flood over", "left out") if words in text}


@needs_proc
def test_a_troubled_stage_is_contained_and_reported_with_its_last_words(
    start_chain: StartChain, upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    port = free_port()
    troubled = f'script = "{PROGRAMS / "troubled.py"}"\nconfig = {{ folder = "{tmp_path}" }}'
    bound = program("bound", "relay.py", "{port}", "{next}", more=f'listen = "127.0.0.1:{port}"\n')
    text = pipeline(INGRESS, f'[[stage]]\nname = "own"\n{troubled}\n', bound, ROUTER, health_seconds=0.4)
    upstream.script(lambda request: says("fine"))
    chain = start_chain([upstream.model()], text)

    # A slow start: whoever waits is told for whom.
    assert "waiting for own" in chain.said

    # A flood: what is printed meanwhile is counted, and nobody else is slower for it or loses a line.
    assert text_of(ask_all(chain, "flood")) == "fine"
    until(lambda: {"flood over", "left out"} <= said(chain.home), "the flood is over and told of")
    assert sum(path.stat().st_size for path in (chain.home / "run" / "logs").glob("own.log*")) < 6 * 1024 * 1024
    assert '"event":"ready"' in chain.cli("pipeline", "logs", "--json", "-n", "5000").stdout

    # A hang: found by asking, and ended; another process serves the request.
    before = chain.pids["own"]
    assert text_of(ask_all(chain, "hang")) == "fine"
    assert chain.pids["own"] != before
    assert chain.stage("own")["last_exit"].startswith("it hung: GET /health was not answered for ")
    assert "about to hang" in chain.stage("own")["lines"]

    # A crash: the same.
    assert text_of(ask_all(chain, "die")) == "fine"
    assert chain.stage("own")["last_exit"] == "exit code 7"
    assert "about to die" in chain.stage("own")["lines"]

    # A stolen port: while the stage is away, somebody else takes its place for good.
    lease = chain.control.ask("lease", stage="bound")
    assert "argv" in next(lease)
    with socket.create_server(("127.0.0.1", port)):
        lease.close()  # pyright: ignore[reportAttributeAccessIssue]  # it is a generator
        until(lambda: chain.stage("bound")["last_exit"], "the theft is noticed")
        assert f"port {port} is in use by " in chain.stage("bound")["last_exit"]
        assert f"(pid {os.getpid()})" in chain.stage("bound")["last_exit"]
        shown = json.loads(chain.cli("pipeline", "status", "--json", check=False).stdout)
        assert {stage["name"] for stage in shown["stages"] if stage["state"] not in ("ready", "asleep")} == {"bound"}
    until(lambda: chain.stage("bound")["state"] == "ready", "the stage is back where it belongs")
    assert text_of(ask_all(chain, "hello")) == "fine"
