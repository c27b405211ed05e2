"""Chains for tests that do no harm to them: one per file and process, so that not every test waits for a start."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pipelines import INGRESS, POLICY, ROUTER, pipeline
from running_chain import RunningChain, bare_environment, write_files
from scripted_upstream import ScriptedUpstream


@pytest.fixture(scope="module")
def provider() -> Iterator[ScriptedUpstream]:
    """What `kept_chain` leads to. Each test scripts it anew."""
    scripted = ScriptedUpstream()
    yield scripted
    scripted.close()


@pytest.fixture(scope="module")
def kept_chain(provider: ScriptedUpstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningChain]:
    """The default chain, with a keepalive every fifth of a second."""
    folder = tmp_path_factory.mktemp("kept")
    text = pipeline(INGRESS + "keepalive_seconds = 0.2\n", POLICY, ROUTER)
    chain = RunningChain(folder / "shim", bare_environment(folder / "user"), write_files(folder / "shim", [provider.model()], text))
    chain.up()
    yield chain
    chain.down()


@pytest.fixture
def idle_home(tmp_path: Path) -> RunningChain:
    """A home in which nothing runs, for commands: `idle_home.cli(…)`."""
    (tmp_path / "shim").mkdir()
    return RunningChain(tmp_path / "shim", bare_environment(tmp_path / "user"), None)
