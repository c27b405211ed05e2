"""The policy stage as a server: its rules are in whatever goes to a model."""

from __future__ import annotations

import asyncio

import pytest
from codex_shim.stages.contract.check.stream import StreamCheck
from codex_shim.stages.kit.client import HopClient
from codex_shim.stages.policy.config import AnyRule, Config, Inject, Repair, When
from codex_shim.stages.policy.stage import Policy
from native_answers import native_frames
from raw_upstream import SSE, plain, serving, upstream

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


def test_a_call_in_a_text_is_a_call_behind_the_stage(capfd: pytest.CaptureFixture[str]) -> None:
    text = 'I look.\n<invoke name="ls"></invoke>'
    asked = b'{"model":"m","stream":true,"input":"hi","tools":[{"type":"function","name":"ls"}]}'

    async def talk() -> bytes:
        client = HopClient()
        try:
            async with (
                upstream(SSE + b"".join(native_frames(text=text))) as raw,
                serving(Policy, Config(rules=[Repair()]), raw.url.removesuffix("/v1")) as url,
                client.open("POST", url + "/responses", {"content-type": "application/json"}, asked) as reply,
            ):
                return await reply.read()
        finally:
            await client.close()

    stream = asyncio.run(talk())
    check = StreamCheck()
    assert check.feed(stream) + check.finish(broken=False) == []
    assert stream.count(b'"type":"function_call","id":"fc_') == 3, "added, done, and in the completed response"
    assert b'"text":"I look.\\n"' in stream
    assert b"invoke" not in stream
    assert '"rules":["repair 1 calls"]' in "".join(capfd.readouterr())
