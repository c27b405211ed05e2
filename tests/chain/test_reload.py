"""The files are read again while the chain runs: what changed is changed over to, and nobody notices but those whom it is for."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import marked
import process_tree
import pytest
from chat_answers import Answer, Wait, chunk, says
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


def mark(name: str) -> str:
    return f'[[stage]]\nname = "{name}"\nscript = "mark.py"\nconfig = {{ mark = "<{name}>" }}\n'


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


ROUNDS, STREAMS, CLIENTS = 20, 50, 2
DRAIN_SECONDS = 0.2


def test_twenty_times_a_stage_comes_moves_and_goes_and_all_are_replaced_under_fifty_streams(
    marked_chain: RunningChain, upstream: ScriptedUpstream
) -> None:
    met: list[str] = []

    def answer(request: Received) -> Answer:
        met.append(marks(request))
        return streams.answer(request) or says(met[-1])

    with LongStreams(marked_chain, upstream) as streams:
        upstream.script(answer)
        streams.begin(STREAMS)
        with Load(marked_chain, CLIENTS) as load:
            for _ in range(ROUNDS):
                for tables in ((mark("a"), mark("b")), (mark("b"), mark("a")), (mark("a"),)):
                    reloaded(marked_chain, *tables)
                assert marked_chain.control.ask_once("restart")["ok"], "each process is replaced in turn"
                streams.finish(STREAMS // 10)
                streams.begin(STREAMS // 10)
    assert not load.troubles, load.troubles[:3]
    assert not streams.spoilt, streams.spoilt[:3]
    assert len(streams.outcomes) == STREAMS + ROUNDS * (STREAMS // 10)
    assert set(met) <= {"a", "ab", "ba"}, "each request meets each stage of its chain, and once"
    assert {outcome.text for outcome in load.outcomes} <= set(met)
    until(lambda: not marked_chain.status()["retired"], "the processes that were replaced have ended", 4 * PATIENCE)


def test_a_stream_of_a_stage_that_is_taken_out_outlasts_the_drain_time_but_not_the_chain(
    start_chain: StartChain, upstream: ScriptedUpstream
) -> None:
    chain = start_chain([upstream.model()], pipeline(INGRESS, ROUTER))
    (chain.home / "mark.py").write_text(MARK)
    write(chain, mark("a"), drain_seconds=DRAIN_SECONDS)
    assert reload(chain)["ok"]
    first, second = upstream.gate(), upstream.gate()
    upstream.script(*(Answer(chunk(content="one"), Wait(gate), *says(" two").steps) for gate in (first, second)))
    with ask(chain) as answer, ask(chain) as another:
        events = [next(answer.events()), next(another.events())]
        old = chain.note_processes()
        write(chain, drain_seconds=DRAIN_SECONDS)
        began = time.monotonic()
        assert reload(chain)["ok"]
        assert "a" in chain.status()["retired"]
        until(lambda: time.monotonic() > began + 4 * DRAIN_SECONDS, "the drain time is over, several times")
        assert len(process_tree.alive(old)) == len(old)
        first.open()
        events = list(answer.events())
        assert (text_of(events), events[-1]["type"]) == ("one two", "response.completed")
        chain.down()
        assert list(another.events())[-1]["type"] == "response.failed", "the chain does not wait for it any longer"


def test_what_cannot_be_used_changes_nothing_and_says_why(marked_chain: RunningChain, upstream: ScriptedUpstream) -> None:
    before = marked_chain.pids
    file = marked_chain.home / "chain.toml"
    file.write_text(file.read_text().replace("name = ", "nam = ", 1))
    refused = marked_chain.cli("pipeline", "reload", check=False)
    assert (refused.returncode, refused.stdout) == (78, "")
    assert f"{file}:4:1: unknown key `nam`" in refused.stderr

    broken = marked_chain.home / "broken.py"
    broken.write_text("def request(body:\n")
    write(marked_chain, mark("b"), mark("a"), '[[stage]]\nname = "c"\nscript = "broken.py"\n')
    answer = reload(marked_chain)
    assert not answer["ok"]
    assert answer["error"].startswith("the stage `c` did not come up: its settings are unusable (exit code 78)\n")
    assert f"│ the script {broken} cannot be loaded: SyntaxError" in answer["error"]

    (marked_chain.home / "mark.py").write_text("def request(body:\n")
    write(marked_chain, mark("a"))
    answer = json.loads(marked_chain.cli("pipeline", "reload", "--json", check=False).stdout)
    assert answer["error"].startswith("the stage `a` could not be replaced: the new process did not come up")

    write(marked_chain, mark("a"), listen="[::1]:8765")
    assert "`codex-shim restart` does that" in reload(marked_chain)["error"]
    assert marked_chain.pids == before
    assert text_of(ask_all(marked_chain)) == "a"


def test_of_models_only_what_changed_is_replaced(
    start_chain: StartChain, upstream: ScriptedUpstream, provider: ScriptedUpstream
) -> None:
    new_key = marked.key("another")
    one, two = upstream.model(slug="one"), provider.model(slug="two")
    chain = start_chain([one, two])
    before = chain.pids
    for each in (upstream, provider):
        each.script(lambda request: says("new" if new_key in request.headers["authorization"] else "old"))

    settings = chain.home / "models.json"
    settings.write_text(json.dumps([{**one, "api_key": new_key}, two]))
    (change,) = reload(chain)["changes"]
    assert change["words"].endswith(": its configuration changed → replaced")
    changed = {name for name, pid in chain.pids.items() if pid != before[name]}
    assert changed == {change["name"]}
    assert text_of(ask_all(chain, model="one")) == "new"
    assert text_of(ask_all(chain, model="two")) == "old"

    settings.write_text(json.dumps([two, {**two, "slug": "three"}]))
    assert reload(chain)["ok"]
    assert text_of(ask_all(chain, model="three")) == "old"
    catalog = json.loads((chain.home / "custom_model_catalog.json").read_text())
    assert [entry["slug"] for entry in catalog["models"]] == ["two", "three"]
    failed = ask_all(chain, model="one")[-1]
    assert failed["response"]["error"]["message"].startswith("no model named `one`")
