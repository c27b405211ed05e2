"""The SSE codec: any way the network cuts a stream gives the same frames, at a cost that grows with its length only."""

from __future__ import annotations

import itertools

import pytest
from codex_shim.stages.contract.sse import Frame, SSEDecoder, encode_event, encode_frame
from hypothesis import given
from hypothesis import strategies as st


def decode(*chunks: bytes) -> list[Frame]:
    decoder = SSEDecoder()
    frames = [frame for chunk in chunks for frame in decoder.feed(chunk)]
    return frames + decoder.finish()


@pytest.mark.parametrize(
    ("stream", "frames"),
    [
        (b'data: {"a":1}\n\n', [Frame(b"", b'{"a":1}')]),
        (b"event: x\ndata: 1\n\n", [Frame(b"x", b"1")]),
        (b"event:x\ndata:1\n\n", [Frame(b"x", b"1")]),
        (b"data: a\ndata: b\n\n", [Frame(b"", b"a\nb")]),
        (b"event: x\r\ndata: 1\r\n\r\n", [Frame(b"x", b"1")]),
        (b"event: x\rdata: 1\r\r", [Frame(b"x", b"1")]),
        (b"\xef\xbb\xbfdata: 1\n\n", [Frame(b"", b"1")]),
        (b": a comment\n\ndata: 1\n\n", [Frame(b"", b"1")]),
        (b"event: alone\n\ndata: 1\n\n", [Frame(b"", b"1")]),
        (b"id: 7\nretry: 10\ndata: 1\n\n", [Frame(b"", b"1")]),
        (b"data\n\n", [Frame(b"", b"")]),
        (b"data:  two spaces\n\n", [Frame(b"", b" two spaces")]),
        (
            b"data: 1\n\ndata: the last one lacks its blank line",
            [Frame(b"", b"1"), Frame(b"", b"the last one lacks its blank line")],
        ),
        (b"", []),
    ],
)
def test_a_stream_is_read_as_the_standard_says(stream: bytes, frames: list[Frame]) -> None:
    assert decode(stream) == frames
    for cut in range(len(stream) + 1):
        assert decode(stream[:cut], stream[cut:]) == frames, cut
    assert decode(*[bytes([byte]) for byte in stream]) == frames


_lines = st.lists(st.sampled_from([b"data: 1", b"data: ", b"event: e", b": c", b"", b"data:{}", b"x", b"\xc3\xa4"]))
_newlines = st.sampled_from([b"\n", b"\r\n", b"\r"])


@given(lines=_lines, newline=_newlines, cuts=st.lists(st.integers(0, 200)))
def test_any_chunking_gives_the_same_frames(lines: list[bytes], newline: bytes, cuts: list[int]) -> None:
    stream = newline.join([*lines, b""])
    places = sorted({min(cut, len(stream)) for cut in cuts} | {0, len(stream)})
    chunks = [stream[begin:end] for begin, end in itertools.pairwise(places)]
    assert decode(*chunks) == decode(stream)


@given(st.lists(st.tuples(st.sampled_from([b"", b"response.x"]), st.binary().filter(lambda data: b"\r" not in data))))
def test_encoded_frames_decode_to_themselves(pairs: list[tuple[bytes, bytes]]) -> None:
    frames = [Frame(event, data) for event, data in pairs]
    assert decode(b"".join(map(encode_frame, frames))) == frames


def test_an_event_names_its_type_twice() -> None:
    assert encode_event({"type": "response.x", "n": 1}) == b'event: response.x\ndata: {"type":"response.x","n":1}\n\n'


def test_a_line_in_many_pieces_is_joined_once() -> None:
    """Counted in bytes copied, not in seconds: the decoder keeps pieces and joins them when the line ends."""
    decoder = SSEDecoder()
    decoder.feed(b"data: ")
    for _ in range(10_000):
        assert decoder.feed(b"x" * 100) == []
    assert len(decoder._partial) == 10_001
    assert decoder.feed(b"\n\n") == [Frame(b"", b"x" * 1_000_000)]
