import json

import pytest
from codex_shim.stages.egress_http.dialects.freeform import InputReader, describe, tidy, unwrap, wrap
from hypothesis import given
from hypothesis import strategies as st

PATCH = "*** Begin Patch\n*** End Patch"


def read(*pieces: str) -> str:
    reader = InputReader()
    return "".join(reader.feed(piece) for piece in pieces)


@given(st.text(st.characters(codec="utf-8")), st.booleans(), st.integers(1, 9))
def test_the_text_comes_out_as_it_went_in_however_it_is_cut(text: str, ascii_only: bool, size: int):
    arguments = json.dumps({"n": {"input": ["no", "input"]}, "input": text, "more": "x"}, ensure_ascii=ascii_only)
    assert read(*[arguments[place : place + size] for place in range(0, len(arguments), size)]) == text
    assert unwrap(arguments) == text
    assert unwrap(wrap(text)) == text


@given(st.lists(st.text('{}[]":,\\ inputud8ce0/n*\n', max_size=12)))
def test_any_pieces_are_read_alike_and_never_crash(pieces: list[str]):
    text = "".join(pieces)
    assert read(*pieces) == read(text)
    read(text).encode()
    unwrap(text)


def test_the_same_text_is_wrapped_the_same():
    assert wrap('é\n"') == '{"input":"é\\n\\""}'


def test_only_the_input_of_the_outermost_object_is_read():
    assert read('{"a": {"input": "x"}, "b": ["input", ":"], "input": 5, "c": "y"}') == ""
    assert read("[1]", '{"input": "x"}') == ""
    assert read('  { "input" : "x"') == "x"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (json.dumps(PATCH), PATCH),
        (json.dumps({"patch": PATCH}), PATCH),
        (json.dumps({"code": PATCH, "n": 1}), PATCH),
        (PATCH, PATCH),
        ("{ const a = 1 }", "{ const a = 1 }"),
        ('{"input": "a\nb"}', "a\nb"),
        ('{"input": "a\\d"} ', "a\\d"),
        ('{"input": "\\u12x"}', "\\u12x"),
        ('{"input": "\\ud83d"}', "�"),
        ('{"a": 1}', '{"a": 1}'),
        ('{"patch": "a", "text": "b"}', '{"patch": "a", "text": "b"}'),
        ("[1]", "[1]"),
        ("", ""),
    ],
)
def test_what_models_send_instead(arguments: str, text: str):
    assert unwrap(arguments) == text


@pytest.mark.parametrize(
    "arguments", ["{", '{"input', '{"input": "*** Beg', '{"input": "a"', '"*** Begin', '{"input": "say "hi" now"}']
)
def test_cut_off_arguments_are_no_text(arguments: str):
    """Nor are unescaped quotes: the text up to the first of them would be a different patch."""
    assert unwrap(arguments) is None


@pytest.mark.parametrize(
    "dressed",
    [
        PATCH,
        f"```\n{PATCH}\n```",
        f"```diff\n{PATCH}\n```\n",
        f"apply_patch <<'EOF'\n{PATCH}\nEOF\n",
        f'apply_patch << "X"\n{PATCH}\nX',
    ],
)
def test_a_patch_is_undressed(dressed: str):
    assert tidy("apply_patch", dressed) == PATCH


@pytest.mark.parametrize(
    ("name", "text"), [("apply_patch", "```\nls\n```"), ("exec", f"```\n{PATCH}\n```"), ("apply_patch", f" {PATCH}\n")]
)
def test_other_text_is_not_touched(name: str, text: str):
    assert tidy(name, text) == text


def test_the_grammar_is_told_to_the_model():
    told = describe({"description": "Edit.", "format": {"type": "grammar", "syntax": "lark", "definition": "start: x"}})
    assert told == 'Edit.\n\nPass the raw text as the string "input".\n\nIt must match this lark grammar:\nstart: x'
