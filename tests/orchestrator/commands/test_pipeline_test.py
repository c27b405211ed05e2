"""`codex-shim pipeline test` as its users run it: real stages, scripted sides, no key and no chain."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import marked
import pytest
from codex_shim.stages.contract.sse import encode_events
from codex_shim.stages.kit.rehearsal.answers import events
from custom_stages import INGRESS, POLICY, ROUTER, pipeline
from running_chain import RunningChain, bare_environment, write_files

MODELS = [
    {"model": "kimi-k2", "slug": "fast", "provider": "openrouter", "api_key_env": "NOT_SET"},
    {"model": "deepseek-chat", "provider": "deepseek", "api_key_command": "./not-there"},
    {"model": "own", "provider": "openai", "base_url": "https://models.example/v1", "api_key": "${NOT_SET_EITHER}"},
]
FAILING = """
[[test]]
name = "expects too much"
through = ["own"]
request = { input = "hi" }
expect = [{ path = "model", equals = "kimi-k2" }, { of = "text", matches = "^Bye" }]

[[test]]
name = "meets a stage that dies"
through = ["own"]
request = { input = "die" }
expect = [{ of = "status", equals = 200 }]

[[test]]
name = "finds it alive again"
through = ["own"]
request = { input = "hi", stream = false }
expect = [{ of = "text", equals = "OK" }, { of = "answer", path = "status", equals = "completed" }]

[[test]]
name = "has no request"
through = ["own"]
request_file = "own.py"
expect = [{ of = "status", equals = 200 }]
"""
PASSING = """
[[test]]
name = "house rules are added, and nothing else is touched"
through = ["policy"]
request = { input = "hi", tools = [{ type = "function", name = "shell" }] }
answer = ["Hello ", "there", { call = "shell", arguments = { cmd = "ls" } }, { call = "apply_patch", input = "*** Begin" }]
headers = { session-id = "s-1" }

[[test.expect]]
path = "input[*].content[*].text"
equals = ["Answer in French.", "hi"]

[[test.expect]]
path = "tools"
unchanged = true

[[test.expect]]
of = "headers"
path = "session-id"
unchanged = true

[[test.expect]]
of = "text"
equals = "Hello there"

[[test.expect]]
of = "events"
path = "[*].type"
contains = "response.completed"

[[test.expect]]
of = "answer"
path = "output[*].name"
equals = ["shell", "apply_patch"]

[[test]]
name = "quick goes to OpenRouter as kimi-k2"
request = { model = "quick", input = "hi" }
expect = [
  { of = "route", equals = { egress = "openrouter", slug = "fast", model = "kimi-k2" } },
  { path = "input", count = 2 },
]

[[test]]
name = "both goes to its first member"
request = { model = "both", input = "hi" }
expect = [{ of = "route", equals = { egress = "deepseek", slug = "deepseek-chat", model = "deepseek-chat" } }]

[[test]]
name = "what is denied reaches nobody"
through = ["policy", "router"]
request = { input = "deploy x" }
expect = [
  { of = "status", equals = 403 },
  { of = "answer", path = "error.message", equals = "Not here." },
  { of = "route", absent = true },
]

[[test]]
name = "deepseek has a worker of its own"
through = ["policy", "router"]
request = { model = "deepseek-chat", input = "hi" }
answer_file = "answer.sse"
expect = [{ of = "route", path = "egress", equals = "deepseek" }, { of = "text", equals = "from a file" }]

[[test]]
name = "nobody serves this one"
through = ["policy", "router"]
request_file = "request.json"
expect = [
  { of = "status", equals = 404 },
  { of = "answer", path = "error.code", equals = "model_not_found" },
  { of = "request", absent = true },
]

