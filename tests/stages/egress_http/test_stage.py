"""The egress as a server: one request is one exchange with the upstream, and each odd answer of it has an end that can be read."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest
from codex_shim.stages.contract.sse import SSEDecoder
from codex_shim.stages.kit.client import HopClient
from raw_upstream import SSE, RawUpstream, egress, plain, upstream
from waiting import PATIENCE

WORDS = b'data: {"choices":[{"delta":{"content":"Hi"}}]}\n\n'
STOP = b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n'
WHOLE = {"object": "chat.completion", "choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]}


class Got:
    """What a client of the egress has received."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes, seen: RawUpstream) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self.upstream = seen

    @property
    def events(self) -> list[dict[str, Any]]:
        return [msgspec.json.decode(frame.data) for frame in SSEDecoder().feed(self.body)]

    @property
    def error(self) -> dict[str, Any]:
        return json.loads(self.body)["error"]


def ask(*answers: bytes, path: str = "/responses", body: dict[str, Any] | None = None, **config: Any) -> Got:
    """One request to an egress whose upstream answers so."""
    asked = {"model": "slug", "stream": True, "input": [{"type": "message", "role": "user", "content": "hi"}], **(body or {})}

    async def talk() -> Got:
        client = HopClient()
        try:
            async with upstream(*answers) as raw, egress(raw.url, **config) as url:
                headers = {"content-type": "application/json"}
                async with client.open("POST", url + path, headers, json.dumps(asked).encode()) as reply:
                    return Got(
                        reply.status, {name.lower(): value for name, value in reply.headers.items()}, await reply.read(), raw
                    )
        finally:
            await client.close()

    return asyncio.run(talk())


def test_one_request_is_one_exchange() -> None:
    got = ask(SSE + WORDS + STOP + b"data: [DONE]\n\n", api_key="sk-own")
    assert got.events[-1]["response"]["output"][0]["content"][0]["text"] == "Hi"
    assert got.headers["content-type"] == "text/event-stream"
    assert got.headers["x-upstream-request-id"] == "theirs"
    (request,) = got.upstream.requests
    assert request.startswith(b"POST /v1/chat/completions HTTP/1.1\r\n")
    assert b"authorization: Bearer sk-own\r\n" in request
    assert b'"model":"theirs"' in request


def test_a_client_that_does_not_stream_gets_the_object() -> None:
    got = ask(SSE + WORDS + STOP, body={"stream": False})
    assert (got.status, got.headers["content-type"]) == (200, "application/json")
    assert json.loads(got.body)["status"] == "completed"
    assert b'"stream":true' in got.upstream.requests[0]


def test_json_in_place_of_a_stream_is_an_answer() -> None:
    """Some gateways do not stream."""
    got = ask(plain("200 OK", "application/json", json.dumps(WHOLE).encode()))
    assert got.events[-1]["type"] == "response.completed"
    assert got.events[-1]["response"]["output"][0]["content"][0]["text"] == "Hi"


