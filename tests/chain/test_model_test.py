"""`codex-shim model test`: one chain, one scripted provider, and one where nobody is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from chat_answers import Answer, Silence, call, calls, chunk, refuses, says
from ports import held_port
from running_chain import RunningChain, StartChain
from scripted_upstream import ScriptedUpstream

CALL = calls(call("open_box", {"box": "blue"}))


@pytest.fixture(scope="module")
def tried(kept_provider: ScriptedUpstream, keep_chain: StartChain) -> Iterator[RunningChain]:
    with held_port() as held:
        dead = {**kept_provider.model(slug="dead"), "base_url": f"http://127.0.0.1:{held.getsockname()[1]}/v1"}
        yield keep_chain(models=[kept_provider.model(slug="one", model="vendor/one"), dead])


def trial_of(chain: RunningChain, *words: str) -> dict[str, Any]:
    done = chain.cli("model", "test", "--json", *words, check=False)
    told = json.loads(done.stdout)
    assert done.returncode == (0 if told["ok"] else 1)
    return told


def worker(chain: RunningChain, provider: ScriptedUpstream) -> str:
    return next(stage["name"] for stage in chain.status()["stages"] if stage["name"].endswith(f"-{provider.port}"))


def test_a_model_that_works_is_shown_with_its_times_and_its_tokens(tried: RunningChain, provider: ScriptedUpstream) -> None:
    provider.script(CALL, says("A ", "lantern."))
    asked = len(provider.requests)
    shown = tried.cli("model", "test", "vendor/one")
    lines = shown.stdout.splitlines()
    assert [line.split()[:1] for line in lines[:2]] == [["tool"], ["answer"]]
    assert all(line.endswith("10  5") for line in lines[:2]), lines
    assert lines[2:] == ["✓ the tool call came back whole", "✓ text came in 2 pieces: A lantern.", "✓ usage was told"]
    assert "cost a few tokens" in shown.stderr
    first, second = (request.body for request in provider.requests[asked:])
    assert first["tools"] == second["tools"]
    assert [message["role"] for message in second["messages"][-2:]] == ["assistant", "tool"]
    assert second["messages"][: len(first["messages"])] == first["messages"]


def test_each_failure_names_its_hop_and_the_remedy(tried: RunningChain, provider: ScriptedUpstream) -> None:
    provider.script(refuses(401, {"error": {"message": "Incorrect API key provided", "code": "invalid_api_key"}}))
    refused = trial_of(tried, "one")
    assert (refused["failure"]["hop"], refused["failure"]["code"]) == (worker(tried, provider), "invalid_api_key")
    assert "Incorrect API key provided" in refused["failure"]["message"]
    assert "codex-shim pipeline reload" in refused["remedy"]

    dead = trial_of(tried, "dead")
    assert "cannot be reached" in dead["failure"]["message"]
    assert dead["failure"]["hop"] not in ("ingress", "policy", "router", worker(tried, provider))
    assert "whether that server runs" in dead["remedy"]

    provider.script(CALL, Answer(chunk(content="A lan")))
    broken = trial_of(tried, "one")
    assert (broken["failure"]["hop"], [check["status"] for check in broken["checks"]]) == (worker(tried, provider), ["ok"])
    assert [each["whole"] is None for each in broken["requests"]] == [False, True]

    provider.script(Answer(Silence()))
    silent = trial_of(tried, "one", "--seconds", "1")
    assert silent["failure"]["code"] == "timed_out"
    assert silent["failure"]["hop"], "the worker, unless the machine is so busy that the second was over before it was asked"


def test_a_model_that_calls_no_tool_is_not_fit(tried: RunningChain, provider: ScriptedUpstream) -> None:
    provider.script(says("A box? Which box?"))
    told = trial_of(tried, "one")
    assert (told["ok"], told["failure"], told["remedy"]) == (False, None, "choose a model that is made for calling tools")
    assert [check["status"] for check in told["checks"]] == ["failed", "ok", "ok"]
    assert "called no tool" in told["checks"][0]["message"]


def test_only_what_the_running_chain_offers_can_be_tested(tried: RunningChain) -> None:
    assert "there is no model named `two`" in tried.cli("model", "test", "two", check=False).stderr
    tried.cli("model", "add", "ollama", "new-one")
    late = tried.cli("model", "test", "new-one", check=False)
    expected = "error: the running chain does not know `new-one` yet; `codex-shim pipeline reload`, then try again\n"
    assert (late.returncode, late.stderr) == (1, expected)
    assert tried.cli("model", "remove", "new-one").stdout.splitlines()[-1] == "next      codex-shim pipeline reload"


def test_without_a_chain_the_way_to_one_is_told(idle_home: RunningChain) -> None:
    done = idle_home.cli("model", "test", "demo", check=False)
    assert (done.returncode, "`codex-shim start`" in done.stderr) == (1, True)
