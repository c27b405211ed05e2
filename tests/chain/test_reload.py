"""The files are read again while the chain runs: what changed is changed over to, and nobody notices but those whom it is for."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import process_tree
import pytest
from chat_answers import Answer, says
from knocking import Knocking
from long_streams import LongStreams
from many_clients import Load
from pipelines import INGRESS, ROUTER, pipeline
from responses_client import ask, ask_all, text_of
from running_chain import RunningChain
from scripted_upstream import ScriptedUpstream
from upstream_connection import Received
from waiting import PATIENCE, until

# Adds its name to what the model is told, so that an answer can say which stages the request has met.
MARK = 'def request(body):\n    body["instructions"] = body.get("instructions", "") + config["mark"]\n    return body\n'

StartChain = Callable[..., RunningChain]


def mark(name: str, sign: str | None = None) -> str:
    return f'[[stage]]\nname = "{name}"\nscript = "mark.py"\nconfig = {{ mark = "<{sign or name}>" }}\n'


def write(chain: RunningChain, *tables: str, **settings: object) -> None:
    (chain.home / "chain.toml").write_text(pipeline(INGRESS, *tables, ROUTER, **settings))


def reload(chain: RunningChain) -> dict[str, Any]:
    """What `pipeline reload --json` prints, without the price of a command."""
    return chain.control.ask_once("reload")


def reloaded(chain: RunningChain, *tables: str) -> list[str]:
    """Change over to a chain with these stages between ingress and router. Returns the words of the changes."""
    write(chain, *tables)
    answer = reload(chain)
    assert answer["ok"], answer
    return [change["words"] for change in answer["changes"]]


def marks(request: Received) -> str:
    """Which stages a request has met, in their order."""
    first = request.messages[0]["content"]
    text = first if isinstance(first, str) else first[0]["text"]
    return "".join(piece[: piece.index(">")] for piece in text.split("<")[1:] if ">" in piece)


@pytest.fixture
def marked_chain(start_chain: StartChain, upstream: ScriptedUpstream) -> RunningChain:
    """ingress → a → router, whose upstream answers with the marks it sees."""
    upstream.script(lambda request: says(marks(request)))
    chain = start_chain([upstream.model()], pipeline(INGRESS, ROUTER))
    (chain.home / "mark.py").write_text(MARK)
    assert reloaded(chain, mark("a")) == [
        "ingress → router  ⇒  ingress → a → router",
        "ingress: its next hop changed → replaced",
        "a: new, between ingress and router",
    ]
    return chain


def shaken(chain: RunningChain, rounds: int) -> None:
    """A stage is put in, moved and taken out, then every process is replaced; again and again."""
    for _ in range(rounds):
        for tables in ((mark("a"), mark("b")), (mark("b"), mark("a")), (mark("a"),)):
            reloaded(chain, *tables)
        answer = chain.control.ask_once("restart")
        assert answer["ok"], answer


ROUNDS, STREAMS, CLIENTS = 20, 50, 4


def test_twenty_times_a_stage_comes_moves_and_goes_and_all_are_replaced_under_fifty_streams(
    marked_chain: RunningChain, upstream: ScriptedUpstream
) -> None:
    door = marked_chain.stage("ingress")["address"]
    met: list[str] = []

    def answer(request: Received) -> Answer:
        met.append(marks(request))
        return streams.answer(request) or says(met[-1])

    with LongStreams(marked_chain, upstream) as streams, Knocking([door]) as knocking:
        upstream.script(answer)
        streams.begin(STREAMS)
        with Load(marked_chain, CLIENTS) as load:
            for _ in range(ROUNDS):
                shaken(marked_chain, 1)
                streams.finish(STREAMS // 10)
                streams.begin(STREAMS // 10)
        upstream.script(answer)
    assert not load.troubles, load.troubles[:3]
    assert not streams.spoilt, streams.spoilt[:3]
    assert not knocking.refused, knocking.refused[:3]
    assert len(streams.outcomes) == STREAMS + ROUNDS * (STREAMS // 10)
    assert {outcome.text for outcome in load.outcomes} <= {"a", "ab", "ba"}
    assert set(met) <= {"a", "ab", "ba"}, "each request met each stage of its chain, and once"
    until(lambda: not marked_chain.status()["retired"], "the processes that were replaced have ended", 4 * PATIENCE)
