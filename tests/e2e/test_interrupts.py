"""Ctrl-C in the middle of an answer: the provider is let go at once, and the chain is as good as before."""

from __future__ import annotations

import time

from chat_answers import Answer, Silence, Wait, chunk, says
from codex_cli import Codex
from running_chain import RunningChain
from scripted_upstream import ScriptedUpstream

# DESIGN promises 200 ms through all hops; the rest is Codex's own and a loaded test machine's.
SOON = 2.0


def test_an_interrupted_turn_reaches_the_provider_and_leaves_nothing_hanging(
    codex: Codex, chain: RunningChain, upstream: ScriptedUpstream
) -> None:
    gate = upstream.gate()
    upstream.script(Answer(chunk(content="half"), Wait(gate), Silence()), says("again"))
    before = chain.pids
    turn = codex.start("tell me a long story")
    gate.wait_reached()
    interrupted = time.monotonic()
    turn.interrupt()
    assert upstream.wait_for_request().wait_until_left() - interrupted < SOON
    assert turn.wait(10).code != 0
    assert len(upstream.requests) == 1
    assert codex.exec("once more").text == "again"
    assert chain.pids == before


def test_a_turn_interrupted_before_the_first_byte_reaches_the_provider_too(codex: Codex, upstream: ScriptedUpstream) -> None:
    gate = upstream.gate()
    upstream.script(Answer(before_head=(Wait(gate), Silence())))
    turn = codex.start("think hard")
    gate.wait_reached()
    interrupted = time.monotonic()
    turn.interrupt()
    assert upstream.wait_for_request().wait_until_left() - interrupted < SOON
    assert turn.wait(10).code != 0
