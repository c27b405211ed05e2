"""Every rule of the policy stage in a running chain: what the provider was sent, and what the client got."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from chat_answers import Answer, chunk, finish, says
from pipelines import INGRESS, POLICY, ROUTER, pipeline
from responses_client import ask, ask_all, error_of, text_of, user
from running_chain import RunningChain, StartChain
from scripted_upstream import ScriptedUpstream
from waiting import until

KEY = "sk-" + "a1B2" * 6
LONG = "a line of output\n" * 400

RULES = """\
rules = [
  { do = "deny", sentence = "No lunch in this house.", when = { says = "lunch" } },
  { do = "ask", url = "SERVICE", when = { says = "ask first" } },
  { do = "inject", text = "Be brief.", when = { says = "inject" } },
  { do = "inject", file = 'HOUSE', when = { says = "house" } },
  { do = "set", values = { "reasoning.effort" = "low" }, when = { says = "set" } },
  { do = "default", values = { "max_output_tokens" = 77 }, when = { says = "default" } },
  { do = "drop", paths = ["tools"], when = { says = "drop" } },
  { do = "replace", pattern = "Acme", by = "Apex", when = { says = "replace" } },
  { do = "dedupe", when = { fields = { "input[*].output" = "line" } } },
  { do = "trim", keep = 0, step = 1, head = 20, tail = 20, when = { fields = { "input[*].output" = "line" } } },
  { do = "redact" },
  { do = "route", to = "other", when = { says = "elsewhere" } },
]
"""
TOOL = {"type": "function", "name": "look", "parameters": {"type": "object", "properties": {}}}


class Service(BaseHTTPRequestHandler):
    """Denies what speaks of war, and lets the rest pass."""

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers["content-length"]))
        said = {"deny": "No war."} if b"war" in asked else {"allow": True}
        body = json.dumps(said).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def chain(
    keep_chain: StartChain, kept_provider: ScriptedUpstream, service: str, tmp_path_factory: pytest.TempPathFactory
) -> RunningChain:
    models = [kept_provider.model(), kept_provider.model(slug="other", model="another")]
    house = tmp_path_factory.mktemp("rules") / "house.md"
    house.write_text("Wipe your feet.\n")
    rules = RULES.replace("SERVICE", service).replace("HOUSE", str(house))
    return keep_chain(models, pipeline(INGRESS, POLICY + rules, ROUTER))


def test_what_a_rule_says_is_what_the_provider_gets(chain: RunningChain, provider: ScriptedUpstream) -> None:
    provider.script(lambda request: says("ok"))
    sentences = ("inject", "the house", "set", "default", "drop", "replace Acme", "elsewhere", "ask first: peace")
    for prompt in sentences:
        ask_all(chain, prompt, tools=[TOOL])
    asked = dict(zip(sentences, [request.body for request in provider.requests], strict=True))
    assert "Be brief." in str(asked["inject"]["messages"])
    assert "Wipe your feet." in str(asked["the house"]["messages"])
    assert asked["set"]["reasoning_effort"] == "low"
    assert 77 in (asked["default"].get("max_tokens"), asked["default"].get("max_completion_tokens"))
    assert "tools" not in asked["drop"]
    assert asked["replace Acme"]["messages"][-1]["content"] == "replace Apex"
    assert asked["elsewhere"]["model"] == "another"
    others = [body for prompt, body in asked.items() if prompt != "inject"]
    assert "Be brief." not in str(others)
    assert all("tools" in body for prompt, body in asked.items() if prompt != "drop")
    until(lambda: len(_notes(chain)) >= 6, "the log names what was done")
    assert {"inject", "set reasoning.effort", "default max_output_tokens", "drop tools", "replace input"} <= set(_notes(chain))


def test_a_denied_request_reaches_nobody(chain: RunningChain, provider: ScriptedUpstream) -> None:
    provider.script()
    for prompt, sentence in (("lunch?", "No lunch in this house."), ("ask first: war", "No war.")):
        error = error_of(ask_all(chain, prompt))
        assert (error["code"], error["message"]) == ("invalid_prompt", sentence), "Codex shows it and does not ask again"
        with ask(chain, prompt, codex=False, stream=False) as answer:
            assert answer.status == 403
            assert answer.json()["error"]["message"] == sentence
    assert provider.requests == []


def test_a_secret_is_hidden_from_the_provider_and_is_there_again_in_the_answer(
    chain: RunningChain, provider: ScriptedUpstream
) -> None:
    pieces = [chunk(content=piece) for piece in ("it is REDAC", "TED_KEY_0000", "1.")]
    provider.script(Answer(*pieces, finish("stop")), says("it is REDACTED_KEY_00001."))
    events = ask_all(chain, f"the key is {KEY}")
    with ask(chain, f"the key is {KEY}", codex=False, stream=False) as answer:
        whole = answer.json()["output"][0]["content"][0]["text"]
    assert (text_of(events), whole) == (f"it is {KEY}.", f"it is {KEY}.")
    assert KEY not in str([request.messages for request in provider.requests])
    numbers = [event["sequence_number"] for event in events if "sequence_number" in event]
    assert numbers == sorted(set(numbers))


def test_a_long_history_is_shortened_where_nobody_needs_it(chain: RunningChain, provider: ScriptedUpstream) -> None:
    provider.script(says("ok"))
    items: list[dict[str, Any]] = [user("look around")]
    for number in (1, 2):
        call = {"type": "function_call", "call_id": f"call_{number}", "name": "look", "arguments": "{}"}
        items += [call, {"type": "function_call_output", "call_id": f"call_{number}", "output": LONG}]
    ask_all(chain, input=[*items, user("and now?")], tools=[TOOL])
    outputs = [message["content"] for message in provider.requests[0].messages if message["role"] == "tool"]
    assert outputs[0].startswith(LONG[:20] + "\n[… 6760 characters were left out here …]\n")
    assert outputs[1] == "[This output is the same as that of call_1, above.]"


def _notes(chain: RunningChain) -> list[str]:
    return [note for line in chain.logs("policy") for note in line.get("rules") or ()]
