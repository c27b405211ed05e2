"""scripts/codex-shim-install-cursor-composer, run as a user runs it, with a cursor-agent that costs nothing."""

from __future__ import annotations

import json
import os
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path
from shlex import join

import marked
import pytest
from fake_cursor_agent import FakeCursorAgent
from running_chain import RunningChain
from scripted_upstream import ScriptedUpstream
from systems import needs_posix
from warm_commands import CLI

SCRIPT = Path(__file__).parents[2] / "scripts" / "codex-shim-install-cursor-composer"

pytestmark = needs_posix


@pytest.fixture
def agent(tmp_path: Path) -> FakeCursorAgent:
    return FakeCursorAgent(tmp_path / "cursor")


@pytest.fixture
def shim(tmp_path: Path) -> Path:
    """The `codex-shim` on the PATH."""
    program = tmp_path / "bin" / "codex-shim"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {join(CLI)} "$@"\n')
    program.chmod(0o755)
    return program


def install(chain: RunningChain, shim: Path, agent: FakeCursorAgent, *options: str) -> subprocess.CompletedProcess[str]:
    chain.environ["PATH"] = f"{shim.parent}:{os.defpath}"  # a chain that it starts has all of this too
    chain.environ |= {"CURSOR_AGENT_BIN": str(agent.binary), "CURSOR_API_KEY": marked.key("cursor")}
    return subprocess.run(
        [SCRIPT, "--home", str(chain.home), *options],
        env=chain.environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )


def chosen(chain: RunningChain) -> str:
    return tomllib.loads((chain.home / "codex-home" / "config.toml").read_text())["model"]


def test_composer_is_chosen_and_it_is_said_what_to_type_next(idle_home: RunningChain, shim: Path, agent: FakeCursorAgent) -> None:
    done = install(idle_home, shim, agent)
    assert done.returncode == 0, done.stderr
    assert chosen(idle_home) == "composer-2-5"
    catalog = json.loads((idle_home.home / "custom_model_catalog.json").read_text())
    assert "composer-2-5" in [entry["slug"] for entry in catalog["models"]]
    steps = [line for line in done.stdout.splitlines() if line[1:3] == ". "]
    assert [step[:2] for step in steps] == ["1.", "2.", "3.", "4."]
    assert "cursor-agent is logged in" in done.stdout
    assert done.stdout.endswith("Codex starts with composer-2-5 from now on. Next: codex-shim start\n")
    marked.refuse(done.stdout + done.stderr, "what it says")
    assert all("CURSOR_API_KEY" not in asked["env"] for asked in agent.noted("status"))
    assert not (idle_home.home / "models.json").exists()


def test_without_a_login_nothing_is_written_and_the_remedy_told(
    idle_home: RunningChain, shim: Path, agent: FakeCursorAgent
) -> None:
    agent.scenario(status={"logged_in": False})
    done = install(idle_home, shim, agent)
    assert done.returncode == 1
    assert "→ run `cursor-agent login`" in done.stdout
    assert done.stderr.startswith("error: the Cursor subscription cannot be used yet\n  → ")
    assert not (idle_home.home / "codex-home").exists()


def test_what_is_missing_is_named(idle_home: RunningChain, shim: Path, agent: FakeCursorAgent) -> None:
    agent.binary.unlink()
    gone = install(idle_home, shim, agent)
    assert (gone.returncode, "CURSOR_AGENT_BIN names no program" in gone.stdout) == (1, True)
    shim.unlink()
    uninstalled = install(idle_home, shim, agent)
    assert (uninstalled.returncode, uninstalled.stderr.splitlines()[0]) == (1, "error: there is no `codex-shim`")


def test_a_running_chain_keeps_its_port_and_a_row_of_the_users_wins(
    start_chain: Callable[..., RunningChain], upstream: ScriptedUpstream, shim: Path, agent: FakeCursorAgent
) -> None:
    chain = start_chain(models=[upstream.model(slug="composer-2-5")])
    before, url, pid = (chain.home / "models.json").read_text(), chain.url, chain.pids["orchestrator"]
    done = install(chain, shim, agent)
    assert done.returncode == 0, done.stderr
    assert "Your models.json has a row with the slug composer-2-5 (provider " in done.stdout
    assert done.stdout.splitlines()[-1].endswith(f"Next: CODEX_HOME={chain.home / 'codex-home'} codex")
    assert (chain.home / "models.json").read_text() == before
    assert (chain.status()["url"], chosen(chain)) == (url, "composer-2-5")
    assert chain.pids["orchestrator"] != pid
