"""What the scripted upstream says is what the check of answers reads: the two are written apart and must agree."""

from __future__ import annotations

import pytest
from codex_shim.orchestrator.bench.answer import CHUNKED_END, FIRST_TOKEN, Wire, WrongAnswerError, text_of, unchunk
from codex_shim.orchestrator.bench.script import Script, chat_blocks, pieces, responses_blocks
from codex_shim.orchestrator.bench.upstream import Request, rendered

SCRIPT = Script(deltas=3, size=20)
PATHS: dict[Wire, bytes] = {"chat": b"/v1/chat/completions", "responses": b"/v1/responses"}


def answer(wire: Wire, script: Script = SCRIPT) -> bytes:
    return b"".join(rendered(PATHS[wire], script))


@pytest.mark.parametrize("wire", PATHS)
@pytest.mark.parametrize("script", [SCRIPT, Script(deltas=1, size=1), Script(deltas=12, size=3000)])
def test_an_answer_holds_the_text_of_its_script(wire: Wire, script: Script) -> None:
    assert text_of(answer(wire, script), wire) == "".join(pieces(script))


@pytest.mark.parametrize("wire", PATHS)
def test_the_first_token_is_in_the_first_delta_and_not_before(wire: Wire) -> None:
    opening, first, *_ = rendered(PATHS[wire], SCRIPT)
    assert FIRST_TOKEN[wire] not in opening
    assert FIRST_TOKEN[wire] in first


@pytest.mark.parametrize("wire", PATHS)
def test_the_end_of_the_body_shows_only_at_the_end(wire: Wire) -> None:
    raw = answer(wire)
    assert raw.find(CHUNKED_END) == len(raw) - len(CHUNKED_END)


def test_every_delta_is_numbered_and_of_the_size_that_was_asked_for() -> None:
    texts = pieces(Script(deltas=11, size=50))
    assert [len(text) for text in texts] == [50] * 11
    assert len(set(texts)) == 11


def test_both_languages_are_cut_at_the_same_places() -> None:
    assert len(chat_blocks(SCRIPT)) == len(responses_blocks(SCRIPT)) == SCRIPT.deltas + 2


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 2\r\n\r\nno", "the status was 502: no"),
        (b"", "the status was missing"),
        (b"HTTP/1.1 200 OK\r\n\r\ndata: {}\n\n", "no terminal event"),
        (b'HTTP/1.1 200 OK\r\n\r\ndata: {"type":"response.failed","response":{"error":"x"}}\n\n', "response.failed {'error': 'x'}"),
        (b'HTTP/1.1 200 OK\r\n\r\ndata: {"type":\n\n', "could not be read"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\ndata:\r\n", "broke off between two chunks"),
    ],
)
def test_other_answers_are_wrong_and_say_why(raw: bytes, sentence: str) -> None:
    with pytest.raises(WrongAnswerError) as caught:
        text_of(raw, "responses")
    assert sentence in str(caught.value)


def test_a_chat_stream_without_done_is_wrong() -> None:
    with pytest.raises(WrongAnswerError, match="DONE"):
        text_of(b"HTTP/1.1 200 OK\r\n\r\n" + b"".join(chat_blocks(SCRIPT)[:-1]), "chat")


def test_chunks_with_extensions_are_read() -> None:
    assert unchunk(b"3;x=y\r\nabc\r\n0\r\n\r\n") == b"abc"


@pytest.mark.parametrize("cut", range(1, 60))
def test_a_request_is_whole_however_it_was_cut(cut: int) -> None:
    raw = b"POST /v1/responses HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody"
    request = Request()
    taken = [request.take(part) for part in (raw[:cut], raw[cut:]) if part]
    assert [each for each in taken if each] == [(b"/v1/responses", b"body")]
    assert request.take(raw) == (b"/v1/responses", b"body"), "the connection serves again"
