"""A process of the chain dies in the middle of a turn of the real Codex: the turn is tried again, and goes well."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from chat_answers import Answer, Wait, chunk, says
from codex_cli import Codex
from running_chain import RunningChain
from scripted_upstream import ScriptedUpstream
from systems import needs_posix
from waiting import until


@needs_posix
def test_a_turn_outlives_any_process_of_the_chain(
    bare_codex: Codex, start_chain: Callable[..., RunningChain], upstream: ScriptedUpstream
) -> None:
    chain = start_chain(models=[upstream.model()])
    bare_codex.use(chain)
    for name, pid in chain.pids.items():
        if name == "orchestrator":
            continue
        gate = upstream.gate()
        upstream.script(Answer(chunk(content="half"), Wait(gate)), says("whole"))
        turn = bare_codex.start("hi")
        gate.wait_reached()
        os.kill(pid, signal.SIGKILL)
        ended = turn.wait()
        assert (ended.code, ended.text) == (0, "whole"), ended.stderr
        assert [item["text"] for item in ended.items("agent_message")] == ["whole"], "the half answer must not be kept"
        assert len(ended.reconnects) <= 1, "what had not reached Codex yet is sent again by the chain itself"
        until(lambda: chain.stage(name)["state"] == "ready", f"{name} is back")  # noqa: B023
        told = chain.stage(name)
        assert (told["pid"] != pid, told["last_exit"]) == (True, "killed by SIGKILL")
