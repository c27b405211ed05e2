from itertools import pairwise

import pytest
from codex_shim.stages.egress_http.dialects.chat.think import ThinkSplitter
from hypothesis import given
from hypothesis import strategies as st


def split(*pieces: str) -> tuple[str, str]:
    """All the thinking, all the text."""
    splitter = ThinkSplitter()
    parts = [part for piece in pieces for part in splitter.feed(piece)] + splitter.flush()
    assert all(text for _, text in parts)
    return "".join(text for kind, text in parts if kind == "reasoning"), "".join(text for kind, text in parts if kind == "text")


def test_thinking_at_the_beginning_is_taken_out():
    assert split("<think>hm</think>\n\nyes") == ("hm", "yes")
    assert split(" \n<think>hm</think>yes </think> <think>no") == ("hm", "yes </think> <think>no")


@pytest.mark.parametrize("size", range(1, 12))
def test_tags_may_be_cut_anywhere(size: int):  # D21
    text = " \n<think>h</thm></think>\n\nyes"
    assert split(*[text[place : place + size] for place in range(0, len(text), size)]) == ("h</thm>", "yes")


def test_tags_further_on_are_text():
    assert split("Use <think>") == ("", "Use <think>")
    assert split(" ", "<thi", "ng>") == ("", " <thing>")


def test_a_thought_that_does_not_end_is_thinking_all_the_same():
    assert split("<think>hm</thi") == ("hm</thi", "")


def test_blank_text_is_no_text():
    assert split("\n", "\n") == ("", "")


def test_once_it_is_plain_nothing_is_held_back():
    splitter = ThinkSplitter()
    splitter.feed("a")
    assert splitter.plain
    assert splitter.feed("<think>") == [("text", "<think>")]


@given(st.text("<think>/ ab\n", max_size=40), st.lists(st.integers(0, 40)))
def test_it_does_not_matter_where_the_pieces_are_cut(text: str, places: list[int]):
    edges = [0, *sorted(place for place in places if place < len(text)), len(text)]
    assert split(*[text[start:end] for start, end in pairwise(edges)]) == split(text)
