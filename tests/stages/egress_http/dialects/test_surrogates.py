from codex_shim.stages.egress_http.dialects.surrogates import Halves, mend
from hypothesis import given
from hypothesis import strategies as st


def test_halves_are_joined_and_lone_ones_replaced():
    assert mend("a\ud83d\ude00b\ude00\ud83d") == "a😀b��"
    assert mend("plain é") == "plain é"


def test_a_half_waits_for_the_next_piece_of_its_own_channel():
    halves = Halves()
    assert halves.join("text", "a\ud83d") == "a"
    assert halves.join("reasoning", "b") == "b"
    assert halves.join("text", "") == ""
    assert halves.join("text", "\ude00") == "😀"


@given(st.lists(st.text(st.sampled_from("a\ud83d\ude00é"), max_size=4)))
def test_what_comes_out_can_be_encoded(pieces: list[str]):
    halves = Halves()
    for piece in pieces:
        halves.join(0, piece).encode()
