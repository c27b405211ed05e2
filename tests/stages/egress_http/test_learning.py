"""What a model does not take is asked for once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from codex_shim.stages.contract.errors import HopError, refuse
from codex_shim.stages.contract.events import ResponseBuilder
from codex_shim.stages.egress_http.dialects import DIALECTS, Target
from codex_shim.stages.egress_http.dialects.base import Output, Prepared
from codex_shim.stages.egress_http.learning import LESSONS, Learning

BODY = {"input": "hi", "temperature": 0.5, "top_p": 0.9, "reasoning": {"effort": "high"}, "max_output_tokens": 5}


def prepared() -> Prepared:
    return DIALECTS["chat"].prepare(BODY, Target(model="m"), ResponseBuilder("slug", 1))


def asked(learning: Learning, *refused: str, model: str = "slug") -> tuple[list[dict[str, Any]], list[str]]:
    """What was sent, one after the other, to a provider that refuses these settings, and what was noted at last."""
    payloads: list[dict[str, Any]] = []
    noted: list[str] = []

    async def send(prepared: Prepared) -> AsyncIterator[Sequence[Output]]:
        assert isinstance(prepared.payload, dict)
        payloads.append(prepared.payload)
        for name in refused:
            if name in prepared.payload:
                raise refuse(f"Unsupported parameter: '{name}'")
        yield []
        yield []

    async def talk() -> None:
        request = learning.taught(model, prepared())
        noted[:] = request.notes
        lists = [each async for each in learning.ask(model, request, send, lambda notes: noted.__setitem__(slice(None), notes))]
        assert len(lists) == 2

    asyncio.run(talk())
    return payloads, noted


def test_what_was_learned_holds_for_the_model_and_for_no_other() -> None:
    learning = Learning()
    payloads, noted = asked(learning, "temperature", "reasoning_effort")
    assert len(payloads) == 3
    assert [note.split("`")[1] for note in noted] == ["temperature", "reasoning_effort"]
    again, noted = asked(learning, "temperature", "reasoning_effort")
    assert again == payloads[-1:]
    assert len(noted) == 2
    (other,), noted = asked(learning, model="other")
    assert ("temperature" in other, noted) == (True, [])


def test_a_lesson_counts_only_where_the_request_was_taken_without_the_setting() -> None:
    learning = Learning()
    with pytest.raises(HopError, match="'messages'"):
        asked(learning, "temperature", "messages")
    (payload,), _ = asked(learning)
    assert "temperature" in payload


def test_there_is_an_end_to_it() -> None:
    names = ["temperature", "top_p", "reasoning_effort", "stream_options"]
    assert len(names) > LESSONS
    with pytest.raises(HopError, match="stream_options"):
        asked(Learning(), *names)