@pytest.mark.parametrize("content_type", ["text/plain", "text/event-stream", "application/octet-stream"])
@pytest.mark.parametrize("dialect", ["chat", "messages", "responses", "gemini"])
def test_an_error_in_a_success_of_any_type_is_told_in_the_providers_words(content_type: str, dialect: str) -> None:
    body = json.dumps({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded, sorry."}}).encode()
    got = ask(plain("200 OK", content_type, body), dialect=dialect)
    assert got.events[-1]["response"]["error"] == {"code": "server_error", "message": "127.0.0.1: Overloaded, sorry."}


def test_words_that_are_no_answer_are_quoted() -> None:
    got = ask(plain("200 OK", "text/plain", b"no healthy upstream"))
    assert got.events[-1]["response"]["error"]["message"].endswith("not part of an answer: no healthy upstream")


def test_a_stream_under_a_wrong_name_is_read() -> None:
    assert ask(plain("200 OK", "application/json", WORDS + STOP)).events[-1]["type"] == "response.completed"


def test_a_web_page_is_told_as_what_it_is() -> None:
    got = ask(plain("200 OK", "text/html", b"<html>Log in</html>"))
    assert got.status == 502
    assert "a web page instead of a model's answer; check `base_url`" in got.error["message"]
    assert "Log in" not in got.error["message"]


@pytest.mark.parametrize("status", ["301 Moved Permanently", "307 Temporary Redirect"])
def test_a_redirect_is_not_followed_and_its_place_is_named(status: str) -> None:
    got = ask(plain(status, "text/html", b"", "Location: https://elsewhere.test/v1?key=secret"))
    assert got.status == 502
    assert "sends on to https://elsewhere.test/v1 " in got.error["message"]
    assert "secret" not in got.error["message"]
    assert len(got.upstream.requests) == 1


def test_a_refusal_keeps_its_status_its_sentence_and_its_headers() -> None:
    """D29, D30."""
    body = json.dumps({"error": {"message": "Too many."}}).encode()
    got = ask(plain("429 Too Many Requests", "application/json", body, "Retry-After: 7", "X-RateLimit-Remaining-Tokens: 0"))
    assert (got.status, got.headers["retry-after"], got.headers["x-ratelimit-remaining-tokens"]) == (429, "7", "0")
    assert got.error["message"] == "127.0.0.1: Too many. (HTTP 429)"


def unsupported(name: str) -> bytes:
    error = {"message": f"Unsupported parameter: '{name}' is not supported with this model.", "param": name}
    return plain("400 Bad Request", "application/json", json.dumps({"error": error}).encode())


SETTINGS = {"temperature": 0.5, "top_p": 0.9, "reasoning": {"effort": "high"}}
GOOD = SSE + WORDS + STOP


@pytest.mark.parametrize("dialect", ["chat", "responses"])
def test_a_setting_that_is_refused_by_name_is_left_out_and_the_answer_comes(dialect: str) -> None:
    native = b'data: {"type":"response.completed","response":{"id":"r","output":[],"usage":null}}\n\n'
    good = SSE + native if dialect == "responses" else GOOD
    got = ask(unsupported("temperature"), unsupported("top_p"), good, body=SETTINGS, dialect=dialect)
    assert got.events[-1]["type"] == "response.completed"
    assert [event["sequence_number"] for event in got.events] == list(range(len(got.events)))
    first, second, third = (json.loads(request.partition(b"\r\n\r\n")[2]) for request in got.upstream.requests)
    assert second == {name: value for name, value in first.items() if name != "temperature"}
    assert third == {name: value for name, value in second.items() if name != "top_p"}


def test_a_refusal_that_stays_is_told_and_not_asked_about_for_ever() -> None:
    got = ask(unsupported("temperature"), unsupported("temperature"), body=SETTINGS)
    assert (got.status, len(got.upstream.requests)) == (400, 2)
    assert "'temperature' is not supported" in got.error["message"]


def test_an_empty_body_is_no_answer() -> None:
    assert ask(plain("200 OK", "text/event-stream", b"")).events[-1]["response"]["error"]["code"] == "server_error"


def test_a_model_that_is_not_served_is_named() -> None:
    got = ask(body={"model": "other"})
    assert (got.status, got.error["code"]) == (404, "model_not_found")
    assert got.upstream.requests == []


def test_a_compaction_is_one_exchange_or_two() -> None:
    trigger = {"input": [{"type": "message", "role": "user", "content": "hi"}, {"type": "compaction_trigger"}]}
    got = ask(SSE + WORDS + STOP, body=trigger)
    assert [item["type"] for item in got.events[-1]["response"]["output"]] == ["compaction"]
    assert len(got.upstream.requests) == 1
    again = ask(SSE + STOP, SSE + WORDS + STOP, path="/responses/compact")
    assert json.loads(again.body)["object"] == "response.compaction"
    assert len(again.upstream.requests) == 2


def leaving(read: Callable[[Any], Awaitable[None]]) -> bool:
    """Whether the upstream sees that a client left after `read`."""

    async def talk() -> bool:
        client = HopClient()
        async with upstream(SSE + WORDS, silent=True) as raw, egress(raw.url) as url:
            async with client.open("POST", url + "/responses", {}, b'{"model":"slug","stream":true,"input":"hi"}') as reply:
                await read(reply)
            await client.close()
            await asyncio.wait_for(raw.left.wait(), PATIENCE)
            return raw.left.is_set()

    return asyncio.run(talk())


def test_a_client_that_leaves_ends_the_exchange() -> None:
    """D37."""

    async def first_chunk(reply: Any) -> None:
        await anext(reply.chunks())

    assert leaving(first_chunk)
