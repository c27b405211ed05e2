"""Ctrl-C in the middle of an answer: the provider is let go at once, and the chain is as good as before."""

from __future__ import annotations

from chat_answers import Answer, Silence, Wait, chunk, says
from codex_cli import Codex
from running_chain import RunningChain
from scripted_upstream import ScriptedUpstream


def test_an_interrupted_turn_reaches_the_provider_and_leaves_nothing_hanging(
    codex: Codex, chain: RunningChain, upstream: ScriptedUpstream
) -> None:
    gate = upstream.gate()
    upstream.script(Answer(chunk(content="half"), Wait(gate), Silence()), says("again"))
    before = chain.pids
    turn = codex.start("tell me a long story")
    gate.wait_reached()
    turn.interrupt()
    upstream.wait_for_request().wait_until_left()
    assert turn.wait().code != 0
    assert len(upstream.requests) == 1
    assert codex.exec("once more").text == "again"
    assert chain.pids == before


def test_a_turn_interrupted_before_the_first_byte_reaches_the_provider_too(codex: Codex, upstream: ScriptedUpstream) -> None:
    gate = upstream.gate()
    upstream.script(Answer(before_head=(Wait(gate), Silence())))
    turn = codex.start("think hard")
    gate.wait_reached()
    turn.interrupt()
    upstream.wait_for_request().wait_until_left()
    assert turn.wait().code != 0
