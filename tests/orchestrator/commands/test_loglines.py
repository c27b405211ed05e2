"""Log lines in words: what a person asks of them."""

from __future__ import annotations

from codex_shim.orchestrator.commands.loglines import Painter
from request_lines import relayed


def test_what_only_programs_put_together_is_not_shown() -> None:
    text = relayed("req_1", 0, 20, "a" * 16, model="kimi", error="busy")
    shown = Painter(raw=False).paint("policy", text)
    assert "POST /v1/responses 200" in shown
    assert "request_id=req_1" in shown
    assert "model=kimi" in shown
    assert shown.endswith("error=busy")
    assert "span=" not in shown
    assert "chunk_ms=" not in shown
    assert Painter(raw=True).paint("policy", text) == text
