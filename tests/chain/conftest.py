"""Chains for tests that do no harm to them: one per file and process, so that not every test waits for a start."""

from __future__ import annotations

from pathlib import Path

import pytest
from pipelines import INGRESS, POLICY, ROUTER, pipeline
from running_chain import RunningChain, StartChain, bare_environment
from scripted_upstream import ScriptedUpstream


@pytest.fixture(scope="module")
def kept_chain(kept_provider: ScriptedUpstream, keep_chain: StartChain) -> RunningChain:
    """The default chain, with a keepalive every fifth of a second."""
    return keep_chain([kept_provider.model()], pipeline(INGRESS + "keepalive_seconds = 0.2\n", POLICY, ROUTER))


@pytest.fixture
def idle_home(tmp_path: Path) -> RunningChain:
    """A home in which nothing runs, for commands: `idle_home.cli(…)`."""
    (tmp_path / "shim").mkdir()
    return RunningChain(tmp_path / "shim", bare_environment(tmp_path / "user"), None)
