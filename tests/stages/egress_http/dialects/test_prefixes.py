"""Providers charge a fraction for a beginning they have seen, to the byte. In a session of 20 turns, with commands, patches, an MCP
tool, pictures and later instructions, each request begins with all of the one before, whatever the dialect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import prefixes
import pytest
from codex_session import CodexSession
from codex_shim.stages.contract.events import Event, ResponseBuilder
from codex_shim.stages.egress_http.config import Quirks
from codex_shim.stages.egress_http.dialects import DIALECTS, Target
from prefixes import Sent
from said import Said
from speakers import LANGUAGES

TARGETS = {
    "chat": Target(model="deepseek-v4", provider="p", quirks=Quirks(reasoning_back="always", reasoning_lost=" ")),
    "messages": Target(model="claude-opus-4-6", provider="p"),
    "responses": Target(model="gpt-6", host="llm.example.com"),
    "responses-all-tools": Target(model="gpt-6", host="api.openai.com"),
    "gemini": Target(model="gemini-3-flash", host="llm.example.com"),
}


def sent(name: str, body: dict[str, Any]) -> bytes:
    dialect = DIALECTS[name.removesuffix("-all-tools")]
    payload = dialect.prepare(body, TARGETS[name], ResponseBuilder("slug", 1), raw=msgspec.json.encode(body)).payload
    return payload if isinstance(payload, bytes) else msgspec.json.encode(payload)


@pytest.mark.parametrize("name", list(TARGETS))
def test_what_was_sent_once_is_sent_again_byte_for_byte(run: Callable[..., list[Event]], name: str) -> None:
    session, language = CodexSession(name), LANGUAGES[name]
    before: Sent | None = None
    log: list[list[Said]] = []
    for body, said in session.requests():
        raw = sent(name, body)
        now = prefixes.read(raw)
        assert before is None or prefixes.difference(before, now) is None
        assert language.said_in(msgspec.json.decode(raw)) == [each for one in log for each in language.own(one)]
        events = run(body, [language.answer(said, 10).body], TARGETS[name], name.removesuffix("-all-tools"))
        session.answered(events[-1]["response"]["output"])
        before = now
        log.append(said)
    assert len(log) == 40
