"""The real Codex CLI in front of the real default chain. One chain and one scripted upstream serve all tests of a test process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import codex_install
import pytest
import speakers
from codex_cli import Codex
from running_chain import RunningChain, bare_environment, write_files
from scripted_upstream import ScriptedUpstream

# The first is the default; the tests name the others by their slugs.
CONTEXT = 200_000
MODELS = [
    {"model": "vendor/large", "slug": "large", "display_name": "Large", "max_context_limit": CONTEXT},
    {"model": "vendor/blind", "slug": "blind", "display_name": "Blind", "no_image_support": True},
    {"model": "vendor/another", "slug": "another", "display_name": "Another"},
]


@pytest.fixture(scope="session")
def codex_launcher() -> Path:
    """The pinned Codex CLI, installed into the cache where it is missing."""
    return codex_install.ensure()


@pytest.fixture(scope="session")
def codex_environ(codex_launcher: Path) -> dict[str, str]:
    """By which a chain finds this CLI, to read the base prompt from it."""
    return {"CODEX_BIN": str(codex_launcher), "PATH": os.environ["PATH"]}


@pytest.fixture(scope="session")
def shared_upstream() -> Iterator[ScriptedUpstream]:
    scripted = ScriptedUpstream()
    yield scripted
    scripted.close()


@pytest.fixture(scope="session")
def chain(
    shared_upstream: ScriptedUpstream, codex_environ: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningChain]:
    """The default chain with three models, all of which lead to the scripted upstream."""
    folder = tmp_path_factory.mktemp("chain")
    pipeline = write_files(folder / "shim", [shared_upstream.model(**row) for row in MODELS], None)
    running = RunningChain(folder / "shim", bare_environment(folder / "user", codex_environ), pipeline)
    running.up()
    yield running
    running.down()


@pytest.fixture(scope="session")
def every_dialect(
    shared_upstream: ScriptedUpstream, codex_environ: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningChain]:
    """A chain with a model of each dialect (tests/support/speakers.py), all of which lead to the scripted upstream."""
    folder = tmp_path_factory.mktemp("dialects")
    pipeline = write_files(folder / "shim", speakers.rows(shared_upstream), None)
    running = RunningChain(folder / "shim", bare_environment(folder / "user", codex_environ), pipeline)
    running.up()
    yield running
    running.down()


@pytest.fixture
def upstream(shared_upstream: ScriptedUpstream) -> Iterator[ScriptedUpstream]:
    """The shared upstream with an empty script."""
    shared_upstream.script()
    yield shared_upstream
    assert not shared_upstream.unscripted, f"{len(shared_upstream.unscripted)} requests were not scripted"


@pytest.fixture
def bare_codex(codex_launcher: Path, tmp_path: Path) -> Codex:
    """The CLI, not yet told of any chain."""
    return Codex(codex_launcher, tmp_path)


@pytest.fixture
def codex(bare_codex: Codex, chain: RunningChain) -> Codex:
    """The CLI, configured for the shared chain."""
    bare_codex.use(chain)
    return bare_codex
