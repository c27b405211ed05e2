"""`codex-shim doctor` beside a real chain: what it finds, what it must not show, and that it leaves everything as it was."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from marked import MARK
from pipelines import INGRESS, ROUTER, pipeline
from running_chain import RunningChain
from scripted_upstream import ScriptedUpstream
from systems import needs_modes

CLAIMS = base64.urlsafe_b64encode(b'{"exp": 1}').decode().rstrip("=")
AUTH = {
    "tokens": {
        "access_token": f"marked-auth.{CLAIMS}.marked-auth-{MARK}",
        "refresh_token": f"marked-refresh-{MARK}",
        "account_id": "marked-account",
    }
}
CODEX_CONFIG = 'model_provider = "codex_shim"\n[model_providers.codex_shim]\nexperimental_bearer_token = "marked-bearer"\n'
ENVIRONMENT = {
    "MARKED_KEY": f"sk-marked-environment-{MARK}",
    "HTTP_PROXY": "http://jane:marked-password@proxy.example:1",
    "NO_PROXY": "x",
}

Findings = dict[str, list[dict[str, Any]]]


@pytest.fixture
def marked(start_chain: Callable[..., RunningChain], upstream: ScriptedUpstream, tmp_path: Path) -> RunningChain:
    """A chain with a secret in every place that doctor looks at."""
    own = tmp_path / "user" / ".codex"
    own.mkdir(parents=True)
    (own / "auth.json").write_text(json.dumps(AUTH))
    (own / "config.toml").write_text(CODEX_CONFIG)
    rows = [
        {**upstream.model(), "slug": "inline", "api_key": f"sk-marked-inline-{MARK}"},
        {**upstream.model(), "slug": "environment", "api_key": None, "api_key_env": "MARKED_KEY"},
        {**upstream.model(), "slug": "broken", "api_key": f"sk-marked-broken-{MARK}", "base_url": "https://sk-marked-url@"},
    ]
    return start_chain(rows, None, ENVIRONMENT)


def findings(chain: RunningChain, *options: str) -> Findings:
    found: Findings = {}
    for check in json.loads(chain.cli(*options, "doctor", "--json", check=False).stdout)["checks"]:
        found.setdefault(check["section"], []).append(check)
    return found


def worst(found: Findings) -> dict[str, str]:
    order = ("OK", "INFO", "WARN", "FAIL")
    return {section: max((check["status"] for check in checks), key=order.index) for section, checks in found.items()}


def snapshot(*folders: Path) -> dict[str, tuple[int, int]]:
    """But for the logs: a request for /health may be written down there."""
    files = [path for folder in folders for path in folder.rglob("*") if "logs" not in path.parts]
    return {str(path): (path.lstat().st_mode, path.lstat().st_mtime_ns) for path in files}


@needs_modes
def test_a_running_chain_is_found_in_order_no_secret_is_shown_and_nothing_is_changed(marked: RunningChain, tmp_path: Path) -> None:
    folders = (marked.home, tmp_path / "user")
    before = snapshot(*folders)
    as_text, as_json = marked.cli("doctor"), marked.cli("doctor", "--json")
    assert snapshot(*folders) == before
    for shown in (as_text.stdout + as_text.stderr, as_json.stdout + as_json.stderr):
        assert "marked" not in shown.replace("MARKED_KEY", "")
        assert marked.token not in shown
    assert "\x1b" not in as_text.stdout, "no colours where no terminal reads"
    told = json.loads(as_json.stdout)
    assert told["ok"] is True
    assert list(told) == ["ok", "summary", "checks"]
    found = worst(findings(marked))
    assert (found["Chain"], found["Port"], found["Generated files"]) == ("OK", "INFO", "OK")
    assert (found["Settings"], found["ChatGPT passthrough"], found["Proxy"], found["Codex config"]) == ("WARN",) * 4

    changed = marked.home / "models.json"
    changed.write_text(changed.read_text() + "\n")
    later = changed.stat().st_mtime + 60
    os.utime(changed, (later, later))
    other = marked.home / "other.toml"
    other.write_text(pipeline(INGRESS, ROUTER))
    chain = findings(marked, "--pipeline", str(other))["Chain"]
    said = [(check["status"], check["message"]) for check in chain if check["status"] != "OK"]
    assert said[0] == ("WARN", "changed since the chain has read them: models.json, other.toml")
    assert "ingress → policy → router, but" in said[1][1]


def test_the_exit_code_is_1_only_for_a_failure(idle_home: RunningChain) -> None:
    (idle_home.home / "pipeline.toml").write_text(pipeline(INGRESS, ROUTER, listen="127.0.0.1:0"))
    assert idle_home.cli("doctor", check=False).returncode == 0
    (idle_home.home / "models.json").write_text("[")
    failed = idle_home.cli("doctor", check=False)
    assert failed.returncode == 1
    assert "models.json:1:2: this is not valid JSON" in failed.stdout
    assert failed.stdout.splitlines()[-1].startswith("  FAIL  ")
