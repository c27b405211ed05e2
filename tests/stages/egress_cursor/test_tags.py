"""Calls in the text of a model."""

from __future__ import annotations

import pytest
from codex_shim.stages.contract.tools import Tool
from codex_shim.stages.egress_cursor import tags
from codex_shim.stages.egress_cursor.tags import Called, Piece, Said, Tags
from hypothesis import given
from hypothesis import strategies as st

NONCE = "0123456789ab"
TOOLS = {
    "f": Tool(flat="f", kind="function_call", name="f"),
    "raw": Tool(flat="raw", kind="custom_tool_call", name="raw"),
}
END = tags.closing(NONCE)


def call(name: str, body: str) -> str:
    return tags.opening(NONCE, name) + body + END


def read(*chunks: str, parallel: bool = True) -> tuple[list[Piece], Tags]:
    """Neighbouring texts as one."""
    parser = Tags(NONCE, TOOLS.get, parallel=parallel)
    pieces = [piece for chunk in chunks for piece in parser.feed(chunk)]
    joined: list[Piece] = []
    for piece in [*pieces, *parser.flush()]:
        if isinstance(piece, Said) and joined and isinstance(joined[-1], Said):
            joined[-1] = Said(joined[-1].text + piece.text)
        else:
            joined.append(piece)
    return joined, parser


def test_text_is_held_back_only_where_it_may_be_a_tag() -> None:
    parser = Tags(NONCE, TOOLS.get)
    assert parser.feed("a <") == [Said("a ")]
    assert parser.feed("b and <call-01") == [Said("<b and ")]
    assert parser.feed("x") == [Said("<call-01x")]


def test_raw_text_comes_over_byte_for_byte() -> None:
    """One line feed behind the opening tag belongs to the tag, none before the closing one."""
    for body in ("", "x", " x \n", "\n\nx", "<call-> & </call> \\n é\r\n", call("f", "{}")[:-3]):
        assert read(call("raw", "\n" + body))[0] == [Called(TOOLS["raw"], body)]
    assert read(call("raw", "*** Begin"))[0] == [Called(TOOLS["raw"], "*** Begin")]


def test_arguments_may_have_line_feeds_in_their_texts() -> None:
    assert read(call("f", '\n{"a": "x\ny"}\n'))[0] == [Called(TOOLS["f"], '{"a":"x\\ny"}')]


def test_calls_that_follow_one_another_are_parallel() -> None:
    pieces, parser = read("Hm. " + call("f", "{}") + " \n" + call("raw", "x") + "\n")
    assert pieces == [Said("Hm. "), Called(TOOLS["f"], "{}"), Called(TOOLS["raw"], "x")]
    assert (parser.called, parser.settled) == (True, False)


@pytest.mark.parametrize("behind", ["So", "<b>", call("unknown", "{}"), call("f", "no"), tags.opening("ba98", "f")])
def test_whatever_else_follows_a_call_settles_it(behind: str) -> None:
    pieces, parser = read(call("f", "{}") + behind + call("f", '{"late":1}'))
    assert pieces == [Called(TOOLS["f"], "{}")]
    assert parser.settled


def test_one_call_at_a_time_where_no_more_are_wanted() -> None:
    pieces, parser = read(call("f", "{}") + call("f", "{}"), parallel=False)
    assert pieces == [Called(TOOLS["f"], "{}")]
    assert parser.settled


def test_a_call_that_is_too_long_stays_text_once_and_the_next_one_counts() -> None:
    text = call("raw", "x" * (tags.SIZE_LIMIT + 1))
    for size in (len(text), 100_000):
        pieces, _ = read(*(text[at : at + size] for at in range(0, len(text), size)), call("f", "{}"))
        assert pieces == [Said(text), Called(TOOLS["f"], "{}")]
    assert read(call("raw", "x" * tags.SIZE_LIMIT))[0] == [Called(TOOLS["raw"], "x" * tags.SIZE_LIMIT)]


def test_a_call_without_its_end_is_text_when_the_segment_ends() -> None:
    assert read(call("f", "{}")[:-1])[0] == [Said(call("f", "{}")[:-1])]


bits = st.sampled_from(
    [
        call("f", '{"a":1}'),
        call("raw", "\n<x"),
        call("f", "{"),
        call("no", "{}"),
        "text",
        "<",
        "</",
        " \n",
        END,
        END[:9],
        tags.opening(NONCE, "f"),
        tags.opening(NONCE, "f")[:20],
        f"<call-{NONCE} " + "z" * 500,
        "<call-",
        "é😀",
    ]
)


@given(st.lists(bits, max_size=8), st.integers(1, 40))
def test_every_cut_gives_the_same(parts: list[str], size: int) -> None:
    text = "".join(parts)
    pieces, parser = read(*(text[at : at + size] for at in range(0, len(text), size)))
    whole, at_once = read(text)
    assert (pieces, parser.called, parser.settled) == (whole, at_once.called, at_once.settled)


@given(st.lists(bits, max_size=8))
def test_without_a_call_no_character_is_lost(parts: list[str]) -> None:
    text = "".join(parts)
    pieces, parser = read(text)
    if not parser.called:
        assert "".join(piece.text for piece in pieces if isinstance(piece, Said)) == text
