"""Long sessions of the real Codex with a model of each dialect. One process holds the thread for all of its turns, as for
Codex Desktop; or each turn is a process of its own that resumes the thread, and reads in a file what was said before.

The scripted models refuse a request that does not tell the whole conversation as it was, with their thoughts exactly where they
were and nothing of another model's (tests/support/conversing.py). What these tests look at themselves is the rest.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from codex_app_server import AppThread, AppTurn
from codex_cli import Codex, Turn
from conversing import Conversing
from png import PNG
from running_chain import RunningChain
from said import Call, Thought, Words
from scripted_upstream import ScriptedUpstream
from speakers import FULL, LANGUAGES

SERVER = Path(__file__).parent / "mcp_server.py"
CREATE = "*** Begin Patch\n*** Add File: notes/a.txt\n+one\n+two ✓\n+\n+\tfour\n*** End Patch\n"
EDIT = "*** Begin Patch\n*** Update File: notes/a.txt\n@@\n one\n-two ✓\n+zwei\n \n*** End Patch\n"
CODEX_ASKS = "CONTEXT CHECKPOINT COMPACTION"

RESUMED, *HELD = LANGUAGES


@pytest.fixture
def codex(bare_codex: Codex, every_dialect: RunningChain) -> Codex:
    arguments = json.dumps(["-P", str(SERVER)])
    bare_codex.use(every_dialect, f"\n[mcp_servers.sums]\ncommand = {json.dumps(sys.executable)}\nargs = {arguments}\n")
    (bare_codex.workspace / "img.png").write_bytes(PNG)
    return bare_codex


@pytest.fixture
def models(upstream: ScriptedUpstream) -> Conversing:
    return Conversing(upstream, LANGUAGES)


class Resumed:
    """A thread whose every turn is a process. `flags` are the command line's."""

    def __init__(self, codex: Codex, *flags: str) -> None:
        self._codex = codex
        self._flags = flags
        self._begun = False

    def turn(self, prompt: str, model: str, *pictures: str) -> Turn:
        resumed = ("resume", "--last") if self._begun else ()
        self._begun = True
        shown = [word for path in pictures for word in ("-i", path)]
        turn = self._codex.exec(prompt, *resumed, "-m", model, *self._flags, *shown)
        assert turn.code == 0, turn.stderr
        return turn


class Session:
    """A thread of turns with one model after the other."""

    def __init__(self, thread: Resumed | AppThread, models: Conversing) -> None:
        self._thread = thread
        self._models = models
        self._count = 0

    def turn(self, model: str, *pictures: str) -> Turn | AppTurn:
        """What was planned happens, and the turn ends well."""
        self._count += 1
        try:
            return self._thread.turn(f"Question {self._count}", model, *pictures)
        finally:
            self._models.check()

    def thought(self) -> Thought:
        """Another one each time; the seal has all that base64 may have."""
        self._count += 1
        return Thought(f"Thought {self._count}: é ✓.", f"c2Vh{self._count:03}bA+/==")


@pytest.fixture
def session(codex: Codex, models: Conversing) -> Iterator[Session]:
    with codex.app_server() as server:
        yield Session(server.thread(), models)


@pytest.fixture
def resumed(codex: Codex, models: Conversing) -> Session:
    return Session(Resumed(codex), models)


@pytest.fixture
def named_openai(codex: Codex, models: Conversing) -> Session:
    return Session(Resumed(codex, "-c", 'model_providers.codex_shim.name="OpenAI"'), models)


def test_a_session_of_ten_turns_each_of_which_resumes_it(resumed: Session, codex: Codex, models: Conversing) -> None:
    ten_turns(resumed, codex, models, RESUMED)


@pytest.mark.parametrize("model", HELD)
def test_a_session_of_ten_turns(session: Session, codex: Codex, models: Conversing, model: str) -> None:
    ten_turns(session, codex, models, model)


