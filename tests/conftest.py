"""What all tests that start real processes share. The classes behind the fixtures live in tests/support."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import marked
import pytest
from hypothesis import HealthCheck, settings
from running_chain import RunningChain, bare_environment, write_files
from scripted_upstream import ScriptedUpstream

# An example that takes long on a busy machine is no fault of the code.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """For `-n auto`: tests that start processes wait for them much of the time, so that another one can go on meanwhile."""
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None
    return len(os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)) + 1


def pytest_sessionfinish(session: pytest.Session) -> None:
    """The run fails where a file that its tests left behind holds one of their secrets, whoever has written it."""
    if not hasattr(session.config, "workerinput"):  # once, behind all test processes
        search_for_secrets(session)


def search_for_secrets(session: pytest.Session) -> None:
    folder: Path = session.config._tmp_path_factory.getbasetemp()  # pyright: ignore[reportAttributeAccessIssue]  # as xdist does
    session.config.stash[FOUND] = found = marked.files_with_secrets(folder)
    if found:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    for path in config.stash.get(FOUND, []):
        terminalreporter.write_line(f"FAILED: a secret of a test is in the file {path} (tests/support/marked.py)", red=True)


FOUND = pytest.StashKey[list[Path]]()


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
    numbers = itertools.count()

    def start(
        models: list[Any] | dict[str, Any] | None = None, pipeline: str | None = None, environ: dict[str, str] | None = None
    ) -> RunningChain:
        home = tmp_path / f"shim-{next(numbers)}"
        chain = RunningChain(home, bare_environment(tmp_path / "user", environ), write_files(home, models, pipeline))
        chains.callback(chain.down)  # each of them, whatever becomes of the others
        chain.up()
        return chain

    with ExitStack() as chains:
        yield start


@pytest.fixture
def chain(start_chain: Callable[..., RunningChain], upstream: ScriptedUpstream) -> RunningChain:
    """The default chain with one model, `scripted`, that leads to `upstream`."""
    return start_chain(models=[upstream.model()])
