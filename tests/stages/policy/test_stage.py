"""The policy stage as a server: its rules are in whatever goes to a model."""

from __future__ import annotations

import asyncio

import pytest
from codex_shim.stages.kit.client import HopClient
from codex_shim.stages.policy.config import AnyRule, Config, Inject, When
from codex_shim.stages.policy.stage import Policy
from raw_upstream import plain, serving, upstream

ASKED = b'{"model":"m",  "input":[ {"role":"user","content":"hi"} ],"n":1.0}'
INJECTED = b'{"type":"message","role":"developer","content":[{"type":"input_text","text":"Be kind."}]}'


def sent_on(path: str, rules: list[AnyRule]) -> bytes:
    """The body that the next hop gets."""

    async def talk() -> bytes:
        client = HopClient()
        try:
            async with upstream(plain("200 OK", "application/json", b"{}")) as raw:
                async with (
                    serving(Policy, Config(rules=rules), raw.url.removesuffix("/v1")) as url,
                    client.open("POST", url + path, {"content-type": "application/json"}, ASKED) as reply,
                ):
                    assert await reply.read() == b"{}"
                return raw.requests[0].partition(b"\r\n\r\n")[2]
        finally:
            await client.close()

    return asyncio.run(talk())


@pytest.mark.parametrize("path", ["/responses", "/responses/compact"])
def test_rules_apply_to_a_turn_and_to_its_summary(path: str) -> None:
    rule = Inject(text="Be kind.", when=When(models=["m"]))
    assert sent_on(path, [rule]) == b'{"model":"m","input":[' + INJECTED + b',{"role":"user","content":"hi"}],"n":1.0}'


@pytest.mark.parametrize("path", ["/responses", "/responses/compact"])
def test_without_rules_a_body_passes_in_its_very_bytes(path: str) -> None:
    assert sent_on(path, []) == ASKED
