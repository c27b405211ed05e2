"""Asking a service of the user's, in both its halves: what is asked and obeyed, and over a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from codex_shim.stages.contract.errors import HopError
from codex_shim.stages.kit.client import HopClient
from codex_shim.stages.policy import asking
from codex_shim.stages.policy.asking import ReplyError
from codex_shim.stages.policy.config import Ask, Config
from codex_shim.stages.policy.stage import Policy
from policy_requests import request
from raw_upstream import plain, serving, upstream

ASKED = {"model": "m", "input": "<cwd>/work</cwd>"}


def obeyed(answer: Any) -> tuple[Any, str | None]:
    asked = request(ASKED)
    note = asking.obey(asking.read(200, msgspec.json.encode(answer)), asked)
    return msgspec.json.decode(asked.document.encode()), note


def test_it_is_told_the_model_and_the_whole_request() -> None:
    assert msgspec.json.decode(asking.question(request(ASKED))) == {"model": "m", "project": "", "request": ASKED}


def test_what_it_says_is_done() -> None:
    assert obeyed({"allow": True}) == (ASKED, None)
    assert obeyed({"route": "small"}) == ({**ASKED, "model": "small"}, "ask: route small")
    assert obeyed({"request": {"model": "x"}, "why": "because"}) == ({"model": "x"}, "ask: the request was changed")
    with pytest.raises(HopError, match=r"Not today\.") as raised:
        obeyed({"deny": "Not today.", "allow": True})
    assert raised.value.failure.status == 403


@pytest.mark.parametrize(
    ("status", "body", "how"),
    [
        (500, b"{}", "answered with status 500"),
        (200, b"yes", "did not answer with one of allow, deny, request, route"),
        (200, b'{"allow": 1}', "did not answer with one of"),
        (200, b"{}", "answered with none of allow, deny, request, route"),
        (200, b'{"allow": false}', "answered with none of"),
    ],
)
def test_an_answer_that_is_none_is_told_as_such(status: int, body: bytes, how: str) -> None:
    with pytest.raises(ReplyError, match=how):
        asking.read(status, body)


def through_a_policy(said: bytes, ask: Callable[[str], Ask]) -> tuple[int, bytes, bytes]:
    """Status and body of the answer, and what the next hop was sent."""

    async def talk() -> tuple[int, bytes, bytes]:
        client = HopClient()
        try:
            async with upstream(said) as service, upstream(plain("200 OK", "application/json", b"{}")) as hop:
                config = Config(rules=[ask(service.url)])
                async with (
                    serving(Policy, config, hop.url.removesuffix("/v1")) as url,
                    client.open("POST", url + "/responses", {}, msgspec.json.encode(ASKED)) as reply,
                ):
                    body = await reply.read()
                return reply.status, body, hop.requests[0].partition(b"\r\n\r\n")[2] if hop.requests else b""
        finally:
            await client.close()

    return asyncio.run(talk())


def test_a_real_service_is_asked_and_obeyed() -> None:
    answer = plain("200 OK", "application/json", b'{"route": "small"}')
    status, _, sent = through_a_policy(answer, lambda url: Ask(url=url))
    assert (status, msgspec.json.decode(sent)["model"]) == (200, "small")


def test_a_service_that_fails_denies_unless_it_is_told_to_allow() -> None:
    broken = plain("500 Internal Server Error", "text/plain", b"oops")
    status, body, sent = through_a_policy(broken, lambda url: Ask(url=url))
    assert (status, sent) == (503, b"")
    assert b"answered with status 500" in body
    assert b"on_error" in body
    status, _, sent = through_a_policy(broken, lambda url: Ask(url=url, on_error="allow"))
    assert (status, msgspec.json.decode(sent)) == (200, ASKED)


def test_a_service_that_is_not_there_or_silent_is_told_of() -> None:
    status, body, _ = through_a_policy(b"", lambda url: Ask(url=url, seconds=0.05))
    assert status == 503
    assert b"the policy asks http://" in body
