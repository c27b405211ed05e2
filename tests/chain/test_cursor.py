"""The Cursor passthrough in a real chain, before a `cursor-agent` that costs nothing. There is no models.json at all."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import marked
import pytest
from chat_answers import says
from codex_shim.orchestrator import loopback
from fake_cursor_agent import FakeCursorAgent, Step
from fake_cursor_agent_stage import left_files
from pipelines import INGRESS, POLICY, ROUTER, pipeline
from png import DATA_URL
from raw_http import Plain, post, send
from responses_client import Answer, ask, ask_all, error_of, text_of, user
from running_chain import RunningChain, bare_environment, write_files
from scripted_upstream import ScriptedUpstream
from systems import needs_posix
from waiting import until

SLUG, ALIAS, FAST = "composer-2-5", "composer-2.5", "composer-2-5-fast"
CHECKOUT = Path(__file__).parents[2]
HANG: Step = {"hang": True}
STUBBORN: Step = {"ignore": ["SIGTERM"]}
ESCAPEE: Step = {"fork": {"setsid": True, "ignore": ["SIGTERM"], "hold": True}}
KEYS = {name: marked.key(name) for name in ("CURSOR_API_KEY", "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GITHUB_TOKEN")}

pytestmark = needs_posix


class Subscribed(NamedTuple):
    """A chain, its cursor-agent, and the home of its user."""

    chain: RunningChain
    agent: FakeCursorAgent
    user_home: Path

    def log_in(self, **more: Any) -> None:
        """`more` is what else `cursor-agent status` does, before it tells so."""
        self.agent.scenario(status={"logged_in": True, **more})
        self.login_file.parent.mkdir(parents=True, exist_ok=True)
        self.login_file.write_text("{}")

    def log_out(self) -> None:
        self.agent.scenario(status={"logged_in": False})
        self.login_file.unlink()

    @property
    def login_file(self) -> Path:
        return self.user_home / ".config" / "cursor" / "auth.json"

    @property
    def slots(self) -> Path:
        return self.chain.home / "run" / "cursor" / "slots"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Subscribed]:
    """One chain for all tests of this file that start none of their own: two slots, and one may wait."""
    folder = tmp_path_factory.mktemp("cursor")
    agent, home = FakeCursorAgent(folder / "agent"), folder / "shim"
    text = pipeline(INGRESS, POLICY, ROUTER, "[egress.cursor]\nqueue = 1\n")
    environ = bare_environment(folder / "user", {"CURSOR_AGENT_BIN": str(agent.binary), **KEYS})
    subscribed = Subscribed(RunningChain(home, environ, write_files(home, None, text)), agent, folder / "user")
    subscribed.log_in()
    subscribed.chain.up()
    until(lambda: offers_cursor(subscribed.chain), "the login is seen")
    yield subscribed
    subscribed.chain.down()
    agent.forget()
    assert left_files(subscribed.slots) == []


@pytest.fixture
def at(kept: Subscribed) -> Iterator[Subscribed]:
    """A greeting is all that is scripted, and nothing is remembered of an earlier test."""
    kept.agent.forget()
    yield kept
    until(lambda: not kept.agent.living(), "nothing of what was started is left")


def offers_cursor(chain: RunningChain) -> bool:
    return send(chain, "GET", "/health").json()["cursor_passthrough"]


def advertised(chain: RunningChain) -> dict[str, set[str]]:
    """The models on offer, in each place where it is said; of `list` the slug is the first word of a line."""
    told = send(chain, "GET", "/v1/models").json()
    file = json.loads((chain.home / "custom_model_catalog.json").read_bytes())
    return {
        "data": {row["id"] for row in told["data"]},
        "models": {row["slug"] for row in told["models"]},
        "file": {entry["slug"] for entry in file["models"]},
        "list": {line.split()[0] for line in chain.cli("list").stdout.splitlines()},
    }


def option(started: dict[str, Any], name: str) -> str:
    return started["argv"][started["argv"].index(name) + 1]


def in_folder(folder: Path) -> dict[str, Any]:
    """As Codex says where it works."""
    return user(f"<environment_context>\n  <cwd>{folder}</cwd>\n  <shell>bash</shell>\n</environment_context>")


def logged_errors(at: Subscribed) -> str:
    """What the worker has written down of its failures."""
    return "\n".join(line["error"] for line in at.chain.logs("cursor") if "error" in line)


# -- turns ------------------------------------------------------------------------------------------------------------


def test_every_name_of_the_model_is_served_by_a_run_of_its_own(at: Subscribed) -> None:
    assert not (at.chain.home / "models.json").exists()
    for slug in (SLUG, ALIAS, FAST):
        assert text_of(ask_all(at.chain, "marked words", model=slug)) == "Hello from Composer."
    assert [option(started, "--model") for started in at.agent.started] == [ALIAS, ALIAS, "composer-2.5-fast"]
    with ask(at.chain, model=ALIAS, codex=False, stream=False) as answer:
        told = answer.json()
    assert (answer.status, told["output"][0]["content"][0]["text"]) == (200, "Hello from Composer.")
    assert told["usage"]["input_tokens"] == 117
    assert all("marked words" in prompt for prompt in at.agent.prompts[:3])
    assert "marked words" not in json.dumps(at.agent.started) + at.chain.all_logs()
    assert dict(at.chain.stage("cursor"))["state"] == "ready"


def test_d42_the_workspace_is_the_folder_of_the_turn_and_never_ours(at: Subscribed, tmp_path: Path) -> None:
    for folder in (tmp_path, CHECKOUT, CHECKOUT / "stages"):
        ask_all(at.chain, model=SLUG, input=[in_folder(folder), user("hi")])
    of_user, *others = at.agent.started
    assert of_user["cwd"] == option(of_user, "--workspace") == str(tmp_path)
    for started in others:
        assert started["cwd"] == option(started, "--workspace")
        assert Path(started["cwd"]).parent.parent == at.slots
    assert list(tmp_path.iterdir()) == []


def test_d44_d51_no_key_of_the_users_environment_reaches_the_program(at: Subscribed) -> None:
    ask_all(at.chain, model=SLUG)
    for run in (*at.agent.started, *at.agent.noted("status")):
        assert not KEYS.keys() & run["env"].keys()
        assert not [name for name in run["env"] if name.startswith("CODEX_SHIM") and name != "CODEX_SHIM_RUN_ID"]
    assert not {"--force", "-f", "--yolo"} & {*at.agent.started[0]["argv"]}
    assert option(at.agent.started[0], "--mode") == "ask"
    marked.refuse(json.dumps(at.agent.record), "what cursor-agent was given")
    assert at.chain.token not in json.dumps(at.agent.record)


def test_pictures_are_described_and_not_sent(at: Subscribed) -> None:
    picture = {"type": "message", "role": "user", "content": [{"type": "input_image", "image_url": DATA_URL}]}
    ask_all(at.chain, model=SLUG, input=[picture, user("which colour?")])
    assert "[image omitted: PNG 2×2," in at.agent.prompts[0]
    assert "base64" not in at.agent.prompts[0]


# -- the login --------------------------------------------------------------------------------------------------------


def test_d52_a_login_comes_and_goes_while_the_chain_runs_and_nobody_waits_for_its_status(at: Subscribed) -> None:
    chain, pids = at.chain, at.chain.pids
    assert set(advertised(chain)["list"]) == {SLUG, FAST}
    at.log_out()
    until(lambda: not offers_cursor(chain), "the logout is seen")
    until(lambda: set.union(*advertised(chain).values()) == {"demo"}, "only the demo is on offer")
    assert "not on offer: Cursor: Cursor is not logged in; run `cursor-agent login`" in chain.cli("list").stderr
    asked = len(at.agent.noted("status"))
    at.log_in(**{"await": "answer"})
    until(lambda: len(at.agent.noted("status")) > asked, "cursor-agent is asked again, and does not answer yet")
    assert set.union(*advertised(chain).values()) == {"demo"}, "and meanwhile everybody is told what was known"
    at.agent.touch("answer")
    until(lambda: offers_cursor(chain), "the login is seen")
    until(lambda: list(advertised(chain).values()) == 4 * [{SLUG, FAST}], "both models are on offer")
    assert text_of(ask_all(chain, model=SLUG)) == "Hello from Composer."
    assert {name: pid for name, pid in chain.pids.items() if name in pids} == pids
    assert "somebody@example.test" not in chain.all_logs() + chain.cli("status", "--json").stdout


REFUSALS: list[tuple[list[Step], int, str, str, str]] = [
    ([{"trouble": "login"}], 401, "cursor_auth_required", "invalid_prompt", "`cursor-agent login`"),
    ([{"trouble": "limit"}], 402, "cursor_usage_limit", "invalid_prompt", "12/31/2026"),
    ([{"trouble": "capacity"}], 429, "cursor_rate_limited", "rate_limit_exceeded", "try again in 15s"),
    ([{"trouble": "unavailable"}], 503, "cursor_upstream_unavailable", "server_error", "network"),
    ([{"exit": 3}], 502, "cursor_protocol_error", "server_error", "exit code 3"),
    ([{"say": "You've hit your usage limit. Get Pro."}, {"result": {}}], 402, "cursor_usage_limit", "invalid_prompt", "limit"),
    ([{"say": "RetriableError: [resource_exhausted] Error"}, {"result": {}}], 429, "cursor_rate_limited", "rate_limit_", "15s"),
    ([{"tool": "edit"}, HANG], 403, "cursor_policy_violation", "invalid_prompt", "`edit`"),
]


def test_d48_whatever_cursor_refuses_is_an_error_for_codex_and_for_others(at: Subscribed) -> None:
    for steps, status, code, for_codex, words in REFUSALS:
        at.agent.plays(*steps)
        with ask(at.chain, model=SLUG, codex=False, stream=False) as answer:
            told = answer.json()["error"]
        assert (answer.status, told["code"]) == (status, code)
        shown = error_of(ask_all(at.chain, model=SLUG))
        assert shown["code"].startswith(for_codex), (shown, steps)
        assert words in told["message"]
        assert told["message"].rstrip(".") in shown["message"]
        until(lambda told=told: told["message"] in logged_errors(at), "the sentence is in the log")
        at.agent.plays({"say": "Well."}, {"result": {}})
        assert text_of(ask_all(at.chain, model=SLUG)) == "Well.", "three refusals in a row would stop the asking"


def test_a_failure_behind_the_first_words_is_told_and_the_words_stay(at: Subscribed) -> None:
    at.agent.plays({"say": "Half of it"}, {"trouble": "limit"})
    before = logged_errors(at).count("usage limit")
    events = ask_all(at.chain, model=SLUG)
    assert text_of(events) == "Half of it"
    assert error_of(events)["code"] == "invalid_prompt"
    until(lambda: logged_errors(at).count("usage limit") > before, "it is in the log too")


# -- ends -------------------------------------------------------------------------------------------------------------


@contextmanager
def begun(chain: RunningChain) -> Iterator[Answer]:
    """A turn whose first words have come."""
    with ask(chain, model=SLUG) as answer:
        assert "response.output_text.delta" in (event["type"] for event in answer.events())
        yield answer


def last_of(answer: Answer) -> dict[str, Any]:
    """The event that a turn ends with."""
    *_, last = [event for event in answer.events() if event["type"] != "keepalive"]
    return last


def test_d45_a_client_that_leaves_ends_all_that_was_started(at: Subscribed) -> None:
    at.agent.plays(ESCAPEE, STUBBORN, {"say": "Working on it."}, {"tool": "read", "outcome": "open"}, HANG)
    with begun(at.chain):
        until(lambda: at.agent.noted("hanging"), "it works and says nothing")
        assert len(at.agent.living()) == 2
    until(lambda: not at.agent.living(), "both processes are gone")
    until(lambda: not left_files(at.slots), "and what lay in the slot")


def test_beyond_two_runs_and_one_who_waits_there_is_a_clear_answer(at: Subscribed) -> None:
    at.agent.plays({"say": "Mine."}, {"await": "go"}, {"result": {}})
    with ThreadPoolExecutor() as beside, begun(at.chain) as one, begun(at.chain) as another:
        waiting = beside.submit(ask_all, at.chain, model=SLUG)
        until(lambda: pool_of(at.chain)["waiting"] == 1, "one waits")
        refused, shown = refusals(at.chain)
        assert len(at.agent.started) == 2
        at.agent.touch("go")
        assert {last_of(answer)["type"] for answer in (one, another)} == {"response.completed"}
        assert text_of(waiting.result()) == "Mine."
    told, wait = refused.error, refused.headers["retry-after"]
    assert (refused.status, told["code"], int(wait) > 0) == (429, "cursor_pool_full", True)
    assert shown["code"] == "rate_limit_exceeded", "upon which Codex waits"
    assert f"try again in {wait}s" in shown["message"]


def refusals(chain: RunningChain) -> tuple[Plain, dict[str, Any]]:
    """What another client is told at this moment, and Codex."""
    return post(chain, {"model": SLUG, "input": "hi"}), error_of(ask_all(chain, model=SLUG))


def pool_of(chain: RunningChain) -> dict[str, int]:
    """As the worker tells it whoever looks."""
    told = loopback.get(f"http://{chain.stage('cursor')['address']}", "/health")
    assert told is not None
    return told["pool"]


def test_a_worker_that_is_killed_takes_its_runs_along_and_the_next_request_wakes_another(at: Subscribed) -> None:
    chain = at.chain
    at.agent.plays(ESCAPEE, STUBBORN, {"say": "Half"}, HANG)
    with begun(chain) as answer:
        until(lambda: at.agent.noted("hanging"), "it hangs")
        chain.note_processes()
        others = {name: pid for name, pid in chain.pids.items() if name != "cursor"}
        os.kill(chain.pids["cursor"], signal.SIGKILL)
        last = last_of(answer)
    assert (last["type"], last["response"]["error"]["code"]) == ("response.failed", "server_error")
    until(lambda: not at.agent.living(), "its children have ended with it")
    until(lambda: chain.stage("cursor")["state"] == "asleep", "it sleeps again")
    at.agent.plays({"say": "Awake."}, {"result": {}})
    assert text_of(ask_all(chain, model=SLUG)) == "Awake."
    assert {name: pid for name, pid in chain.pids.items() if name != "cursor"} == others
    until(lambda: not left_files(at.slots), "what the killed one left is cleared")


# -- settings, and the end of the chain -------------------------------------------------------------------------------


def test_its_settings_count_and_a_stop_in_the_middle_of_a_run_leaves_nothing(
    start_chain: Callable[..., RunningChain], upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    agent, project, settings = FakeCursorAgent(tmp_path / "agent"), tmp_path / "project", tmp_path / "settings"
    for folder in (project, settings):
        folder.mkdir()
    (settings / "cli-config.json").write_text('{"network": {"useHttp1ForAgent": true}}')
    named = {"CURSOR_AGENT_BIN": "a-name-of-its-own", "CODEX_SHIM_CURSOR_WORKSPACE": str(project)}
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "a-name-of-its-own").symlink_to(agent.binary)
    path = {"PATH": f"{tmp_path / 'bin'}:{os.defpath}", "CURSOR_CONFIG_DIR": str(settings)}
    keyless = {name: value for name, value in upstream.model().items() if name != "api_key"}
    chain = start_chain([keyless], pipeline(INGRESS, POLICY, ROUTER, drain_seconds=0.2), {**named, **path, **KEYS})

    # D51: no key of Cursor's for another provider that has none.
    upstream.script(says("keyless"))
    assert text_of(ask_all(chain, model="scripted")) == "keyless"
    marked.refuse(json.dumps(upstream.requests[0].headers), "a request to another provider")
    assert chain.stage("cursor")["state"] == "asleep", "who does not ask for it has no process of it"

    agent.plays(ESCAPEE, STUBBORN, {"say": "Half"}, HANG)
    with begun(chain) as answer:
        assert (agent.started[0]["cwd"], option(agent.started[0], "--workspace")) == (str(project), str(project))
        (given,) = agent.noted("settings")
        assert given["settings"]["network"] == {"useHttp1ForAgent": True}, "the user's own, wherever they are"
        until(lambda: agent.noted("hanging"), "it hangs")
        chain.note_processes()
        assert chain.cli("stop").returncode == 0
        assert agent.living() == []
        assert left_files(chain.home / "run" / "cursor" / "slots") == []
        assert last_of(answer)["type"] == "response.failed"

    slots = chain.home / "run" / "cursor" / "slots"
    (slots / "0" / "data").mkdir(parents=True, exist_ok=True)
    (slots / "0" / "data" / "chat.db").write_text("a prompt")
    (slots / "0" / "run.json").write_text('{"run_id": "of-a-chain-that-was-killed"}')
    chain.up()
    until(lambda: not left_files(slots), "the worker starts with the chain, and clears what a killed one has left")


def test_a_switch_takes_it_out_of_the_chain(idle_home: RunningChain, tmp_path: Path) -> None:
    agent = FakeCursorAgent(tmp_path / "agent")
    idle_home.environ |= {"CURSOR_AGENT_BIN": str(agent.binary)}
    assert SLUG in idle_home.cli("list").stdout
    idle_home.environ |= {"CODEX_SHIM_DISABLE_CURSOR": "1"}
    listed = idle_home.cli("list")
    assert SLUG not in listed.stdout
    assert "it is switched off by CODEX_SHIM_DISABLE_CURSOR" in listed.stderr
    assert "cursor" not in idle_home.cli("pipeline", "graph").stdout
    assert agent.started == []
