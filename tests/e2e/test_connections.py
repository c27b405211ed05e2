"""How Codex and the chain hold on to each other: silence, WebSockets, and what `codex doctor` finds."""

from __future__ import annotations

import threading
from collections.abc import Callable

from chat_answers import Answer, Wait, chunk, says
from codex_cli import Codex
from running_chain import RunningChain
from scripted_upstream import ScriptedUpstream

IMPATIENT = ("-c", "model_providers.codex_shim.stream_idle_timeout_ms=2000")
LONGER_THAN_THAT = 3.0
LIVELY = """\
[[stage]]
name = "ingress"
use = "ingress"
keepalive_seconds = 0.1

[[stage]]
name = "router"
use = "router"
"""


def test_a_model_that_thinks_in_silence_longer_than_codex_waits_is_waited_for(
    start_chain: Callable[..., RunningChain], bare_codex: Codex, codex_environ: dict[str, str], upstream: ScriptedUpstream
) -> None:
    bare_codex.use(start_chain(models=[upstream.model()], pipeline=LIVELY, environ=codex_environ))
    gate = upstream.gate()
    upstream.script(Answer(chunk(content="At "), Wait(gate), *says("last").steps))
    turn = bare_codex.start("think", *IMPATIENT)
    gate.wait_reached()
    silence = threading.Timer(LONGER_THAN_THAT, gate.open)  # the time itself is what is tested
    silence.start()
    done = turn.wait()
    silence.join()
    assert (done.code, done.text) == (0, "At last")
    assert done.reconnects == []
    assert len(upstream.requests) == 1


def test_codex_falls_back_from_websockets_at_once(codex: Codex, upstream: ScriptedUpstream) -> None:
    upstream.script(says("ok"))
    turn = codex.exec("hi", "-c", "model_providers.codex_shim.supports_websockets=true")
    assert (turn.code, turn.text) == (0, "ok")
    assert turn.reconnects == []


def test_codex_doctor_finds_the_chain_in_order(codex: Codex) -> None:
    report = codex.command("doctor").stdout
    assert "active provider endpoints are reachable over HTTP" in report
    assert "API route probe" in report
    assert "route exists (HTTP 200)" in report
    assert " 0 fail" in report
