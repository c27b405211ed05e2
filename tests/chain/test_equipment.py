"""The equipment itself: a chain starts, answers from a script, tells of a client that leaves, and goes."""

from __future__ import annotations

import process_tree
from chat_answers import Answer, Close, Reset, Silence, Wait, chunk, refuses, says
from responses_client import ask, ask_all, error_of, text_of
from running_chain import RunningChain, StartChain
from scripted_upstream import KEY, ScriptedUpstream


def test_a_scripted_answer_comes_through_the_whole_chain(kept_chain: RunningChain, provider: ScriptedUpstream) -> None:
    provider.script(says("Hel", "lo"))
    assert text_of(ask_all(kept_chain, "hi")) == "Hello"
    assert provider.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert provider.requests[0].messages == [{"role": "user", "content": "hi"}]
    assert provider.requests[0].left_at is None


def test_events_are_seen_while_the_answer_waits_at_a_gate(kept_chain: RunningChain, provider: ScriptedUpstream) -> None:
    gate = provider.gate()
    provider.script(Answer(chunk(content="first"), Wait(gate), *says(" second").steps))
    with ask(kept_chain) as answer:
        events = answer.events()
        assert next(event for event in events if event["type"] == "response.output_text.delta")["delta"] == "first"
        gate.wait_reached()
        gate.open()
        assert text_of(list(events)) == " second"


def test_a_client_that_leaves_is_noticed_upstream(kept_chain: RunningChain, provider: ScriptedUpstream) -> None:
    provider.script(Answer(chunk(content="first"), Silence()))
    with ask(kept_chain) as answer:
        next(answer.events())
    provider.wait_for_request().wait_until_left()


def test_every_way_to_break_off_reaches_the_client_as_a_failed_stream(kept_chain: RunningChain, provider: ScriptedUpstream) -> None:
    for breaking in (Close(), Reset()):
        provider.script(Answer(chunk(content="first"), breaking))
        assert error_of(ask_all(kept_chain))["code"] == "server_error"
    provider.script(Answer(before_head=(Close(),)))
    assert error_of(ask_all(kept_chain))["code"] == "server_error"


def test_plain_clients_get_the_status_and_a_script_may_be_a_function(kept_chain: RunningChain, provider: ScriptedUpstream) -> None:
    provider.script(lambda request: refuses(429, {"error": {"message": f"slow down {request.number}"}}, {"retry-after": "7"}))
    with ask(kept_chain, codex=False) as answer:
        assert (answer.status, answer.headers["retry-after"]) == (429, "7")
        assert "slow down 1" in answer.json()["error"]["message"]


def test_an_upstream_can_be_gone_and_come_back(kept_chain: RunningChain, provider: ScriptedUpstream) -> None:
    provider.refuse_connections()
    assert "cannot be reached" in error_of(ask_all(kept_chain))["message"]
    provider.listen()
    provider.script(says("back"))
    assert text_of(ask_all(kept_chain)) == "back"


def test_a_chain_that_is_down_has_left_no_process(start_chain: StartChain) -> None:
    chain = start_chain()
    seen = chain.note_processes()
    assert {pid for pid in chain.pids.values() if pid} <= {process.pid for process in seen}
    chain.down()
    assert process_tree.alive(seen) == []
