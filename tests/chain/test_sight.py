"""Tap, diff, record, replay and compare on one chain whose own stage changes something, and a recording that is the provider."""

from __future__ import annotations

import http.client
import json
import stat
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import marked
import pytest
from chat_answers import refuses, says
from codex_shim.orchestrator.sight.crossing import Crossing
from codex_shim.orchestrator.sight.recorder import Recorder
from native_answers import native_frames
from pipelines import INGRESS, ROUTER, pipeline
from responses_client import ask, ask_all, text_of, user
from running_chain import RunningChain, StartChain
from scripted_upstream import ScriptedUpstream
from systems import needs_modes, needs_posix
from waiting import PATIENCE, until
from working_commands import Working, working

SECRET = marked.key("prompt")
# It puts what changes with each turn in front of everything, which costs the provider's cache.
HASTY = """
turn = 0

def request(body):
    global turn
    turn += 1
    note = {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": f"This is turn {turn}."}]}
    body["input"].insert(0, note)
    body.pop("store", None)

def event(event):
    if event["type"] == "response.output_text.delta":
        event["delta"] = event["delta"].replace("Hello", "Good day")
"""


@pytest.fixture(scope="module")
def seen(kept_provider: ScriptedUpstream, keep_chain: StartChain, tmp_path_factory: pytest.TempPathFactory) -> RunningChain:
    script = tmp_path_factory.mktemp("hasty") / "hasty.py"
    script.write_text(HASTY)
    stage = f'[[stage]]\nname = "hasty"\nscript = {json.dumps(str(script))}\n'
    return keep_chain([kept_provider.model()], pipeline(INGRESS, stage, ROUTER))


def probes(chain: RunningChain) -> list[str]:
    return [each["name"] for each in chain.status()["stages"] if each["name"].startswith("probe-")]


def turn(chain: RunningChain, *prompts: str) -> str:
    """One request of a session, which has come this far."""
    items = [user(prompt) for prompt in prompts]
    return text_of(ask_all(chain, input=items, store=False, headers={"session-id": "session-one", "x-api-key": SECRET}))


@needs_modes
@needs_posix
def test_a_chain_is_tapped_compared_recorded_and_replayed(seen: RunningChain, provider: ScriptedUpstream, tmp_path: Path) -> None:
    refusal = refuses(429, {"error": {"message": "Wait."}})
    provider.script(says("Hello ", "you."), says("Hello ", "again."), refusal, says("In one ", "piece."))
    file = tmp_path / "session.jsonl"
    assert probes(seen) == []
    with ExitStack() as commands:

        def begin(*words: str) -> Working:
            return commands.enter_context(working(seen, *words))

        tap = begin("pipeline", "tap", "*>router", "ingress>*", "--body")
        refused = begin("pipeline", "tap", "router>*", "--status", "4xx", "--limit", "1", "--json")
        diff = begin("pipeline", "tap", "--diff", "hasty", "--limit", "2")
        record = begin("record", "--out", str(file), "--limit", "4")
        for each in (tap, refused, diff, record):
            each.wait_for("Watching")
        assert probes(seen)

        assert turn(seen, f"My key is {SECRET}.") == "Good day you."
        assert turn(seen, f"My key is {SECRET}.", "And now?") == "Good day again."
        with ask(seen, "one more", codex=False) as answer:
            assert answer.status == 429
        with ask(seen, "no stream", stream=False) as answer:
            assert answer.json()["status"] == "completed"
        assert (refused.end(), diff.end(), record.end()) == (0, 0, 0)
        until(lambda: tap.stdout.count("hasty>router") >= 4, "the tap shows all requests")
        assert tap.interrupt() == 0, tap.stderr
    _tapped(tap.stdout, [json.loads(line) for line in refused.stdout.splitlines()])
    _changed(diff.stdout)
    until(lambda: probes(seen) == [], "the probes are gone with those who asked for them")

    assert record.stdout.startswith(f"Wrote 4 exchanges to {file}, ")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    _replayed(seen, provider, file)


@needs_posix
def test_a_tap_follows_the_chain_when_it_changes(seen: RunningChain, provider: ScriptedUpstream) -> None:
    provider.script(says("Hello."), says("Hello."))
    file = seen.home / "chain.toml"
    before = file.read_text()
    with ExitStack() as commands:
        every = commands.enter_context(working(seen, "pipeline", "tap", "*", "--json"))
        one = commands.enter_context(working(seen, "pipeline", "tap", "hasty>router"))
        for each in (every, one):
            each.wait_for("Watching")
        file.write_text(before.replace(ROUTER, f'[[stage]]\nname = "between"\nuse = "policy"\n{ROUTER}'))
        changes = seen.control.ask_once("reload")["changes"]
        assert "between: new, between hasty and router" in [change["words"] for change in changes]
        every.wait_for("now watching ingress>hasty, hasty>between, between>router, ")
        ask_all(seen)
        until(lambda: '"between>router"' in every.stdout, "the new hop is watched too")
        assert one.end() == 1
        assert "error: the chain was changed, and none of the hops that were watched is in it any more" in one.stderr
        file.write_text(before)
        assert seen.control.ask_once("reload")["ok"]
        assert every.interrupt() == 0, every.stderr
    until(lambda: probes(seen) == [], "the probes are gone with those who asked for them")


