"""Every stream ends once and well, whatever came from behind."""

from __future__ import annotations

import itertools
from typing import Any

import msgspec
import pytest
from codex_shim.stages.contract.errors import Failure
from codex_shim.stages.contract.events import TERMINAL, ResponseBuilder
from codex_shim.stages.contract.sse import SSEDecoder, encode_events
from codex_shim.stages.ingress.codex import for_codex
from codex_shim.stages.ingress.ending import StreamEnding
from hypothesis import given
from hypothesis import strategies as st

GONE = Failure(code="server_error", message="policy broke off")


def whole_stream() -> bytes:
    numbers = itertools.count()
    build = ResponseBuilder("m", 1, lambda prefix: f"{prefix}_{next(numbers)}")
    begin = build.start()
    text = [*build.text('the words "response.completed" and [DONE]'), *build.text(" as text")]
    return encode_events([*begin, *text, *build.complete()])


STREAM = whole_stream()


def ending(render=lambda failure: failure) -> StreamEnding:
    return StreamEnding("m", render)


def events(stream: bytes) -> list[dict[str, Any]]:
    decoder = SSEDecoder()
    return [msgspec.json.decode(frame.data) for frame in [*decoder.feed(stream), *decoder.finish()]]


def run(stream: bytes, cuts: list[int], guard: StreamEnding) -> bytes:
    places = sorted({min(cut, len(stream)) for cut in cuts} | {0, len(stream)})
    passed = b"".join(guard.feed(stream[begin:end]) for begin, end in itertools.pairwise(places))
    return passed + guard.fail(GONE)


@given(cuts=st.lists(st.integers(0, len(STREAM))))
def test_a_good_stream_passes_byte_for_byte_however_it_is_cut(cuts: list[int]) -> None:
    guard = ending()
    assert run(STREAM, cuts, guard) == STREAM
    assert guard.outcome == "response.completed"


@given(length=st.integers(0, len(STREAM) - 1), cuts=st.lists(st.integers(0, len(STREAM))))
def test_a_stream_that_breaks_off_gets_exactly_one_end(length: int, cuts: list[int]) -> None:
    out = events(run(STREAM[:length], cuts, ending()))
    assert [event["type"] in TERMINAL for event in out] == [False] * (len(out) - 1) + [True]
    assert [event["sequence_number"] for event in out] == list(range(len(out)))
    assert out[-1]["response"]["error"] == {"code": "server_error", "message": "policy broke off"}
    if len(out) > 1:
        assert out[-1]["response"]["id"] == out[0]["response"]["id"]


@given(cuts=st.lists(st.integers(0, len(STREAM) * 2)))
def test_foreign_newlines_are_made_ours(cuts: list[int]) -> None:
    assert run(STREAM.replace(b"\n", b"\r\n"), cuts, ending()) == STREAM


def test_nothing_follows_the_terminal_event() -> None:
    guard = ending()
    assert guard.feed(STREAM + b'data: {"type":"response.output_text.delta"}\n\ndata: [DONE]\n\n') == STREAM
    assert guard.ended
    assert guard.feed(b"data: more\n\n") == b""
    assert guard.fail(GONE) == b""


@pytest.mark.parametrize(
    "data",
    [
        b'{"type":"error","code":"rate_limit_exceeded","message":"slow"}',
        b'{"type": "error", "error": {"code": "rate_limit_exceeded", "message": "slow"}}',
    ],
)
def test_a_bare_error_event_becomes_a_failed_response(data: bytes) -> None:
    [failed] = events(ending().feed(b"event: error\ndata: " + data + b"\n\n"))
    assert failed["type"] == "response.failed"
    assert failed["response"]["error"] == {"code": "rate_limit_exceeded", "message": "slow"}


def test_an_end_of_our_own_counts_on_from_what_came_in_the_same_read() -> None:
    sent = ending().feed(STREAM.partition(b"event: response.completed")[0] + b'data: {"type":"error","message":"overloaded"}\n\n')
    assert [event["sequence_number"] for event in events(sent)] == list(range(len(events(sent))))


def test_a_failure_is_rendered_for_the_client() -> None:
    numbers = itertools.count()
    build = ResponseBuilder("m", 1, lambda prefix: f"{prefix}_{next(numbers)}")
    stream = encode_events([*build.start(), *build.fail(Failure(code="content_policy_violation", message="no", status=400))])
    assert events(ending(for_codex).feed(stream))[-1]["response"]["error"] == {"code": "invalid_prompt", "message": "no"}


def test_a_done_mark_of_the_chat_protocol_is_not_an_end() -> None:
    guard = ending()
    assert guard.feed(b"data: [DONE]\n\n") == b""
    assert not guard.ended


def test_half_a_frame_is_held_back_and_joined_once() -> None:
    guard = ending()
    for _ in range(1000):
        assert guard.feed(b"x" * 1000) == b""
    assert guard.feed(b"\n\n") == b"x" * 1_000_000 + b"\n\n"


@given(st.binary())
def test_no_bytes_can_prevent_an_end(noise: bytes) -> None:
    guard = ending()
    out = guard.feed(noise) + guard.fail(GONE)
    assert guard.ended
    assert out.count(b"event: response.failed") <= 1 + noise.count(b"event: response.failed")
