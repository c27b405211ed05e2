"""Whether what Codex reads of ours is what `generate` would write."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from codex_shim.orchestrator import cli
from codex_shim.orchestrator.doctor import generated
from codex_shim.orchestrator.doctor.subject import Subject
from systems import needs_modes
from typer.testing import CliRunner

LOCAL = [{"model": "qwen3", "provider": "ollama"}, {"model": "llama4", "provider": "ollama"}]


def generate(subject: Subject) -> None:
    done = CliRunner().invoke(cli.app, ["--home", str(subject.home.root), "generate"], env=dict(subject.environ))
    assert done.exit_code == 0, done.output


def statuses(subject: Subject) -> list[str]:
    return [check.status for check in generated.check(subject)]


def snapshot(folder: Path) -> dict[Path, int]:
    return {path: path.lstat().st_mtime_ns for path in sorted(folder.rglob("*"))}


def test_missing_then_in_step_then_out_of_step_and_nothing_is_written(subject) -> None:
    before = snapshot(subject(models=LOCAL).home.root)
    missing = generated.check(subject())
    assert [(check.status, check.remedy) for check in missing] == [("WARN", "`codex-shim generate`")] * 2
    assert snapshot(subject().home.root) == before, "not even a token is made"
    generate(subject())
    assert statuses(subject()) == ["OK", "OK"]
    assert statuses(subject(models=LOCAL[::-1])) == ["WARN", "OK"]
    assert statuses(subject(models=LOCAL[:1])) == ["WARN", "OK"]
    assert statuses(subject(models=LOCAL, pipeline=PIPELINE)) == ["OK", "WARN"]


PIPELINE = "[pipeline]\nlisten = '127.0.0.1:8799'\n" + "".join(
    f"[[stage]]\nname = '{n}'\nuse = '{n}'\n" for n in ("ingress", "router")
)


def test_what_codex_and_the_user_added_is_in_step_and_a_broken_file_is_named(subject) -> None:
    generate(subject(models=LOCAL))
    config = subject().home.codex_config
    config.write_text(config.read_text().replace('"qwen3"', '"llama4" # mine') + '\n[projects."/work"]\ntrust_level = "trusted"\n')
    assert statuses(subject()) == ["OK", "OK"]
    config.write_bytes(b"\xff")
    listing, broken = generated.check(subject())
    assert (listing.status, broken.status) == ("OK", "WARN")
    assert "not valid TOML" in broken.message


@needs_modes
def test_a_file_that_others_can_read_is_a_warning(subject) -> None:
    generate(subject(models=LOCAL))
    subject().home.codex_config.chmod(0o644)
    assert [check.remedy for check in generated.check(subject())] == [None, f"`chmod 600 {subject().home.codex_config}`"]


@pytest.mark.parametrize("listed", [True, False])
def test_a_key_of_a_command_counts_as_it_did_last_time(subject, listed: bool) -> None:
    command = "echo sk-local" if listed else "false"
    models = [*LOCAL, {"model": "m", "provider": "openai", "base_url": "https://a.example/v1", "api_key_command": command}]
    generate(subject(models=models))
    slugs = [entry["slug"] for entry in json.loads(subject().home.catalog.read_bytes())["models"]]
    assert ("m" in slugs) is listed
    assert statuses(subject()) == ["OK", "OK"]


def test_settings_that_cannot_be_used_are_not_compared(subject) -> None:
    (check,) = generated.check(subject(models="{"))
    assert check.status == "INFO"
