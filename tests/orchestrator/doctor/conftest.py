"""A home to look at: `subject(models=…, pipeline=…, environ=…)`, with nothing of the developer's in its environment."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from codex_shim.orchestrator.doctor.subject import Subject
from codex_shim.orchestrator.sources import Options


@pytest.fixture
def said() -> list[str]:
    """What `subject` was told to show of its progress."""
    return []


@pytest.fixture
def subject(tmp_path: Path, said: list[str]) -> Callable[..., Subject]:
    def make(models: Any = None, pipeline: str | None = None, environ: dict[str, str] | None = None) -> Subject:
        home = tmp_path / "home"
        home.mkdir(mode=0o700, exist_ok=True)
        if models is not None:
            (home / "models.json").write_text(models if isinstance(models, str) else json.dumps(models))
        if pipeline is not None:
            (home / "pipeline.toml").write_text(pipeline)
        options = Options(home=home, settings=home / "models.json")
        return Subject(options, {"PATH": os.defpath, "HOME": str(tmp_path / "user"), **(environ or {})}, said.append)

    return make
