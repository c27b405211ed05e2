"""What all tests that start real processes share. The classes behind the fixtures live in tests/support."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from running_chain import RunningChain, bare_environment, write_files
from scripted_upstream import ScriptedUpstream

# An example that takes long on a busy machine is no fault of the code.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")


@pytest.fixture
def upstream() -> Iterator[ScriptedUpstream]:
    """A scripted provider of chat completions (tests/support/scripted_upstream.py). A request that was not scripted is an error."""
    scripted = ScriptedUpstream()
    yield scripted
    scripted.close()
    assert not scripted.unscripted, f"{len(scripted.unscripted)} requests were not scripted"


@pytest.fixture
def start_chain(tmp_path: Path) -> Iterator[Callable[..., RunningChain]]:
    """`start_chain(models=[…], pipeline="…", environ={…})` → a running chain with a home of its own.

    `models` is written as models.json, `pipeline` as pipeline.toml (the packaged one if None), `environ` is added to an
    environment that holds nothing of the developer's. At the end each chain is brought down, and no process of it may be left.
    """
    chains: list[RunningChain] = []

    def start(
        models: list[Any] | dict[str, Any] | None = None, pipeline: str | None = None, environ: dict[str, str] | None = None
    ) -> RunningChain:
        home = tmp_path / f"shim-{len(chains)}"
        chain = RunningChain(home, bare_environment(tmp_path / "user", environ), write_files(home, models, pipeline))
        chains.append(chain)
        chain.up()
        return chain

    yield start
    for chain in chains:
        chain.down()


@pytest.fixture
def chain(start_chain: Callable[..., RunningChain], upstream: ScriptedUpstream) -> RunningChain:
    """The default chain with one model, `scripted`, that leads to `upstream`."""
    return start_chain(models=[upstream.model()])
