"""The user's files, with every problem at its place."""

from __future__ import annotations

from pathlib import Path

import pytest
from codex_shim.orchestrator.doctor import settings
from codex_shim.orchestrator.doctor.settings_read import UNASKED
from systems import needs_posix

LOCAL = {"model": "qwen3", "provider": "ollama"}


def test_without_files_of_ones_own_all_is_fine(subject) -> None:
    checks = settings.check(subject())
    assert [check.status for check in checks] == ["INFO", "OK", "OK"]
    assert "ingress → policy → router" in checks[1].message


def test_models_are_counted_and_rows_that_cannot_work_are_named_with_their_place(subject) -> None:
    keyless = {"model": "kimi", "provider": "moonshot", "api_key_env": "NO_SUCH_KEY"}
    fine, warning, *_ = settings.check(subject(models=[LOCAL, keyless]))
    assert (fine.status, fine.message.rpartition(": ")[2]) == ("OK", "1 model")
    assert warning.status == "WARN"
    assert "models.json:1:" in warning.details[0]
    assert "NO_SUCH_KEY" in warning.details[0]


@pytest.mark.parametrize(
    ("file", "text", "place"),
    [
        ("models.json", "[{]", ":1:3: this is not valid JSON"),
        ("models.json", b"\xff[]", ":1:1: this is not UTF-8"),
        ("pipeline.toml", "[pipeline]\nlisten = 3\n", "pipeline.toml:2:10: "),
        ("providers.toml", "[x]\n", "providers.toml:1:1: "),
    ],
)
def test_a_file_that_cannot_be_used_fails_with_its_place_and_hides_no_other(
    subject, file: str, text: str | bytes, place: str
) -> None:
    looked_at = subject()
    (looked_at.home.root / file).write_bytes(text if isinstance(text, bytes) else text.encode())
    checks = settings.check(looked_at)
    (failed,) = [check for check in checks if check.status == "FAIL"]
    assert place in " ".join(failed.details)
    assert len(checks) == 3


def test_files_that_do_not_fit_together_fail(subject) -> None:
    stages = "\n".join(f'[[stage]]\nname = "{name}"\nuse = "{name}"' for name in ("ingress", "router"))
    checks = settings.check(subject(models=[LOCAL], pipeline=f'{stages}\ndefault = "qwen4"\n'))
    assert checks[-1].status == "FAIL"
    assert "did you mean `qwen3`?" in checks[-1].details[0]


@needs_posix
def test_a_command_for_a_key_is_looked_for_and_not_run(subject, tmp_path: Path) -> None:
    program = tmp_path / "print-key"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path / 'it-was-run'}\n")
    program.chmod(0o755)
    row = {"model": "m", "provider": "openai", "base_url": "https://a.example/v1", "api_key_command": str(program)}
    looked_at = subject(models=[row, {**row, "slug": "other", "api_key_command": "no-such-program --key"}])
    fine, warning, *_ = settings.check(looked_at)
    assert fine.details == ["the keys of 1 come from commands, which are not run here"]
    assert "`no-such-program` that should print its key was not found" in warning.details[0]
    assert not (tmp_path / "it-was-run").exists()
    assert UNASKED not in repr(looked_at.settings.models)


def test_a_pipeline_of_the_environment_that_is_no_path_is_a_finding(subject) -> None:
    (failed,) = [check for check in settings.check(subject(environ={"CODEX_SHIM_PIPELINE": "mine.toml"})) if check.status == "FAIL"]
    assert "must be an absolute path" in failed.details[0]
