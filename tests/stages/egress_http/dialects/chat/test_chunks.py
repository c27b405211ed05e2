import pytest
from codex_shim.stages.egress_http.dialects.chat.chunks import Chunk, decode, decode_leniently


@pytest.mark.parametrize(
    "data",
    [
        b'{"choices":[{"index":0,"delta":{"content":"a","tool_calls":[{"index":0,"id":"x","function":{"name":"f","arguments":"{"}}]}}]}',
        b'{"choices":[{"message":{"content":[{"type":"text","text":"a"}],"function_call":{"name":"f"}},"finish_reason":"stop","usage":{}}]}',
        b'{"choices":[],"usage":{"prompt_tokens":1},"x_groq":{"id":"1"}}',
        b'{"error":{"message":"x"},"object":"error"}',
    ],
)
def test_both_ways_read_the_same(data: bytes):
    assert decode(data) == decode_leniently(data)


@pytest.mark.parametrize("data", [b"", b"[]", b"5", b'"text"', b"null", b"[DONE]", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_chunk_is_refused_by_both(data: bytes):
    with pytest.raises((ValueError, RecursionError)):
        decode(data)
    with pytest.raises(ValueError):
        decode_leniently(data)


@pytest.mark.parametrize(
    "data",
    [
        b'{"choices":"x","usage":1}',
        b'{"choices":[null,5,{"delta":"x"},{"delta":{"tool_calls":{}}},{"delta":{"tool_calls":[1,{"function":[]}]}}]}',
        b'[{"choices":[]},1]',
    ],
)
def test_odd_shapes_are_read_as_far_as_they_can_be(data: bytes):
    assert isinstance(decode_leniently(data), Chunk)
