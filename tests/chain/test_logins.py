"""Logins that come and go while a real chain runs: what is on offer follows them, without a restart and without a wait."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from chatgpt_login import MARK, login, write_auth
from fake_cursor_agent import FakeCursorAgent
from raw_http import send
from running_chain import RunningChain
from systems import needs_posix
from waiting import until

pytestmark = needs_posix

LISTED = {"gpt-5.5", "gpt-5.4", "gpt-5.4-mini", "gpt-5.3-codex", "gpt-5.3-codex-spark", "gpt-5.2"}
COMPOSER = {"composer-2-5", "composer-2-5-fast"}
# Two looks of the watch and a question, on a busy machine.
SEEN = 30.0


def offer(chain: RunningChain) -> dict[str, Any]:
    return {name: value for name, value in send(chain, "GET", "/health").json().items() if name.endswith("_passthrough")}


def slugs(chain: RunningChain) -> set[str]:
    """What is listed: in `/v1/models` in both its shapes, in the catalog file, and as a number in `/health`."""
    told = send(chain, "GET", "/v1/models")
    assert told.headers["etag"].startswith('W/"codex-shim-')
    found = {row["id"] for row in told.json()["data"]}
    file = json.loads((chain.home / "custom_model_catalog.json").read_bytes())["models"]
    assert found == {entry["slug"] for entry in told.json()["models"]} == {entry["slug"] for entry in file}
    assert [entry["priority"] for entry in file] == sorted(entry["priority"] for entry in file)
    assert send(chain, "GET", "/health").json()["models"] == len(found)
    return found


def slugs_of_file(chain: RunningChain) -> set[str]:
    return {entry["slug"] for entry in json.loads((chain.home / "custom_model_catalog.json").read_bytes())["models"]}


def listing(chain: RunningChain) -> tuple[dict[str, str], str]:
    """`codex-shim list`: each slug and where it comes from, and what was said beside it."""
    done = chain.cli("list", "--json")
    return {row["slug"]: row["source"] for row in json.loads(done.stdout)["models"]}, done.stderr


def test_d52_what_is_on_offer_follows_both_logins(start_chain: Callable[..., RunningChain], tmp_path: Path) -> None:
    agent = FakeCursorAgent(tmp_path / "cursor")
    agent.scenario(status={"logged_in": False})
    user = tmp_path / "user"
    chain = start_chain(environ={"CURSOR_AGENT_BIN": str(agent.binary), "CURSOR_API_KEY": "crsr-env"})

    # Nobody is logged in: the demo serves, both workers sleep, and that is as ready as it gets.
    assert chain.cli("pipeline", "ready").returncode == 0
    until(lambda: agent.noted("status"), "cursor-agent has been asked")
    assert "CURSOR_API_KEY" not in agent.noted("status")[0]["env"]
    assert slugs(chain) == {"demo"}
    assert {name: chain.stage(name)["state"] for name in ("chatgpt", "cursor")} == {"chatgpt": "asleep", "cursor": "asleep"}
    assert "starts with its first request" in chain.cli("status").stdout
    shown, said = listing(chain)
    assert shown == {"demo": "demo"}
    assert "not on offer: ChatGPT: Codex is not logged in with ChatGPT; run `codex login`" in said
    config = (chain.home / "codex-home" / "config.toml").read_text()
    assert 'model = "demo"' in config

    # Both come.
    write_auth(user / ".codex", login())
    agent.scenario(status={"logged_in": True})
    (user / ".config" / "cursor").mkdir(parents=True)
    (user / ".config" / "cursor" / "auth.json").write_text("{}")
    both = {"chatgpt_passthrough": True, "cursor_passthrough": True}
    until(lambda: offer(chain) == both and chain.status()["logins"]["cursor"]["usable"], "both logins are seen", SEEN)
    until(lambda: slugs_of_file(chain) == LISTED | COMPOSER, "the catalog has all")
    assert slugs(chain) == LISTED | COMPOSER
    shown, said = listing(chain)
    assert shown == {**dict.fromkeys(LISTED, "chatgpt"), **dict.fromkeys(COMPOSER, "cursor")}
    assert "not on offer" not in said
    assert 'model = "gpt-5.5"' in (chain.home / "codex-home" / "config.toml").read_text(), "the demo is no longer there"
    assert all(stage["pid"] is None for stage in chain.status()["stages"] if stage["name"] in ("chatgpt", "cursor"))

    # One ends by itself, the other is ended.
    write_auth(user / ".codex", login(seconds=-1))
    until(lambda: not offer(chain)["chatgpt_passthrough"], "the expired login is seen", SEEN)
    agent.scenario(status={"logged_in": False})
    (user / ".config" / "cursor" / "auth.json").unlink()
    until(lambda: not offer(chain)["cursor_passthrough"], "the logout is seen", SEEN)
    until(lambda: slugs_of_file(chain) == {"demo"}, "the catalog has the demo only")
    assert slugs(chain) == {"demo"}
    assert "the ChatGPT login has expired" in chain.cli("status", check=False).stdout
    assert 'model = "gpt-5.5"' in (chain.home / "codex-home" / "config.toml").read_text(), "a choice outlives a login"
    everything = chain.all_logs() + chain.cli("status", "--json").stdout + chain.cli("list").stdout
    assert MARK not in everything
    assert "somebody@example.test" not in everything

    # Without a chain, commands ask for themselves.
    chain.down()
    agent.scenario(status={"logged_in": True})
    shown, said = listing(chain)
    assert shown == dict.fromkeys(COMPOSER, "cursor")
    assert "Asking cursor-agent whether it is logged in" in said
    assert "not on offer: ChatGPT: the ChatGPT login has expired" in said
    assert set(json.loads(chain.cli("generate", "--json").stdout)["models"]) == COMPOSER == slugs_of_file(chain)


def test_a_request_wakes_a_worker_and_one_that_is_killed_sleeps_again(start_chain: Callable[..., RunningChain]) -> None:
    """Nobody is logged in, so the worker says what to do; that is what its user needs to read."""
    chain = start_chain()
    body = json.dumps({"model": "gpt-5.5", "input": "hi", "stream": False})
    refused = send(chain, "POST", "/v1/responses", body)
    assert refused.status in (401, 403)
    assert "`codex login`" in refused.error["message"]
    assert chain.stage("chatgpt")["state"] == "ready"
    chain.note_processes()
    os.kill(chain.pids["chatgpt"], signal.SIGKILL)
    until(lambda: chain.stage("chatgpt")["state"] == "asleep", "it sleeps again")
    assert "`codex login`" in send(chain, "POST", "/v1/responses", body).error["message"]
    assert chain.cli("pipeline", "restart", "chatgpt").stdout == "chatgpt was replaced\n"