def _tapped(shown: str, refused: list[dict[str, Any]]) -> None:
    """The whole output of commands is searched for the secret anyway."""
    first = next(line for line in shown.splitlines() if "ingress>hasty" in line)
    assert "scripted  sion-one  200  " in first, "the model, the end of the session's id, the status"
    assert "My key is [REDACTED]." in shown
    assert "    Good day you." in shown
    assert "    Hello you." in shown, "behind the stage it was another answer"
    assert {(each["type"], each["hop"].partition(">")[0]) for each in refused} == {
        (type, "router") for type in ("request", "response", "end")
    }
    assert next(each for each in refused if each["type"] == "request")["headers"]["authorization"] == "[REDACTED]"


def _changed(shown: str) -> None:
    for told in (
        "- store: false",
        '+ input[0]: {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "This is turn 1."}]}',
        '~ text: "Hello you." → "Good day you."',
        "prefix broken at input[0].content[0].text: a provider's cache starts anew from there",
        "it came in whole",
    ):
        assert told in shown, shown
    assert shown.count("prefix ") == 1, "the first of a session has none before it"
    assert "input[2]" not in shown, "what only moved is no change"


def _replayed(chain: RunningChain, provider: ScriptedUpstream, file: Path) -> None:
    provider.script(says("Hello ", "you."), says("Something ", "else."), says("Now ", "it works."), says("In one ", "piece."))
    told = json.loads(chain.cli("replay", str(file), "--compare", "--json").stdout)
    assert [(each["same_text"], each["before"]["ok"], each["after"]["ok"]) for each in told["exchanges"]] == [
        (True, True, True),
        (False, True, True),
        (False, False, True),
        (True, True, True),
    ]
    assert (told["exchanges"][0]["before"]["input"], told["exchanges"][1]["after"]["text"]) == (10, "Something else.")
    assert provider.requests[0].messages[1]["content"] == "My key is [REDACTED]."

    provider.script(refuses(400, {"error": {"message": "No more."}}))
    failed = chain.cli("replay", str(file), "--only", "2", check=False)
    assert failed.returncode == 1
    assert "No more." in failed.stdout

    nobody = chain.cli("replay", str(file), "--compare", str(file)).stdout.splitlines()
    assert [line.split()[0] for line in nobody] == ["1", "2", "3", "4", "sum", "3", "3"]
    again = chain.cli("record", "--out", str(file), check=False)
    assert (again.returncode, "--force" in again.stderr) == (1, True)


def test_a_hop_that_is_not_there_and_a_stage_with_one_hop_are_told(seen: RunningChain) -> None:
    refused = seen.cli("pipeline", "tap", "ingress>router", check=False)
    assert refused.returncode == 1
    assert "there is no hop `ingress>router`" in refused.stderr
    assert "no hop is before it" in seen.cli("pipeline", "tap", "--diff", "ingress", check=False).stderr
    assert "not `4x`" in seen.cli("pipeline", "tap", "--status", "4x", check=False).stderr
    assert probes(seen) == []


def test_without_a_chain_the_way_to_one_is_told(idle_home: RunningChain, tmp_path: Path) -> None:
    for words in (("pipeline", "tap"), ("pipeline", "tap", "--diff", "policy"), ("record", "--out", str(tmp_path / "r"), "a>b")):
        done = idle_home.cli(*words, check=False)
        assert (done.returncode, "`codex-shim start`" in done.stderr) == (1, True), words
    assert not (tmp_path / "r").exists()
    (tmp_path / "none.jsonl").write_text("hello\n")
    assert idle_home.cli("replay", str(tmp_path / "none.jsonl"), check=False).returncode == 78


# -- the recording as the provider --------------------------------------------------------------------------------------


def _request(*texts: str) -> dict[str, Any]:
    return {"model": "m", "stream": True, "input": [user(text) for text in texts]}


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    def crossing(id: str, answer: str, *texts: str, outcome: str = "ok") -> Crossing:
        return Crossing(
            hop="router>kimi",
            id=id,
            method="POST",
            path="/v1/responses",
            model="m",
            body=json.dumps(_request(*texts)),
            status=200,
            answer_headers={"content-type": "text/event-stream", "x-ratelimit": "9"},
            answer=[(0.0, frame.decode()) for frame in native_frames(text=answer)][: None if outcome == "ok" else -1],
            outcome=outcome,
        )

    with Recorder(tmp_path / "r.jsonl", ["router>kimi"], 0.0, replace=False) as recorder:
        recorder.write(crossing("1", "One.", "first"))
        recorder.write(crossing("2", "Two.", "first", "second"))
        recorder.write(crossing("3", "Broken.", "third", outcome="cancelled"))
    return tmp_path / "r.jsonl"


def _asked(url: str, *texts: str) -> tuple[int, bytes]:
    address = urlsplit(url)
    with closing(http.client.HTTPConnection(address.hostname or "", address.port, timeout=PATIENCE)) as connection:
        connection.request("POST", f"{address.path}/responses", json.dumps(_request(*texts)), {"content-type": "application/json"})
        with connection.getresponse() as response:
            return response.status, response.read()


@needs_posix
def test_a_recording_answers_in_place_of_the_provider(idle_home: RunningChain, recording: Path) -> None:
    with working(idle_home, "replay", str(recording), "--serve") as serving:
        serving.wait_for('"ready"')
        (row,) = json.loads(serving.stdout)
        assert (row["model"], row["provider"]) == ("m", "openai-responses")
        url = row["base_url"]
        assert _asked(url, "first", "second") == (200, b"".join(native_frames(text="Two.")))
        assert _asked(url, "another") == (200, b"".join(native_frames(text="One."))), "the next that nobody has had"
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            _asked(url, "third")
        status, refusal = _asked(url, "yet another")
        assert (status, b"all of its answers (3) were played" in refusal) == (400, True)
        assert serving.interrupt() == 0
