"""The first minute of a newcomer: no models.json, no pipeline.toml, no key, no network."""

from __future__ import annotations

from collections.abc import Callable

from codex_cli import Codex
from running_chain import RunningChain


def test_without_any_configuration_a_model_talks_runs_a_command_and_writes_a_file(
    start_chain: Callable[..., RunningChain], bare_codex: Codex, codex_environ: dict[str, str]
) -> None:
    bare_codex.use(start_chain(environ=codex_environ))
    assert [model["slug"] for model in bare_codex.models()] == ["demo"]

    words = bare_codex.exec("hello there")
    assert words.code == 0
    assert "hello there" in words.text

    command = bare_codex.exec("run `echo demo-$((1+1))`")
    assert [item["aggregated_output"] for item in command.items("command_execution")] == ["demo-2\n"]
    assert "demo-2" in command.text

    file = bare_codex.exec("create a file named hello.txt with the text good morning")
    assert file.code == 0
    assert (bare_codex.workspace / "hello.txt").read_bytes() == b"good morning\n"