[[test]]
name = "an error of the provider passes"
through = ["policy", "router"]
request = { input = "hi" }
answer = { status = 429, message = "slow down", code = "rate_limit_exceeded", retry_after = 7 }
expect = [{ of = "status", equals = 429 }, { of = "answer", path = "error.message", equals = "slow down" }]
"""


def home_with(tmp_path: Path, text: str) -> RunningChain:
    home = tmp_path / "home"
    environ = bare_environment(tmp_path / "user", {"CODEX_SHIM_DISABLE_CHATGPT": "1", "OPENROUTER_API_KEY": marked.key("a-key")})
    return RunningChain(home, environ, write_files(home, MODELS, text))


def test_what_users_say_of_their_chain_holds_without_any_key(tmp_path: Path) -> None:
    policy = (
        POLICY
        + '\nrules = [{ do = "inject", text = "Answer in French." }, {do = "deny", sentence = "Not here.", when = {says = "x"}}]'
    )
    router = ROUTER + '\naliases = { quick = "fast" }\nvirtual = { both = { members = ["deepseek-chat", "fast"] } }'
    commands = home_with(tmp_path, pipeline(INGRESS, policy, router) + PASSING)
    (commands.home / "request.json").write_text('{"model": "fsat", "input": []}')
    (commands.home / "answer.sse").write_bytes(encode_events(events("x", ["from a file"])))
    done = commands.cli("pipeline", "test", "--junit", str(tmp_path / "report.xml"))
    assert [line for line in done.stdout.splitlines() if line.startswith("✓")] == [
        "✓ house rules are added, and nothing else is touched",
        "✓ quick goes to OpenRouter as kimi-k2",
        "✓ both goes to its first member",
        "✓ what is denied reaches nobody",
        "✓ deepseek has a worker of its own",
        "✓ nobody serves this one",
        "✓ an error of the provider passes",
    ]
    assert "7 passed, 0 failed" in done.stdout
    assert ElementTree.parse(tmp_path / "report.xml").getroot()[0].get("tests") == "7"


def test_failures_say_what_was_expected_what_came_and_what_died(tmp_path: Path) -> None:
    script = tmp_path / "home" / "own.py"
    commands = home_with(
        tmp_path, pipeline(INGRESS, 'name = "own"\nscript = "own.py"', ROUTER).replace("own.py", str(script)) + FAILING
    )
    script.write_text(
        "import os\ndef request(body):\n    if 'die' in str(body): print('last words', flush=True); os._exit(3)\n    return body\n"
    )
    done = commands.cli("pipeline", "test", "--json", check=False)
    assert done.returncode == 1
    told = {test["name"]: test for test in json.loads(done.stdout)["tests"]}
    assert [test["verdict"] for test in told.values()] == ["fail", "fail", "pass", "fail"]
    assert [(fault["of"], fault["got"]) for fault in told["expects too much"]["faults"]] == [
        ("request: model", '"fast"'),
        ("text", '"OK"'),
    ]
    assert told["expects too much"]["faults"][0]["at"].endswith("chain.toml:17")
    assert "own died of this request: exit code 3" in told["meets a stage that dies"]["error"]
    assert "last words" in told["meets a stage that dies"]["error"]
    assert "cannot be read as JSON" in told["has no request"]["error"]
    assert "own.py" in told["has no request"]["error"]


def test_a_stage_that_does_not_come_up_fails_its_tests_with_its_words(tmp_path: Path) -> None:
    script = tmp_path / "home" / "own.py"
    commands = home_with(tmp_path, pipeline(INGRESS, f'name = "own"\nscript = "{script}"', ROUTER) + FAILING)
    script.write_text("def request(body: return body\n")
    done = commands.cli("pipeline", "test", "alive", check=False)
    assert done.returncode == 1
    assert "✗ finds it alive again" in done.stdout
    assert "the stage ended before it was ready" in done.stdout
    assert "SyntaxError" in done.stdout
    assert "expects too much" not in done.stdout, "only what was named is run"


@pytest.mark.parametrize(
    ("text", "arguments", "code", "sentence"),
    [
        ("", [], 0, "has no [[test]]; docs/pipeline-toml.md shows how one is written"),
        ("", ["rules"], 1, "has no [[test]] with `rules` in its name"),
        ("[[test]]\n", [], 78, "has no `name`"),
    ],
)
def test_what_cannot_be_run_is_one_sentence(tmp_path: Path, text: str, arguments: list[str], code: int, sentence: str) -> None:
    commands = home_with(tmp_path, pipeline(INGRESS, ROUTER) + text)
    done = commands.cli("pipeline", "test", *arguments, check=False)
    assert done.returncode == code
    assert sentence in done.stdout + done.stderr
