"""A client that leaves: its provider knows at once. `codex-shim stage check` holds each hop to 200 ms; this is all of them."""

from __future__ import annotations

import socket
import statistics
import time
from urllib.parse import urlsplit

import pytest
from chat_answers import Answer, Silence, Wait, chunk
from pipelines import INGRESS, POLICY, ROUTER, pipeline, relay
from responses_client import ask, default_model
from running_chain import RunningChain, StartChain
from scripted_upstream import ScriptedUpstream
from waiting import PATIENCE, until

# For a loaded machine; well below the 10 s after which ingress writes into a silent stream, and would notice by that.
LIMIT_SECONDS = 8.0
ROUNDS = 5


@pytest.fixture(scope="module")
def chain(keep_chain: StartChain, kept_provider: ScriptedUpstream) -> RunningChain:
    return keep_chain([kept_provider.model()])


def leave(chain: RunningChain, *, read_first: bool, provider: ScriptedUpstream) -> float:
    """When the client closed its socket."""
    address = urlsplit(chain.url)
    body = f'{{"model": "{default_model(chain)}", "stream": true, "input": "hi"}}'
    head = f"POST /v1/responses HTTP/1.1\r\nHost: {address.netloc}\r\nAuthorization: Bearer {chain.token}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=PATIENCE) as client:
        client.sendall((head + body).encode())
        provider.wait_for_request()
        while read_first and b"first" not in client.recv(65536):
            pass
        return time.monotonic()


@pytest.mark.parametrize("read_first", [True, False], ids=["in mid-stream", "before the first byte"])
def test_a_client_that_leaves_is_known_upstream_at_once(chain: RunningChain, provider: ScriptedUpstream, read_first: bool) -> None:
    measured = []
    for _ in range(ROUNDS):
        before = () if read_first else (Wait(provider.gate()),)
        provider.script(Answer(chunk(content="first"), Silence(), before_head=before))
        left = leave(chain, read_first=read_first, provider=provider)
        measured.append((provider.requests[0].wait_until_left() - left) * 1000)
    print(f"cancelled in ms, median {statistics.median(measured):.1f}, longest {max(measured):.1f}")
    assert max(measured) < LIMIT_SECONDS * 1000
    until(lambda: chain.logs("ingress")[-1].get("outcome") == "cancelled", "the log tells that the client left")


def test_a_client_that_leaves_while_tokens_pour_is_known_upstream_at_once(chain: RunningChain, provider: ScriptedUpstream) -> None:
    provider.script(Answer(*[chunk(content="first " * 2000)] * 5000))
    left = leave(chain, read_first=True, provider=provider)
    assert provider.requests[0].wait_until_left() - left < LIMIT_SECONDS


def test_a_client_that_reads_nothing_holds_its_provider_back_and_nobody_else(
    chain: RunningChain, provider: ScriptedUpstream
) -> None:
    provider.script(Answer(*[chunk(content="x" * 60_000)] * 1000), Answer(chunk(content="quick"), Silence()))
    with ask(chain) as slow:
        provider.wait_for_request()
        with ask(chain) as quick:
            types = [next(event)["type"] for event in [quick.events()] for _ in range(5)]
            assert types[-1] == "response.output_text.delta"
        assert provider.requests[0].answered_at is None, "60 MB do not fit between them"
        slow.close()
    provider.requests[0].wait_until_left()


def test_a_cancellation_crosses_custom_stages(start_chain: StartChain, provider: ScriptedUpstream) -> None:
    chain = start_chain([provider.model()], pipeline(INGRESS, POLICY, relay("program"), ROUTER))
    provider.script(Answer(*[chunk(content="first " * 2000)] * 5000))
    left = leave(chain, read_first=True, provider=provider)
    assert provider.requests[0].wait_until_left() - left < LIMIT_SECONDS
