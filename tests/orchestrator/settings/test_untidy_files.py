"""Whatever stands in a file, the answer is a pipeline, models, or problems with positions: never a traceback."""

from __future__ import annotations

import json
from typing import Any

from codex_shim.orchestrator.settings import models, pipeline
from codex_shim.orchestrator.settings.model_row import RowKeys
from codex_shim.orchestrator.settings.problems import ConfigError, Problem
from hypothesis import given
from hypothesis import strategies as st

STAGE_KEYS = [
    "name",
    "use",
    "script",
    "command",
    "url",
    "ready",
    "listen",
    "env",
    "path",
    "config",
    "rules",
    "default",
    "body_limit_mib",
]
WORDS = [
    "ingress",
    "router",
    "policy",
    "a.b",
    "egress_http",
    "demo",
    "http://127.0.0.1:1",
    "http://[",
    "127.0.0.1:1",
    ":",
    "",
    "é",
    "tcp",
]
VALUES = st.recursive(
    st.sampled_from(WORDS) | st.booleans() | st.integers(-2, 9) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["inject", "name", "a b"]), inner, max_size=2),
)
TABLES = st.dictionaries(st.sampled_from(STAGE_KEYS), VALUES, max_size=5)


def toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {toml(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    return repr(value) if isinstance(value, float) else json.dumps(value)


def in_order(problems: list[Problem]) -> bool:
    places = [(problem.line, problem.column) for problem in problems]
    return bool(problems) and places == sorted(places) and "\n" not in "".join(problem.sentence for problem in problems)


def check_pipeline(text: str) -> None:
    try:
        pipeline.parse(text, "pipeline.toml", lambda program: program)
    except ConfigError as error:
        assert in_order(error.problems)


@given(TABLES, st.lists(TABLES, max_size=4), TABLES)
def test_pipelines_of_any_values(settings: dict[str, Any], stages: list[dict[str, Any]], egress: dict[str, Any]) -> None:
    lines = ["[pipeline]", *(f"{key} = {toml(value)}" for key, value in settings.items())]
    for stage in stages:
        lines += ["[[stage]]", *(f"{key} = {toml(value)}" for key, value in stage.items())]
    lines += ["[egress]", *(f"{key} = {toml(value)}" for key, value in egress.items())]
    check_pipeline("\n".join(lines))


CHAIN = (
    '[pipeline]\nlisten = "127.0.0.1:1"\n[[stage]]\nname = "ingress"\nuse = "ingress"\n[[stage]]\nname = "router"\nuse = "router"\n'
)


@given(st.integers(0, len(CHAIN)), st.integers(0, 9), st.text("[]{}\"'=.,#\n\r\\ a1é\0", max_size=3))
def test_pipelines_with_a_slip_of_the_hand(start: int, length: int, typed: str) -> None:
    check_pipeline(CHAIN[:start] + typed + CHAIN[start + length :])


ROW_WORDS = [
    "m",
    "ollama",
    "OpenAI",
    "groq",
    "http://127.0.0.1:1",
    "https://[",
    "${SET}",
    "${UNSET}",
    "",
    "  ",
    "é",
    "\0",
    "sk-SECRET\n",
]
ROW_VALUES = st.recursive(
    st.sampled_from(ROW_WORDS) | st.none() | st.booleans() | st.integers(-2, 9),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["X-A", "Host", "é", ""]), inner, max_size=2),
)
ROWS = (
    st.dictionaries(st.sampled_from([*RowKeys.__struct_fields__, "apiKey", "baseURL", "id", "z\n\x1b[1m"]), ROW_VALUES) | ROW_VALUES
)


@given(st.lists(ROWS, max_size=5))
def test_models_of_any_values(rows: list[Any]) -> None:
    found = models.parse(json.dumps(rows, indent=1), "models.json", {"SET": "sk-SECRET"}, lambda command: "sk-SECRET")
    assert not found.problems or in_order(found.problems)
    slugs = [row.slug for row in found.rows]
    assert len(set(slugs)) == len(slugs)
    assert all(row.model and row.base_url for row in found.rows)


@given(st.integers(0, 60), st.integers(0, 9), st.text('[]{}":,\\ a1\n\0', max_size=3))
def test_models_with_a_slip_of_the_hand(start: int, length: int, typed: str) -> None:
    text = '{"models": [{"model": "kimi", "provider": "moonshot", "api_key": "sk-SECRET"}, "llama3"]}'
    try:
        models.parse(text[:start] + typed + text[start + length :], "models.json", {}, lambda command: "")
    except ConfigError as error:
        assert in_order(error.problems)
