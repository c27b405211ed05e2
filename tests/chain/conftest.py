"""Chains for tests that do no harm to them: one per file and process, so that not every test waits for a start."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pipelines import INGRESS, POLICY, ROUTER, pipeline
from running_chain import RunningChain, StartChain, bare_environment, chains
from scripted_upstream import ScriptedUpstream


@pytest.fixture(scope="module")
def provider() -> Iterator[ScriptedUpstream]:
    """What `kept_chain` leads to. Each test scripts it anew."""
    scripted = ScriptedUpstream()
    yield scripted
    scripted.close()


@pytest.fixture(autouse=True)
def each_has_its_own_script(request: pytest.FixtureRequest) -> Iterator[None]:
    """What one test has left of `provider`'s script is nothing to the next."""
    if "provider" not in request.fixturenames:
        yield
        return
    provider: ScriptedUpstream = request.getfixturevalue("provider")
    provider.script()
    yield
    assert not provider.unscripted, f"{len(provider.unscripted)} requests were not scripted"


@pytest.fixture(scope="module")
def keep_chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartChain]:
    """`start_chain`, whose chains live until the last test of the file has ended."""
    with chains(tmp_path_factory.mktemp("kept")) as start:
        yield start


@pytest.fixture(scope="module")
def kept_chain(provider: ScriptedUpstream, keep_chain: StartChain) -> RunningChain:
    """The default chain, with a keepalive every fifth of a second."""
    return keep_chain([provider.model()], pipeline(INGRESS + "keepalive_seconds = 0.2\n", POLICY, ROUTER))


@pytest.fixture
def idle_home(tmp_path: Path) -> RunningChain:
    """A home in which nothing runs, for commands: `idle_home.cli(…)`."""
    (tmp_path / "shim").mkdir()
    return RunningChain(tmp_path / "shim", bare_environment(tmp_path / "user"), None)
