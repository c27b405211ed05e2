"""Checks of what goes upstream: the request as the next hop gets it."""

from __future__ import annotations

import json

from ..exchange import Exchange
from . import judge, samples
from .bench import Bench
from .hop import Received
from .verdict import Check, expect, expect_none


async def unknown_fields(bench: Bench) -> None:
    strange = {"field_of_next_year": {"on": True, "list": [1, None, "ü\u2028"]}, "metadata": {}, "empty": None}
    sent = bench.request(**strange)
    got = (await bench.through(sent)).json()
    expect_none(judge.lost_fields(json.loads(sent), got))


async def unknown_items(bench: Bench) -> None:
    items = [samples.message("user", "one"), samples.NEW_ITEM, samples.message("user", "two")]
    sent = json.loads(bench.request(input=items))
    got = (await bench.through(json.dumps(sent).encode())).json()
    expect_none(judge.lost_items(items, got.get("input") or [], "input item"))
    expect_none(judge.lost_items(sent["tools"], got.get("tools") or [], "tool"))


async def key_order(bench: Bench) -> None:
    sent = bench.request(zebra={"z": 1, "m": {"b": 1, "a": 2}, "a": 3}, apple=1)
    got = (await bench.through(sent)).json()
    expect_none(judge.key_order(json.loads(sent), got))


async def numbers(bench: Bench) -> None:
    sent = bench.request(exact=[samples.LARGE_INTEGER, -samples.LARGE_INTEGER, 0.1, 1e-7])
    got = (await bench.through(sent)).json()
    expect_none(judge.lost_fields({"exact": json.loads(sent)["exact"]}, got))


async def headers(bench: Bench) -> None:
    received = await bench.through(bench.request(), samples.CODEX_HEADERS)
    expect_none(judge.lost_headers(samples.CODEX_HEADERS, received.headers))


async def hop_by_hop(bench: Bench) -> None:
    received = await bench.through(bench.request(), samples.HOP_BY_HOP_HEADERS)
    kept = [name for name in samples.HOP_BY_HOP_HEADERS if name != "connection" and name in received.headers]
    expect(not kept, f"expected headers that speak of one connection to end at the stage; the next hop got {', '.join(kept)}")


async def long_header(bench: Bench) -> None:
    sent = {"x-codex-turn-metadata": samples.LONG_HEADER}
    received = await bench.through(bench.request(), sent)
    expect_none(judge.lost_headers(sent, received.headers))


async def authorization(bench: Bench) -> None:
    received = await bench.through(bench.request())
    seen, expected = received.headers.get("authorization"), f"Bearer {bench.subject.hop_token}"
    described = "another one" if seen else "none"
    expect(seen == expected, f"expected `authorization: Bearer` with the hop token at the next hop; saw {described}")


async def large_body(bench: Bench) -> None:
    sent = bench.request("x" * (8 * samples.MIB))
    received = await bench.through(sent)
    texts = [part.get("text") for item in received.json()["input"] for part in item.get("content", [])]
    longest = max(map(len, filter(None, texts)), default=0)
    expect(longest == 8 * samples.MIB, f"expected a text of 8 MiB at the next hop; the longest there had {longest} characters")


async def compaction(bench: Bench) -> None:
    bench.hop.part = _compacted
    async with bench.ask(bench.request(stream=False), path="/v1/responses/compact") as answer:
        body = await answer.body()
    seen = [received.path for received in bench.hop.received]
    expect(seen == ["/v1/responses/compact"], f"expected POST /v1/responses/compact at the next hop; it got {seen or 'nothing'}")
    expect(answer.status == 200 and b"cmp_1" in body, f"expected the next hop's JSON; saw status {answer.status}: {body[:200]!r}")


async def _compacted(exchange: Exchange, received: Received) -> None:
    await exchange.reply({"object": "response.compaction", "output": [{"type": "compaction", "id": "cmp_1"}]})


CHECKS = (
    Check("unknown-fields", "request fields that nobody knows arrive unchanged", unknown_fields),
    Check("unknown-items", "input items that nobody knows arrive unchanged and in their place", unknown_items),
    Check("key-order", "the order of object keys is kept; providers' prompt caches depend on it", key_order),
    Check("numbers", "numbers arrive exactly, also beyond what JavaScript can count to", numbers),
    Check("headers", "Codex's own headers, x-request-id and traceparent pass", headers),
    Check("hop-by-hop", "headers that speak of one connection are dropped", hop_by_hop),
    Check("long-header", "a header of 32 KiB passes: Codex's turn metadata can be that long", long_header),
    Check("authorization", "the next hop gets the hop token", authorization, frozenset({"next", "token"})),
    Check("large-body", "a request of 8 MiB passes", large_body),
    Check("compaction", "POST /v1/responses/compact passes", compaction),
)
