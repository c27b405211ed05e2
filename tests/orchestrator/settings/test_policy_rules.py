"""Rules whose text stands in a file. What is wrong with rules is in tests/fixtures/pipelines/bad."""

from __future__ import annotations

from pathlib import Path

from codex_shim.orchestrator.settings import pipeline
from codex_shim.stages.policy.config import Inject, Options

CHAIN = """\
[[stage]]
name = "ingress"
use = "ingress"
[[stage]]
name = "policy"
use = "policy"
rules = [{ do = "inject", file = "rules/house.md" }, { do = "inject", file = 'ABSOLUTE' }]
[[stage]]
name = "router"
use = "router"
"""


def test_the_text_of_a_file_is_the_rule_s_and_is_sought_beside_pipeline_toml(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules/house.md").write_text("Be brief.\nBe kind ✓\n", "utf-8")
    elsewhere = tmp_path / "elsewhere.md"
    elsewhere.write_text("And sober.")
    found = pipeline.parse(CHAIN.replace("ABSOLUTE", str(elsewhere)), str(tmp_path / "pipeline.toml")).stages[1].options
    assert isinstance(found, Options)
    assert [rule.text for rule in found.rules if isinstance(rule, Inject)] == ["Be brief.\nBe kind ✓", "And sober."]
