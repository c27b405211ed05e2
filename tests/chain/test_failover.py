"""A pool of keys of one provider, through a real chain: each has a worker of its own, and a turn survives that one is limited."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import marked
from chat_answers import Answer, refuses, says
from png import DATA_URL as PICTURE
from responses_client import ask_all, error_of, text_of
from running_chain import StartChain
from scripted_upstream import ScriptedUpstream
from upstream_connection import Received
from waiting import until

PIPELINE = """
[[stage]]
name = "ingress"
use = "ingress"

[[stage]]
name = "router"
use = "router"
aliases = { "claude-*" = "pool" }

[stage.virtual.pool]
members = ["first", "second"]
"""


def test_a_turn_survives_a_key_that_is_limited(start_chain: StartChain, upstream: ScriptedUpstream) -> None:
    keys = {slug: marked.key(slug) for slug in ("first", "second")}
    limited = {"first"}

    def answer(request: Received) -> Answer:
        slug = next(slug for slug, key in keys.items() if key in request.headers["authorization"])
        if slug in limited:
            return refuses(429, {"error": {"message": f"{slug} must wait"}}, {"Retry-After": "30"})
        return says(slug)

    upstream.script(answer)
    rows = [upstream.model(slug=slug, api_key=key) for slug, key in keys.items()]
    chain = start_chain(models=rows, pipeline=PIPELINE)
    assert len([name for name in chain.pids if name.startswith("127-0-0-1")]) == 2

    assert text_of(ask_all(chain, model="claude-opus-5", headers={"session-id": "s"})) == "second"
    assert text_of(ask_all(chain, model="pool", headers={"session-id": "s"})) == "second"
    assert len(upstream.requests) == 3  # who has asked for a pause gets it

    limited.add("second")
    error = error_of(ask_all(chain, model="pool"))
    assert error["code"] == "rate_limit_exceeded"
    assert "`first`, is not asked for the moment, is rate limited (HTTP 429); `second` says: " in error["message"]
    assert "second must wait" in error["message"]
    assert "try again in" in error["message"]

    lines: list[dict[str, Any]] = []

    def logged() -> bool:
        lines[:] = [line for line in chain.logs("router") if line.get("model") == "pool"]
        return len(lines) == 3

    until(logged, "the router has written its lines")
    assert [(line["member"], line.get("tried")) for line in lines[:2]] == [("second", ["first: rate limit"]), ("second", None)]
    assert lines[0]["retries"] == {"first: rate limit": 1}

    asked = urllib.request.Request(f"{chain.url}/models", headers={"authorization": f"Bearer {chain.token}"})
    with urllib.request.urlopen(asked) as reply:
        told = json.load(reply)
    assert [row["id"] for row in told["data"]] == [entry["slug"] for entry in told["models"]] == ["first", "second", "pool"]


CHOICES = """
[[stage]]
name = "ingress"
use = "ingress"

[[stage]]
name = "router"
use = "router"
default = "dear"
aliases = { nick = "dear" }
fallbacks = { "blind" = ["cheap"] }

[stage.virtual.shared]
members = ["cheap", "dear"]
choose = "weighted"

[stage.virtual.thrifty]
members = ["dear", "cheap"]
choose = "cheapest"

[stage.virtual.swift]
members = ["dear", "cheap"]
choose = "least-latency"
"""


def test_each_way_to_choose_at_work(start_chain: StartChain, upstream: ScriptedUpstream) -> None:
    rows = [
        upstream.model(slug="dear", model="dear", price={"input": 10, "output": 30}),
        upstream.model(slug="cheap", model="cheap", price={"input": 1, "output": 3}),
        upstream.model(slug="blind", model="blind", no_image_support=True),
    ]
    chain = start_chain(models=rows, pipeline=CHOICES)
    down: set[str] = set()
    gone = refuses(503, {"error": {"message": "gone fishing"}})
    upstream.script(lambda request: gone if request.body["model"] in down else says(request.body["model"]))

    def served(model: str, session: str = "s", **more: Any) -> str:
        return text_of(ask_all(chain, model=model, headers={"session-id": session}, **more))

    assert [served("nick"), served("thrifty"), served("codex-auto-review")] == ["dear", "cheap", "dear"]
    lots = {session: served("shared", session) for session in map(str, range(12))}
    assert set(lots.values()) == {"dear", "cheap"}
    assert {session: served("shared", session) for session in lots} == lots, "a session stays"
    assert served("swift", "a") in lots.values()

    picture = {"type": "message", "role": "user", "content": [{"type": "input_image", "image_url": PICTURE}]}
    assert (served("blind"), served("blind", input=[picture])) == ("blind", "cheap"), "who sees is asked about a picture"

    down.add("cheap")
    assert {served("shared", session) for session in lots} == {"dear"}
    down |= {"dear", "blind"}
    error = error_of(ask_all(chain, model="blind"))
    assert "gone fishing" in error["message"]
    assert "cheap" in error["message"], "each that was tried is named"
