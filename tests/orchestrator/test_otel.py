"""The export of traces: who asks for it gets it, with nothing in its environment but what it needs."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from codex_shim.orchestrator import otel, plan
from codex_shim.orchestrator.environment import survey
from codex_shim.orchestrator.settings import pipeline
from codex_shim.orchestrator.settings.problems import ConfigError
from codex_shim.orchestrator.spec import StageSpec
from codex_shim.stages.contract.secret import Secret

ENVIRON = {
    "PATH": "/bin",
    "HTTPS_PROXY": "http://p",
    "OTEL_EXPORTER_OTLP_HEADERS": "x-team=a",
    "OPENAI_API_KEY": "sk-env",
}


def parsed(wanted: str) -> pipeline.Pipeline:
    stages = Path(pipeline.packaged_default()).read_text().partition("[[stage]]")[2]
    return pipeline.parse(f'[pipeline]\notel = "{wanted}"\n[[stage]]{stages}', "/x/pipeline.toml")


def exporter(wanted: str, environ: dict[str, str] = ENVIRON) -> StageSpec:
    inputs = plan.Inputs(
        pipeline=parsed(wanted),
        workers=[],
        catalog=[],
        advertised="",
        local_token=Secret("local-token"),
        hop_token=Secret("hop-token"),
        surroundings=survey(environ, Path("/run/stages")),
        otel_control="/run/otel.json",
    )
    needs = plan.needs(inputs.pipeline, [])
    built = plan.build(inputs, {need.name: ("127.0.0.1", 40000 + place) for place, need in enumerate(needs)})
    return next(spec for spec in built.side if spec.name == "otel")


@pytest.mark.parametrize(
    ("wanted", "told", "leaves"),
    [
        ("http://127.0.0.1:4318", "http://127.0.0.1:4318", False),
        ("https://otel.example.com/base", "https://otel.example.com/base", True),
        ("env", "", False),
    ],
)
def test_it_is_told_where_the_collector_is_and_how_to_leave_the_machine_if_it_must(wanted: str, told: str, leaves: bool) -> None:
    spec = exporter(wanted)
    assert msgspec.json.decode(spec.config or b"") == {"control": "/run/otel.json", "endpoint": told}
    assert spec.env["OTEL_EXPORTER_OTLP_HEADERS"] == "x-team=a"
    assert ("HTTPS_PROXY" in spec.env) is leaves
    assert "OPENAI_API_KEY" not in spec.env


def test_the_environments_own_address_counts() -> None:
    away = exporter("env", {**ENVIRON, "OTEL_EXPORTER_OTLP_ENDPOINT": "https://otel.example.com"})
    assert "HTTPS_PROXY" in away.env


@pytest.mark.parametrize("wanted", ["localhost:4318", "grpc://127.0.0.1:4317", "http://", "http://user:word@host"])
def test_what_is_no_collector_is_refused_with_its_place(wanted: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parsed(wanted)
    (problem,) = raised.value.problems
    assert str(problem).startswith("/x/pipeline.toml:2:8: `otel` is the URL of a collector")


def test_without_the_packages_one_sentence_says_how_to_get_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otel, "_PACKAGE", "opentelemetry_that_is_not_there.exporter")
    with pytest.raises(ConfigError) as raised:
        otel.check(parsed("env"))
    (problem,) = raised.value.problems
    assert "pip install 'codex-shim[otel]'" in str(problem)
    otel.check(parsed(""))


def test_with_the_packages_there_is_nothing_to_say() -> None:
    otel.check(parsed("env"))
