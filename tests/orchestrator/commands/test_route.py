"""`codex-shim route explain` as its users run it: real stages, and nobody is asked."""

from __future__ import annotations

import json
from pathlib import Path

from codex_shim.orchestrator.sight import recording
from codex_shim.orchestrator.sight.crossing import Crossing
from custom_stages import INGRESS, POLICY, ROUTER, pipeline
from running_chain import RunningChain, bare_environment, write_files

MODELS = [
    {"model": "kimi-k2", "slug": "fast", "provider": "openrouter", "api_key_env": "NOT_SET"},
    {"model": "deepseek-v4-pro", "slug": "deep", "provider": "deepseek", "api_key_env": "NOT_SET"},
]
RULES = """
rules = [
  { do = "inject", text = "Answer in French.", when = { headers = { x-team = "blue" } } },
  { do = "ask", url = "http://127.0.0.1:9/never" },
  { do = "deny", sentence = "No deploys here.", when = { says = "deploy" } },
]"""
ROUTES = """
aliases = { quick = "both" }
virtual = { both = { members = ["deep", "fast"] } }

[[stage.limits]]
models = ["deep"]
dollars_per_day = 5.0
"""


def request(says: str) -> str:
    text = f"<cwd>/home/me/shop</cwd> {says}"
    content = [{"type": "input_text", "text": text}]
    return json.dumps({"model": "quick", "input": [{"type": "message", "role": "user", "content": content}]})


def test_a_recorded_request_is_explained_and_sent_to_nobody(tmp_path: Path) -> None:
    home = tmp_path / "home"
    environ = bare_environment(tmp_path / "user", {"CODEX_SHIM_DISABLE_CHATGPT": "1"})
    commands = RunningChain(home, environ, write_files(home, MODELS, pipeline(INGRESS, POLICY + RULES, ROUTER + ROUTES)))
    headers = {"x-team": "blue", "authorization": "Bearer masked"}
    kept = [
        Crossing(hop="ingress>policy", id=str(n), headers=headers, body=request(says)) for n, says in enumerate(["hi", "deploy"])
    ]
    file = tmp_path / "session.jsonl"
    file.write_bytes(recording.first_line(["ingress>policy"], 0.0) + b"".join(map(recording.line, kept)))

    told = json.loads(commands.cli("route", "explain", "--recorded", str(file), "--json").stdout)
    assert told["route"] == {"egress": "deepseek", "slug": "deep", "model": "deepseek-v4-pro"}
    assert told["why"][0] == "`quick` is an alias of `both`"
    assert told["project"] == "/home/me/shop"
    assert {step["stage"]: step["rules"] for step in told["steps"]}["policy"] == ["inject"]
    assert (told["changes"][0]["kind"], told["changes"][0]["path"]) == ("changed", "model")
    assert told["limits"] == [{"models": ["deep"], "dollars_per_day": 5.0}]
    assert told["not_asked"] == ["http://127.0.0.1:9/never"]

    denied = commands.cli("route", "explain", "--recorded", f"{file}:2", check=False)
    assert denied.returncode == 1
    assert "refused with HTTP 403: No deploys here." in denied.stdout
    missing = commands.cli("route", "explain", "--recorded", f"{file}:3", check=False)
    assert (missing.returncode, "holds 2 exchanges, and no 3th" in missing.stderr) == (1, True)
