"""Connecting a user's config.toml and taking it back: whatever the file is, and whatever happens to it in between."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
import tomlkit
from codex_shim.orchestrator.codex import edit
from codex_shim.orchestrator.codex.edit import EditError, disable, enable, is_enabled
from hypothesis import given, settings
from hypothesis import strategies as st

TOP = {"model": "deepseek-chat", "model_provider": "codex_shim", "model_catalog_json": "/home/me/.codex-shim/catalog.json"}
THREADS = {"model": "deepseek-chat", "openai_base_url": "http://127.0.0.1:8765/v1"}
PROVIDER = {"name": "codex-shim", "base_url": "http://127.0.0.1:8765/v1", "http_headers": {"x-token": 'a"b\\c'}, "retries": 3}
SLUGS = ("deepseek-chat", "claude-opus-5")


def is_ours(key: str, value: Any) -> bool:
    return value in SLUGS if key == "model" else value in (TOP.get(key), THREADS.get(key))


def connect(text: str) -> str:
    return enable(text, TOP, PROVIDER, is_ours)


REAL = """\
# my Codex
model = "gpt-5.5"  # the good one
approval_policy = "never"
"model_provider" = 'openai'
model_catalog_json = \"\"\"
/elsewhere\"\"\"

[mcp_servers.docs]
command = "npx"
args = [
  "-y", # yes
  "docs",
]

[projects."/home/me/work"]
trust_level = "trusted"

[profiles.dev]
model = "o3"
"""


def test_ours_comes_in_and_theirs_stays_where_it_is() -> None:
    """D67, D68: quoted keys are the same keys, and a model inside a profile is none of ours."""
    after = connect(REAL)
    read = tomllib.loads(after)
    assert {key: read[key] for key in TOP} == TOP
    assert read["model_providers"]["codex_shim"] == PROVIDER
    assert read["profiles"] == {"dev": {"model": "o3"}}
    assert '#codex-shim kept: model = "gpt-5.5"  # the good one\n' in after
    assert after.splitlines()[0] == edit.MARK
    assert disable(after, is_ours) == REAL


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "# nothing yet",
        'model = "a"',
        REAL.replace("\n", "\r\n"),
        REAL.rstrip("\n"),
        '[model_providers.codex_shim]\nname = "of my own"\nbase_url = "http://elsewhere"\n[tui]\ntheme = "x"\n',
        'model_providers.codex_shim.name = "dotted"\n',
        '[model_providers]\n[model_providers.other]\nname = "o"\n',
        'text = """\n#codex-shim kept: model = "not a line of ours"\n"""\n',
        "notes = [\n  # Set by nobody\n  1,\n]\n",
        'weird = "a\u2028b"\nmodel = "x"\n',
    ],
)
def test_there_and_back_is_the_very_same_text(text: str) -> None:
    """D66, D67."""
    for top, provider in ((TOP, PROVIDER), (THREADS, None)):
        after = enable(text, top, provider, is_ours)
        assert is_enabled(after)
        assert disable(after, is_ours) == text
        assert enable(after, top, provider, is_ours) == after, "enabling again changes nothing"


@pytest.mark.parametrize(
    "text", ['model = "a', "model_providers = {a = {name = 'x'}}\n", "model.x = 1\n", "[model]\nx = 1\n", "\ufeffa = 1\n"]
)
def test_what_cannot_be_edited_safely_is_refused(text: str) -> None:
    with pytest.raises(EditError):
        connect(text)


def test_what_was_added_in_between_stays() -> None:
    after = connect(REAL.rstrip("\n")) + '\n[projects."/new"]\ntrust_level = "trusted"\n'
    assert disable(after, is_ours) == REAL + '\n[projects."/new"]\ntrust_level = "trusted"\n'


def test_a_model_picked_in_codex_gives_way_and_one_of_the_user_s_own_stays() -> None:
    switched = connect(REAL).replace('model = "deepseek-chat"', 'model = "claude-opus-5"', 1)
    assert disable(switched, is_ours) == REAL
    chosen = connect(REAL).replace('model = "deepseek-chat"', 'model = "gpt-6"', 1)
    back = tomllib.loads(disable(chosen, is_ours))
    assert back["model"] == "gpt-6"
    assert back["model_provider"] == "openai"


def test_marks_that_were_deleted_take_nothing_of_theirs_along() -> None:
    """D66: an end mark that is missing cannot swallow the rest of the file, for there is none."""
    without = connect(REAL).replace(edit.MARK + "\n", "").replace(edit.TABLE_MARK + "\n", "")
    back = tomllib.loads(disable(without, is_ours))
    assert {key: value for key, value in back.items() if key != "model_providers"} == tomllib.loads(REAL)


# -- any file, any history --------------------------------------------------------------------------------------------

KEYS = st.sampled_from(["model", "model_provider", "openai_base_url", "approval_policy", "personality", "a b", "ä"])
SCALARS = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=12), st.integers(), st.booleans(), st.floats()
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=2), max_leaves=4)
PROVIDERS = st.dictionaries(st.sampled_from(["codex_shim", "other", "x.y"]), st.dictionaries(KEYS, SCALARS, max_size=2), max_size=2)


@st.composite
def files(draw: st.DrawFn) -> str:
    """A config.toml as people and programs write them."""
    document = tomlkit.document()
    for key, value in draw(st.dictionaries(KEYS, VALUES, max_size=4)).items():
        if draw(st.booleans()):
            document.add(tomlkit.comment(draw(st.sampled_from(["note", "model = 'x'", "é"]))))
        document[key] = value
    if draw(st.booleans()):
        document["model_providers"] = draw(PROVIDERS)
    text = tomlkit.dumps(document)
    if draw(st.booleans()):
        text = text.rstrip("\n")
    return text.replace("\n", "\r\n") if draw(st.booleans()) and "\r" not in text else text


ADDITIONS = ["\n[added_{0}]\nx = 1\n", "\n# a note {0}\n", '\n[[list_{0}]]\nmodel = "inner"\n']


@settings(max_examples=80)
@given(files(), st.lists(st.sampled_from(["enable", "threads", "add", "use", "disable"]), max_size=6))
def test_whatever_happens_the_user_s_part_is_theirs_to_the_byte(text: str, history: list[str]) -> None:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    user, now = text, text
    for number, step in enumerate(history):
        before = now
        try:
            if step == "enable":
                now = connect(now)
            elif step == "threads":
                now = enable(now, THREADS, None, is_ours)
            elif step == "disable":
                now = disable(now, is_ours)
            elif step == "use":
                now = now.replace('model = "deepseek-chat"', 'model = "claude-opus-5"', 1)
            else:
                addition = ADDITIONS[number % 3].format(number)
                end = "\r\n" if "\r\n" in text else "\n"  # what an editor puts behind a last line that has none
                now += addition if now.endswith("\n") or not now else end + addition
                user += addition if user.endswith("\n") or not user else end + addition
        except EditError:
            assert now == before
    try:
        assert disable(now, is_ours) == user
    except EditError:
        assert not is_enabled(now)
