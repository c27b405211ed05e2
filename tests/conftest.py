"""What all tests that start real processes share. The classes behind the fixtures live in tests/support."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import marked
import pytest
from hypothesis import HealthCheck, settings
from running_chain import RunningChain, StartChain, chains
from scripted_upstream import ScriptedUpstream

# Otherwise each process of each run would rewrite the asserts of all test files anew, which takes seconds.
sys.dont_write_bytecode = False
# See `pytest_collection_finish`.
gc.disable()

# An example that takes long on a busy machine is no fault of the code.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# CI judges a change, the same way each time; the search for what nobody has thought of goes on wherever somebody works.
settings.register_profile("repeatable", settings.get_profile("patient"), derandomize=True, database=None, max_examples=50)
settings.load_profile("repeatable" if os.environ.get("CI") else "patient")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """For `-n auto`: tests that start processes wait for them much of the time, so that another one can go on meanwhile."""
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None
    return len(os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)) + 1


def pytest_collection_finish() -> None:
    """Thousands of tests are no garbage: looking through them again and again would take seconds."""
    gc.collect()
    gc.freeze()
    gc.enable()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """The run fails where a file that its tests have left behind holds one of their secrets, whoever has written it."""
    if hasattr(session.config, "workerinput"):
        return  # only once, behind all test processes
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
def start_chain(tmp_path: Path) -> Iterator[StartChain]:
    """`start_chain(models=[…], pipeline="…", environ={…})` → a running chain; for all of it see `running_chain.chains`."""
    with chains(tmp_path) as start:
        yield start


@pytest.fixture
def chain(start_chain: StartChain, upstream: ScriptedUpstream) -> RunningChain:
    """The default chain with one model, `scripted`, that leads to `upstream`."""
    return start_chain(models=[upstream.model()])


# -- for tests that do no harm to their chain: one per file and process, so that not every test waits for a start -------


@pytest.fixture(scope="module")
def kept_provider() -> Iterator[ScriptedUpstream]:
    """What the chains of `keep_chain` lead to."""
    scripted = ScriptedUpstream()
    yield scripted
    scripted.close()


@pytest.fixture
def provider(kept_provider: ScriptedUpstream) -> Iterator[ScriptedUpstream]:
    """`kept_provider` without what the test before has left of its script."""
    kept_provider.script()
    yield kept_provider
    assert not kept_provider.unscripted, f"{len(kept_provider.unscripted)} requests were not scripted"


@pytest.fixture(scope="module")
def keep_chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartChain]:
    """`start_chain`, whose chains live until the last test of the file has ended."""
    with chains(tmp_path_factory.mktemp("kept")) as start:
        yield start