def ten_turns(session: Session, codex: Codex, models: Conversing, model: str) -> None:
    models.say(model, session.thought(), Words("Hello there."))
    assert session.turn(model).text == "Hello there."

    models.say(model, session.thought(), Call("call_cmd", "exec_command", {"cmd": "echo from-$((40+2)); exit 3"}))
    models.say(model, session.thought(), Words("It said 42."))
    (command,) = session.turn(model).items("command_execution")
    assert (command["aggregated_output"], command["exit_code"]) == ("from-42\n", 3)
    assert models.results(model)["call_cmd"].endswith("Output:\nfrom-42\n")

    models.say(model, session.thought(), Call("call_new", "apply_patch", {"input": CREATE}))
    models.say(model, session.thought(), Call("call_edit", "apply_patch", {"input": EDIT}))
    models.say(model, Words("Written and edited."))
    turn = session.turn(model)
    assert [change["kind"] for item in turn.items("file_change") for change in item["changes"]] == ["add", "update"]
    assert (codex.workspace / "notes/a.txt").read_bytes() == b"one\nzwei\n\n\tfour\n"

    models.say(model, session.thought(), Call("call_sum", "mcp__sums__add_numbers", {"a": 2, "b": 40}))
    models.say(model, Words("The tool says 42."))
    (used,) = session.turn(model).items("mcp_tool_call")
    assert used["result"]["content"] == [{"type": "text", "text": "the sum is 42"}]
    assert "the sum is 42" in models.results(model)["call_sum"]

    models.say(model, session.thought(), Words("A red picture."))
    assert session.turn(model, "img.png").text == "A red picture."
    assert models.pictures(model) == 1

    models.say(model, session.thought(), Call("call_look", "view_image", {"path": "img.png"}))
    models.say(model, Words("Still red."))
    assert session.turn(model).text == "Still red."
    assert models.pictures(model) == 2

    both = [Call(f"call_{name}", "exec_command", {"cmd": f"echo {name}"}) for name in ("left", "right")]
    models.say(model, session.thought(), Words("Both at once."), *both)
    models.say(model, session.thought(), Words("Both are done."))
    turn = session.turn(model)
    assert sorted(item["aggregated_output"] for item in turn.items("command_execution")) == ["left\n", "right\n"]
    assert [item["text"] for item in turn.items("agent_message")] == ["Both at once.", "Both are done."]
    told = models.results(model)
    assert [told[call.id].rpartition("\n")[0].rpartition("\n")[2] for call in both] == ["left", "right"]

    models.say(model, session.thought(), Call("call_full", "exec_command", {"cmd": "true"}), tokens=FULL)
    models.summarise(model, Words("THE SUMMARY"))
    models.say(model, session.thought(), Words("Where was I?"))
    assert session.turn(model).text == "Where was I?"
    assert [CODEX_ASKS in request.text for request in models.summarised] == [True]
    assert "THE SUMMARY" in models.last.text
    assert models.results(model) == {}

    models.say(model, session.thought(), Call("call_after", "exec_command", {"cmd": "cat notes/a.txt"}))
    models.say(model, session.thought(), Words("As I left it."))
    assert session.turn(model).text == "As I left it."
    assert "zwei" in models.results(model)["call_after"]

    models.say(model, session.thought(), Words("Goodbye."))
    assert session.turn(model).text == "Goodbye."


@pytest.mark.parametrize("model", ["chat", "responses"])
def test_a_history_is_compacted_by_the_chain_for_a_provider_named_openai(
    named_openai: Session, models: Conversing, model: str
) -> None:
    """By that name Codex asks with an item of its own, wants exactly one `compaction` back, and sends it ever after. What
    the chain asks for it is an ordinary request, in every dialect; of the others, one sums up and one reads below."""
    models.say(model, named_openai.thought(), Call("call_full", "exec_command", {"cmd": "true"}), tokens=FULL)
    models.summarise(model, named_openai.thought(), Words("THE SUMMARY"))
    models.say(model, named_openai.thought(), Words("On with it."))
    assert named_openai.turn(model).text == "On with it."
    assert [CODEX_ASKS in request.text for request in models.summarised] == [False], "the question is the chain's own"
    assert "THE SUMMARY" in models.last.text
    assert models.results(model) == {}

    models.say(model, named_openai.thought(), Words("And on."))
    assert named_openai.turn(model).text == "And on."
    assert "THE SUMMARY" in models.last.text


# Each language hears of each of its neighbours, and all but one speak again behind another.
ROUND = ("chat", "messages", "responses-all-tools", "messages", "chat", "gemini", "responses", "gemini", "chat")


def test_the_conversation_goes_on_with_another_model_and_back(session: Session, codex: Codex, models: Conversing) -> None:
    for number, model in enumerate(ROUND):
        call = f"call_{number}"
        patched = Call(call, "apply_patch", {"input": CREATE.replace("a.txt", f"{number}.txt")})
        ran = Call(call, "exec_command", {"cmd": f"echo from-{number}"})
        models.say(model, session.thought(), patched if number % 2 else ran)
        models.say(model, session.thought(), Words(f"{model} has spoken."))
        assert session.turn(model).text == f"{model} has spoken."
        told = models.results(model)
        assert list(told) == [f"call_{each}" for each in range(number + 1)]
        assert all(told[f"call_{each}"].endswith(f"from-{each}\n") for each in range(0, number + 1, 2))
    assert sorted(path.name for path in (codex.workspace / "notes").iterdir()) == ["1.txt", "3.txt", "5.txt", "7.txt"]


def test_a_summary_of_one_model_is_read_by_another(named_openai: Session, models: Conversing) -> None:
    models.say("gemini", named_openai.thought(), Call("call_full", "exec_command", {"cmd": "true"}), tokens=FULL)
    models.summarise("gemini", Words("THE SUMMARY"))
    models.say("gemini", named_openai.thought(), Words("Done here."))
    named_openai.turn("gemini")
    models.say("messages", named_openai.thought(), Words("I have read it."))
    assert named_openai.turn("messages").text == "I have read it."
    assert "THE SUMMARY" in models.last.text
