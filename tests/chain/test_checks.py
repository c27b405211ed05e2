"""A running chain with `--check` names the stage that breaks the contract, the hop, the rule and the field; and nobody else."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from chat_answers import DONE, Answer, Silence, Wait, chunk, finish, says
from custom_stages import INGRESS, ROUTER, pipeline
from responses_client import ask, ask_all, error_of, text_of
from running_chain import RunningChain, StartChain
from scripted_upstream import ScriptedUpstream
from waiting import until

FIXTURES = Path(__file__).parent.parent / "fixtures"
# The stages of tests/fixtures/stages/broken.py, and what each is found out by.
NAMED = {
    "Buffering": "buffered",
    "DroppingFields": "unknown-fields",
    "Sorting": "key-order",
    "LosingTheEnd": "terminal",
    "SplittingCharacters": "utf-8",
    "Deaf": "cancellation",
    "ClosingEarly": "closed-early",
    "RewritingIds": "ids",
}


STAGES = ("outer", "inner")
WORDS = ("one ", "two ", "hé")


def chain_of(check: str) -> str:
    """Two stages that break what a request asks them to, and keep everything else."""
    tables = [f'name = "{name}"\nuse = "stages.broken"\npath = {json.dumps(str(FIXTURES))}' for name in STAGES]
    return f'[pipeline]\ncheck = "{check}"\n\n' + pipeline(INGRESS, *tables, ROUTER)


@pytest.fixture(scope="module")
def chain(keep_chain: StartChain, kept_provider: ScriptedUpstream) -> RunningChain:
    return keep_chain([kept_provider.model()], chain_of("log"))


def found(chain: RunningChain, id: str = "") -> list[tuple[str, str]]:
    """Stage and rule of all that was found so far."""
    lines = [line for name in ("ingress", *STAGES, "router") for line in chain.logs(name) if line.get("event") == "violation"]
    return sorted((line["stage"], line["rule"]) for line in lines if line["request_id"].startswith(id))


def ask_broken(chain: RunningChain, kind: str, name: str) -> None:
    headers = {"x-request-id": f"broken-{kind}", "x-break": f"{name}={kind}"}
    with ask(chain, kind, headers=headers, zebra={"b": 1, "a": 2}, field_of_next_year=1) as answer:
        for event in answer.events():
            if kind == "Deaf" and event["type"] == "response.output_text.delta":
                return  # and leave


def slowly(provider: ScriptedUpstream) -> Answer:
    """An answer whose first words come half a second before its last, and more."""
    first, second = provider.gate(), provider.gate()
    for gate, seconds in ((first, 0.4), (second, 0.8)):
        threading.Timer(seconds, gate.open).start()
    return Answer(
        chunk(content="one "), Wait(first), chunk(content="two "), Wait(second), chunk(content="h\u00e9"), finish("stop"), DONE
    )


def test_each_broken_stage_is_named_with_its_rule_and_no_other(chain: RunningChain, provider: ScriptedUpstream) -> None:
    over = provider.gate()
    deaf = Answer(chunk(content="one "), Wait(over), finish("stop"), DONE)
    provider.script(
        lambda request: deaf if "Deaf" in request.text else slowly(provider) if "Buffering" in request.text else says(*WORDS)
    )
    broken = dict(zip(NAMED, itertools.cycle(STAGES)))
    with ThreadPoolExecutor(len(broken)) as clients:
        list(clients.map(lambda kind: ask_broken(chain, kind, broken[kind]), broken))
    for kind, rule in NAMED.items():
        until(lambda kind=kind: found(chain, f"broken-{kind}"), f"{kind} is found out")
        assert found(chain, f"broken-{kind}") == [(broken[kind], rule)]
    over.open()
    counts = {each["name"]: each["violations"] for each in chain.status()["stages"]}
    assert {name: count for name, count in counts.items() if count} == {"outer": 4, "inner": 4}
    (line,) = [line for line in chain.logs("inner") if line.get("rule") == "unknown-fields"]
    assert (line["hop"], line["field"]) == ("inner>router", "zebra")
    assert line["sentence"].startswith("inner → router: the field `zebra`, which nobody knows, was dropped")
    assert "inner broke the contract 4 times" in chain.cli("pipeline", "status").stdout


def test_stages_that_keep_the_contract_are_not_named(chain: RunningChain, provider: ScriptedUpstream) -> None:
    provider.script(says(*WORDS), Answer(b'{"error": {"message": "no"}}', status=400, headers={"content-type": "application/json"}))
    events = ask_all(chain, headers={"x-request-id": "right-1"}, field_of_next_year=1)
    assert text_of(events) == "one two h\u00e9"
    assert error_of(ask_all(chain, headers={"x-request-id": "right-2"}))["message"]
    provider.script(Answer(chunk(content="first"), Silence()))
    with ask(chain, headers={"x-request-id": "right-3"}) as answer:
        next(event for event in answer.events() if event["type"] == "response.output_text.delta")
    provider.requests[0].wait_until_left()
    provider.script(says(*WORDS))
    ask_all(chain, headers={"x-request-id": "right-then-wrong", "x-break": "inner=Sorting"}, zebra={"b": 1, "a": 2})
    until(lambda: found(chain, "right-then-wrong"), "what came later is judged")
    assert found(chain, "right-1") + found(chain, "right-2") + found(chain, "right-3") == []
    assert '"crossed"' not in chain.all_logs()


@pytest.fixture
def strict(start_chain: StartChain, upstream: ScriptedUpstream) -> Iterator[RunningChain]:
    yield start_chain([upstream.model()], chain_of("enforce"))


def test_enforced_nothing_wrong_goes_through(strict: RunningChain, upstream: ScriptedUpstream) -> None:
    upstream.script(lambda request: Answer(chunk(content="one "), chunk(content="two"), finish("stop"), DONE))

    def failed(**more: Any) -> str:
        events = ask_all(strict, **more)
        assert [event["type"] for event in events].count("response.failed") == 1
        return str(error_of(events)["message"])

    assert text_of(ask_all(strict)) == "one two"
    lost = failed(headers={"x-break": "outer=LosingTheEnd"})
    assert "the contract is broken at ingress → outer" in lost
    assert "(rule terminal, field the end of the stream)" in lost
    numbers = failed(headers={"x-break": "inner=ScramblingNumbers"})
    assert "the contract is broken at outer → inner" in numbers
    assert "rule sequence-number, field response.output_text.delta sequence_number" in numbers
    before = len(upstream.requests)
    orphan = failed(input=[{"type": "function_call_output", "call_id": "c1", "output": "x"}])
    assert "the contract is broken at ingress → outer" in orphan
    assert "(rule call-output, field input[0].call_id)" in orphan
    assert len(upstream.requests) == before
