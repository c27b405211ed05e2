"""20 turns through the real chain: each upstream request begins with the one before, byte for byte, in every dialect."""

from __future__ import annotations

import itertools
from typing import Any

import prefixes
import pytest
import speakers
from chat_answers import Answer
from codex_session import CodexSession
from responses_client import ask_all
from running_chain import RunningChain, StartChain
from scripted_upstream import ScriptedUpstream


@pytest.fixture(scope="module")
def chain(keep_chain: StartChain, kept_provider: ScriptedUpstream) -> RunningChain:
    return keep_chain(speakers.rows(kept_provider))


@pytest.mark.parametrize("model", list(speakers.LANGUAGES))
def test_no_hop_changes_what_was_sent_before(chain: RunningChain, provider: ScriptedUpstream, model: str) -> None:
    session, language = CodexSession(model), speakers.LANGUAGES[model]
    answers: list[Answer] = []
    provider.script(lambda _: answers.pop())
    log: list[Any] = []
    for body, said in session.requests():
        answers.append(language.answer(said, 10))
        events = ask_all(chain, **body)
        assert language.said_in(provider.requests[-1].body) == log
        session.answered(events[-1]["response"]["output"])
        log += language.own(said)
    requests = [prefixes.read(request.raw) for request in provider.requests]
    assert len(requests) == 40
    differences = [prefixes.difference(before, after) for before, after in itertools.pairwise(requests)]
    assert not any(differences), differences
