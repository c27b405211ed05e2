"""What ingress does to good requests and to the answers behind it, over real sockets."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import zstandard
from chat_answers import DONE, Answer, Silence, Wait, chunk, finish, refuses, says
from pipelines import INGRESS, pipeline, program
from raw_http import post, send
from responses_client import ask, ask_all, error_of, text_of
from running_chain import RunningChain, StartChain
from scripted_upstream import ScriptedUpstream
from waiting import until

BODY = json.dumps({"model": "scripted", "stream": True, "input": "hi"}).encode()
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def event(type: str, number: int, **fields: Any) -> str:
    return f"event: {type}\ndata: " + json.dumps({"type": type, "sequence_number": number, **fields}) + "\n\n"


RESPONSE = {"id": "resp_1", "object": "response", "model": "m", "output": []}
WHOLE = (
    event("response.created", 0, response=RESPONSE)
    + event("response.unheard_of", 1, more={"a": [1]})
    + event("response.completed", 2, response={**RESPONSE, "status": "completed"})
)


@pytest.fixture(scope="module")
def canned(keep_chain: StartChain, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], RunningChain]:
    """A chain of ingress and a program that answers with these bytes from now on."""
    file = tmp_path_factory.mktemp("canned") / "answer.sse"
    chain = keep_chain(pipeline=pipeline(INGRESS, program("canned", "canned.py", "{port}", str(file))))

    def answering(answer: str) -> RunningChain:
        file.write_bytes(answer.encode())
        return chain

    return answering


def test_a_silent_stream_is_kept_alive_until_its_end_and_not_beyond(kept_chain: RunningChain, provider: ScriptedUpstream) -> None:
    gate = provider.gate()
    provider.script(Answer(chunk(content="first"), Wait(gate), *says(" second").steps))
    with ask(kept_chain) as answer:
        events = answer.events()
        seen: list[dict[str, Any]] = []
        while [each["type"] for each in seen].count("keepalive") < 3:
            seen.append(next(events))
        gate.open()
        seen += list(events)
    assert all(each == {"type": "keepalive"} for each in seen if each["type"] == "keepalive")
    real = [each for each in seen if each["type"] != "keepalive"]
    assert [each["sequence_number"] for each in real] == list(range(len(real)))
    assert text_of(real) == "first second"
    assert seen[-1]["type"] == "response.completed"


@pytest.mark.parametrize(("encoding", "compress"), [("gzip", gzip.compress), ("zstd", zstandard.compress), ("identity", bytes)])
def test_compressed_bodies_are_understood(
    kept_chain: RunningChain, provider: ScriptedUpstream, encoding: str, compress: Callable[[bytes], bytes]
) -> None:
    provider.script(says("fine"))
    answer = post(kept_chain, compress(BODY), {"content-encoding": encoding})
    assert text_of(answer.events) == "fine"
    assert provider.requests[0].messages == [{"role": "user", "content": "hi"}]


def test_a_zstd_body_in_several_frames_is_understood(kept_chain: RunningChain, provider: ScriptedUpstream) -> None:
    provider.script(says("fine"))
    body = zstandard.compress(BODY[:10]) + zstandard.compress(BODY[10:])
    assert text_of(post(kept_chain, body, {"content-encoding": "zstd"}).events) == "fine"


def test_a_provider_that_ends_lines_with_crlf_is_understood(kept_chain: RunningChain, provider: ScriptedUpstream) -> None:
    frames = [f"data: {json.dumps(step)}\r\n\r\n".encode() for step in (chunk(content="fine"), finish("stop"))]
    provider.script(Answer(*frames, b"data: [DONE]\r\n\r\n"))
    assert text_of(ask_all(kept_chain)) == "fine"


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_a_hop_may_end_lines_as_it_likes_and_unknown_events_pass(canned: Callable[[str], RunningChain], newline: str) -> None:
    chain = canned(WHOLE.replace("\n", newline))
    answer = post(chain, BODY)
    assert answer.body.decode() == WHOLE
    assert answer.headers["x-codex-turn-state"] == "kept"
    assert "openai-model" not in answer.headers


@pytest.mark.parametrize(
    "cut",
    [WHOLE[: WHOLE.index("event: response.completed")], WHOLE[:-30], WHOLE[:20], "", "data: [DONE]\n\n"],
    ids=["no terminal event", "half a terminal event", "half a first event", "nothing", "the chat end mark"],
)
def test_a_stream_without_its_end_is_given_one(canned: Callable[[str], RunningChain], cut: str) -> None:
    ended = [each for each in post(canned(cut), BODY, {"originator": "codex"}).events if "response" in each]
    assert error_of(ended)["code"] == "server_error"
    assert "canned" in error_of(ended)["message"]


def test_nothing_follows_the_end_of_a_stream(canned: Callable[[str], RunningChain]) -> None:
    chain = canned(WHOLE + event("response.output_text.delta", 3, delta="late") + WHOLE)
    assert post(chain, BODY).body.decode() == WHOLE


def test_a_provider_that_is_done_but_does_not_hang_up_is_not_waited_for(
    kept_chain: RunningChain, provider: ScriptedUpstream
) -> None:
    """And no hop takes the turn for one that was cancelled."""
    provider.script(
        Answer(chunk(content="fine"), finish("stop"), Silence()), Answer(chunk(content="b"), finish("stop"), DONE, Silence())
    )
    for _ in range(2):
        answer = post(kept_chain, BODY)
        assert answer.events[-1]["type"] == "response.completed"
        used = answer.headers["x-request-id"]
        for stage in ("ingress", "policy", "router"):
            assert until(lambda: outcomes(kept_chain, stage, used), f"{stage} logs it") == ["ok"]  # noqa: B023


def outcomes(chain: RunningChain, stage: str, request_id: str) -> list[str]:
    return [line["outcome"] for line in chain.logs(stage) if line.get("request_id") == request_id]


@pytest.mark.parametrize("given", [None, "my-id-1", "bad id\twith spaces"])
def test_one_request_id_is_in_the_line_of_every_hop_and_in_the_answer(
    kept_chain: RunningChain, provider: ScriptedUpstream, given: str | None
) -> None:
    provider.script(refuses(400, {"error": {"message": "no"}}))
    answer = post(kept_chain, BODY, {"x-request-id": given})
    used = answer.headers["x-request-id"]
    assert used == given if given == "my-id-1" else re.fullmatch(r"req_[0-9a-f]{24}", used)
    assert answer.error["request_id"] == used
    for row in kept_chain.status()["stages"]:
        if row["name"] in ("chatgpt", "desk"):
            continue  # the request goes elsewhere
        until(lambda: any(line.get("request_id") == used for line in kept_chain.logs(row["name"])), f"{row['name']} logs it")  # noqa: B023
    assert used in kept_chain.cli("pipeline", "logs").stdout


def test_a_trace_is_handed_on_or_begun(canned: Callable[[str], RunningChain]) -> None:
    chain = canned(WHOLE)
    plain = json.dumps({"model": "m", "input": "hi"}).encode()
    handed_on = post(chain, plain, {"traceparent": TRACE}).json()["traceparent"]
    assert handed_on[:36] == TRACE[:36], "the trace stays"
    assert handed_on[36:52] != TRACE[36:52], "the span is the sender's own"
    begun = post(chain, plain, {"session_id": "s1", "x-forwarded-for": "me", "connection": "x-drop", "x-drop": "1"}).json()
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", begun["traceparent"])
    assert begun["session_id"] == "s1", "Codex's own headers pass"
    assert "x-drop" not in begun, "what speaks of one connection stays there"
    assert begun["authorization"] != f"Bearer {chain.token}", "the local token does not go beyond ingress"


def test_health_tells_what_the_chain_can_do(kept_chain: RunningChain) -> None:
    told = send(kept_chain, "GET", "/health").json()
    assert told.pop("running") >= 0, "what an earlier test has asked for may still be ending"
    assert told == {
        "ok": True,
        "stage": "ingress",
        "models": 1,
        "chatgpt_passthrough": False,
        "cursor_passthrough": False,
    }


# D32
def test_models_are_told_in_both_shapes_at_once(kept_chain: RunningChain) -> None:
    told = send(kept_chain, "GET", "/v1/models").json()
    assert (told["object"], [row["id"] for row in told["data"]]) == ("list", ["scripted"])
    assert {"id", "object", "created", "owned_by"} <= told["data"][0].keys()
    written = json.loads((kept_chain.home / "custom_model_catalog.json").read_bytes())["models"]
    assert told["models"] == written
    assert told["models"][0].keys() >= REQUIRED


# What Codex 0.169.0 refuses to read a catalog without.
REQUIRED = {
    "slug",
    "display_name",
    "supported_reasoning_levels",
    "shell_type",
    "visibility",
    "supported_in_api",
    "priority",
    "base_instructions",
    "truncation_policy",
    "support_verbosity",
    "experimental_supported_tools",
}


def test_a_slug_that_codex_asks_for_by_itself_goes_to_the_first_model(kept_chain: RunningChain, provider: ScriptedUpstream) -> None:
    provider.script(says("reviewed"))
    assert text_of(ask_all(kept_chain, model="codex-auto-review")) == "reviewed"
    assert provider.requests[0].body["model"] == "scripted"
