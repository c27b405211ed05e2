"""Proxies that nobody here wrote, as documented, at two places of one chain, and what a chain must keep through them."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import outside_proxies
import pytest
from chat_answers import Answer, Silence, Wait, chunk, refuses, says
from custom_stages import INGRESS, POLICY, ROUTER, node_environment, pipeline
from outside_proxies import Placing
from responses_client import ask, ask_all, error_of, text_of
from running_chain import RunningChain, StartChain
from scripted_upstream import ScriptedUpstream
from systems import needs_posix

LONG_HEADER = "x" * 30_000
LONG_TEXT = "Zwölf Boxkämpfer jagen Viktor. " * 100_000


@needs_posix
@pytest.mark.parametrize("placing", outside_proxies.ALL.values(), ids=outside_proxies.ALL)
def test_a_chain_keeps_its_promises_through_two_outside_proxies(
    start_chain: StartChain, upstream: ScriptedUpstream, tmp_path: Path, placing: Placing
) -> None:
    first, policy = placing(tmp_path, "first", POLICY)
    second, router = placing(tmp_path, "second", ROUTER)
    tables = pipeline(INGRESS, first, policy, second, router)
    chain = start_chain([upstream.model()], pipeline=tables, environ=node_environment())
    _pieces_pass_as_they_come(chain, upstream)
    _long_requests_arrive_whole(chain, upstream)
    _a_refusal_keeps_its_sentence(chain, upstream)
    _a_client_that_leaves_is_known_upstream(chain, upstream)
    _what_breaks_off_is_a_failure(chain, upstream)


def _pieces_pass_as_they_come(chain: RunningChain, upstream: ScriptedUpstream) -> None:
    gate = upstream.gate()
    upstream.script(Answer(chunk(content="first"), Wait(gate), *says(" second").steps))
    with ask(chain) as answer:
        events = answer.events()
        assert next(event for event in events if event["type"] == "response.output_text.delta")["delta"] == "first"
        gate.open()
        rest = list(events)
    assert text_of(rest) == " second"
    assert rest[-1]["type"] == "response.completed"


def _long_requests_arrive_whole(chain: RunningChain, upstream: ScriptedUpstream) -> None:
    upstream.script(says("read"))
    assert text_of(ask_all(chain, LONG_TEXT, headers={"x-codex-turn-metadata": LONG_HEADER})) == "read"
    assert upstream.requests[0].messages[-1]["content"] == LONG_TEXT


def _a_refusal_keeps_its_sentence(chain: RunningChain, upstream: ScriptedUpstream) -> None:
    upstream.script(refuses(429, {"error": {"message": "slow down", "type": "rate_limit"}}, {"retry-after": "7"}))
    error = error_of(ask_all(chain))
    assert error["code"] == "rate_limit_exceeded"
    assert "slow down" in error["message"]
    assert "try again in 7" in error["message"]


def _a_client_that_leaves_is_known_upstream(chain: RunningChain, upstream: ScriptedUpstream) -> None:
    upstream.script(Answer(chunk(content="first"), Silence()))
    with ask(chain) as answer:
        assert "first" in text_of([next(event) for event in [answer.events()] for _ in range(5)])
    upstream.requests[0].wait_until_left()


def _what_breaks_off_is_a_failure(chain: RunningChain, upstream: ScriptedUpstream) -> None:
    """Cut behind both proxies: what they do with half an answer is what ingress gets to see."""
    upstream.script(Answer(chunk(content="first"), Wait(upstream.gate())))
    with ask(chain) as answer:
        events = answer.events()
        next(event for event in events if event["type"] == "response.output_text.delta")
        os.kill(chain.pids["router"], signal.SIGKILL)
        assert "broke off" in error_of(list(events))["message"]
