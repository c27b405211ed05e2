"""What a body is, is seen from its beginning: the content type is wrong too often."""

from __future__ import annotations

import pytest
from codex_shim.stages.contract.sse import Frame
from codex_shim.stages.egress_http.dialects.framing import Framing

STREAM = b": hello\n\nevent: x\ndata: {}\n\ndata: [DONE]\n\n"
FRAMES = [Frame(b"x", b"{}"), Frame(b"", b"[DONE]")]


def frames(content_type: str, body: bytes, size: int = 1 << 20) -> list[Frame]:
    framing = Framing(content_type)
    pieces = [framing.feed(body[place : place + size]) for place in range(0, len(body), size)]
    return [frame for piece in [*pieces, framing.finish()] for frame in piece]


@pytest.mark.parametrize(
    "content_type", ["text/event-stream", "Text/Event-Stream; charset=utf-8", "application/json", "text/plain", ""]
)
@pytest.mark.parametrize("size", [1, 3, 1 << 20])
def test_an_event_stream_is_one_under_any_name(content_type: str, size: int) -> None:
    assert frames(content_type, STREAM, size) == FRAMES
    assert frames(content_type, b"\xef\xbb\xbf\r\n" + STREAM, size) == FRAMES
    assert frames(content_type, b"data: {}", size) == [Frame(b"", b"{}")]


@pytest.mark.parametrize("body", [b'{"error": "busy"}', b'[{"error": "busy"}]', b"<html>Busy</html>"])
@pytest.mark.parametrize("content_type", ["application/json", "text/event-stream", "text/plain", ""])
@pytest.mark.parametrize("size", [1, 1 << 20])
def test_one_piece_is_one_frame_under_any_name(content_type: str, body: bytes, size: int) -> None:
    assert frames(content_type, b"\n " + body + b"\n", size) == [Frame(b"", body)]


@pytest.mark.parametrize("words", [b"no healthy upstream", b"dat", b"idle"])
def test_words_are_kept_where_nobody_said_it_is_a_stream(words: bytes) -> None:
    assert frames("text/plain", words) == [Frame(b"", words)]


def test_a_stream_may_begin_with_what_nobody_knows() -> None:
    assert frames("text/event-stream", b"hello\n" + STREAM, 1) == FRAMES


@pytest.mark.parametrize("body", [b"", b"\r\n"])
def test_nothing_is_no_frame(body: bytes) -> None:
    assert frames("application/json", body) == []


def test_a_frame_is_given_out_as_soon_as_it_is_whole() -> None:
    framing = Framing("text/event-stream")
    assert framing.feed(b"data: 1\n\nda") == [Frame(b"", b"1")]
    assert framing.feed(b"ta: 2\n\n") == [Frame(b"", b"2")]
