"""Which call a delta belongs to. The streams of real servers are among the transcripts; here are the rules one by one."""

from typing import Any

from codex_shim.stages.egress_http.dialects.chat.calls import Assembly, Call, arguments_of
from codex_shim.stages.egress_http.dialects.chat.chunks import Function, ToolDelta
from hypothesis import given
from hypothesis import strategies as st


def delta(index: Any = None, id: Any = None, name: Any = None, arguments: Any = None) -> ToolDelta:
    return ToolDelta(index=index, id=id, function=Function(name=name, arguments=arguments))


def assemble(*deltas: ToolDelta) -> list[tuple[Any, str, str]]:
    assembly = Assembly()
    calls: dict[Call, None] = {}
    for one in deltas:
        call = assembly.belongs_to(one)
        call.pieces.append(arguments_of(one))
        calls[call] = None
    return [(call.id, call.name, "".join(call.pieces)) for call in calls]


def test_calls_are_told_apart_by_their_index():
    assert assemble(delta(0, "a", "f", "1"), delta(1, "b", "g", "2"), delta(0, None, None, "3")) == [
        ("a", "f", "13"),
        ("b", "g", "2"),
    ]


def test_an_id_may_come_late_and_a_name_may_come_again():
    assert assemble(delta(0, None, "f", "{"), delta(0, "a", "f", "}")) == [("a", "f", "{}")]


def test_a_new_id_and_a_name_at_the_same_index_are_a_new_call():
    assert assemble(delta(0, "a", "f", "{}"), delta(0, "b", "f", "{}")) == [("a", "f", "{}"), ("b", "f", "{}")]


def test_a_new_id_without_a_name_goes_on_with_the_call():
    assert assemble(delta(0, "a", "f", "{"), delta(0, "x", None, "}")) == [("a", "f", "{}")]


def test_without_an_index_the_id_decides():
    assert assemble(delta(None, "a", "f", "1"), delta(None, "b", "f", "2"), delta(None, "a", None, "3")) == [
        ("a", "f", "13"),
        ("b", "f", "2"),
    ]


def test_without_index_and_id_a_name_behind_whole_arguments_is_a_new_call():
    assert assemble(delta(None, None, "f", '{"a":'), delta(None, None, "f", "1}"), delta(None, None, "f", "{}")) == [
        (None, "f", '{"a":1}'),
        (None, "f", "{}"),
    ]


def test_a_last_chunk_that_says_all_but_the_arguments_again_is_no_new_call():
    assert assemble(delta(0, "a", "f", "{}"), delta(0, "a", "f", "")) == [("a", "f", "{}")]


def test_odd_types_are_taken_as_missing():
    assert assemble(delta([], {}, 5, None), delta([], {}, "f", {"a": 1})) == [(None, "f", '{"a":1}')]


@given(st.lists(st.text('{}[]":,\\a', max_size=5)))
def test_completeness_does_not_depend_on_the_cuts(pieces: list[str]):
    cut, whole = Call(), Call()
    for piece in pieces:
        cut.pieces.append(piece)
        cut.complete()
    whole.pieces.append("".join(pieces))
    assert cut.complete() == whole.complete()


def test_braces_inside_strings_do_not_count():
    call = Call()
    call.pieces.append('{"a": "}\\"}')
    assert not call.complete()
    call.pieces.append('"}')
    assert call.complete()
