"""What one request took, asked of a running chain: the waterfall, what is on top, the counters, and a collector's spans."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from chat_answers import DONE, Answer, chunk, finish, refuses
from custom_stages import BRIEF, INGRESS, POLICY, REDACT, ROUTER, node_environment, pipeline
from otlp_collector import OtlpCollector
from responses_client import ask
from running_chain import RunningChain, StartChain
from scripted_upstream import ScriptedUpstream
from waiting import until

TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SPANS = 7  # of a request: five stages, one of which logs nothing, its worker, and the upstream


@pytest.fixture
def collector() -> Iterator[OtlpCollector]:
    collector = OtlpCollector()
    yield collector
    collector.close()


def traced(chain: RunningChain, request_id: str, **body: Any) -> dict[str, Any]:
    """What is known of a request that has this id, once every hop that logs has told of it."""
    with ask(chain, headers={"x-request-id": request_id, "traceparent": f"00-{TRACE}-{CALLER}-01"}, **body) as answer:
        list(answer.events())

    def told() -> dict[str, Any]:
        answer = chain.control.ask_once("traces", id=request_id)
        whole = answer.get("ok") and answer["trace"]["turn"] and answer["trace"]["hops"][-1]["kind"] == "upstream"
        return answer["trace"] if whole else {}

    return until(told, f"the lines of {request_id}")


def answered() -> Answer:
    end = finish("stop", 100, 7)
    end["usage"]["prompt_tokens_details"] = {"cached_tokens": 80}
    end["usage"]["completion_tokens_details"] = {"reasoning_tokens": 3}
    return Answer(chunk(content="Hel"), chunk(content="lo"), end, DONE)


def test_a_request_is_seen_at_each_hop_by_whoever_asks(
    start_chain: StartChain, upstream: ScriptedUpstream, collector: OtlpCollector
) -> None:
    text = f'[pipeline]\notel = "{collector.url}"\n\n' + pipeline(INGRESS, POLICY, BRIEF, REDACT, ROUTER)
    chain = start_chain(models=[upstream.model()], pipeline=text, environ=node_environment())
    upstream.script(answered(), refuses(400, {"error": {"message": "Unsupported parameter: 'top_p'"}}), answered())

    first = traced(chain, "first-1")
    _is_one_waterfall(first)
    retried = traced(chain, "second-2", top_p=0.5)
    assert sum(sum(reasons.values()) for reasons in retried["retries"].values()) == 1
    upstream.script(refuses(401, {"error": {"message": "who are you?"}}))
    failed = traced(chain, "third-3")
    assert (failed["verdict"], failed["failed_at"]) == ("failed", failed["hops"][-2]["stage"])
    assert "who are you?" in failed["error"]

    _commands_tell_of_them(chain)
    _counters_count_them(chain)
    _the_collector_has_them(collector, first)


def _is_one_waterfall(trace: dict[str, Any]) -> None:
    hops = trace["hops"]
    assert [hop["stage"] for hop in hops][:5] == ["ingress", "policy", "brief", "redact", "router"]
    assert [hop["kind"] for hop in hops] == ["stage"] * 3 + ["gap"] + ["stage"] * 2 + ["upstream"]
    assert trace["trace"] == TRACE
    named = [hop for hop in hops if hop["kind"] == "stage"]
    assert [hop["parent"] for hop in named] == [CALLER, *(hop["span"] for hop in named[:-1])]
    for outer, inner in pairwise(hops):
        assert outer["start_ms"] <= inner["start_ms"], (outer, inner)
        assert inner["start_ms"] + inner["ms"] <= outer["start_ms"] + outer["ms"] + 0.002, (outer, inner)
    assert trace["tokens"] == {"input": 100, "cached": 80, "output": 7, "reasoning": 3}
    assert (trace["slug"], trace["dialect"], trace["verdict"], trace["ended"]) == ("scripted", "chat", "ok", "response.completed")


def _commands_tell_of_them(chain: RunningChain) -> None:
    drawn = chain.cli("pipeline", "trace", "sec").stdout
    assert "asked again" in drawn
    assert "[redact]" in drawn
    assert "█" in drawn
    assert "(80 from the cache, 80 %)" in drawn
    assert chain.cli("pipeline", "trace").stdout.startswith("third-3")
    assert "who are you?" in chain.cli("pipeline", "trace", "last").stdout
    unknown = chain.cli("pipeline", "trace", "nothing", check=False)
    assert (unknown.returncode, "no request `nothing`" in unknown.stderr) == (1, True)
    listed = chain.cli("pipeline", "trace", "--list").stdout.splitlines()
    assert [line.split()[:2] for line in listed] == [["first-1", "ok"], ["second-2", "ok"], ["third-3", "failed"]]
    top = json.loads(chain.cli("pipeline", "top", "--once", "--json", "--seconds", "3600").stdout)
    assert (top["requests"], top["errors"]) == (3, 1)
    (model,) = top["models"]
    assert (model["input"], model["cache_hits"], model["retries"], model["errors"]) == (200, 0.8, 1, 1)
    assert {hop["stage"]: hop["running"] for hop in top["hops"]}["policy"] == 0


def _counters_count_them(chain: RunningChain) -> None:
    request = urllib.request.Request(chain.origin + "/metrics", headers={"authorization": f"Bearer {chain.token}"})
    with urllib.request.urlopen(request) as answer:
        text = answer.read().decode()
    assert 'codex_shim_requests_total{stage="ingress",outcome="failed"} 1\n' in text
    assert 'codex_shim_tokens_total{slug="scripted",upstream="127.0.0.1",kind="cached"} 160\n' in text


def _the_collector_has_them(collector: OtlpCollector, trace: dict[str, Any]) -> None:
    spans = [span for span in collector.trace(TRACE, 3 * SPANS) if span["attributes"]["codex_shim.request_id"] == trace["id"]]
    assert [span["attributes"]["codex_shim.hop"] for span in spans] == [hop["stage"] for hop in trace["hops"]]
    assert [span["parent"] for span in spans] == [CALLER, *(span["id"] for span in spans[:-1])]
    model = spans[-1]["attributes"]
    assert model["gen_ai.request.model"] == "scripted"
    assert model["server.address"] == "127.0.0.1"
    assert (model["gen_ai.usage.input_tokens"], model["gen_ai.usage.cache_read.input_tokens"]) == (100, 80)
    assert {span["service"] for span in spans} == {"codex-shim"}
    failed = [span for span in collector.spans if span["attributes"]["codex_shim.request_id"] == "third-3" and span["error"]]
    assert failed
