"""What the documentation quotes is a file that is tested, and what it names exists."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest
from codex_shim.orchestrator.commands.stage import app as stage_app
from codex_shim.orchestrator.settings import pipeline
from codex_shim.stages.contract import handshake
from codex_shim.stages.kit.conformance.run import CHECKS
from custom_stages import EXAMPLES, INGRESS, ROOT, ROUTER

DOCS = ROOT / "docs"
WRITE_A_STAGE = DOCS / "write-a-stage.md"
OUTSIDE_PROXIES = DOCS / "outside-proxies.md"
SIGHT = DOCS / "sight.md"
POLICY = DOCS / "policy.md"
HOP_CONTRACT = DOCS / "hop-contract.md"
VARIABLES = {value for name, value in vars(handshake).items() if name.isupper() and str(value).startswith("CODEX_SHIM_")}


class Block(NamedTuple):
    """A fenced block: its language, the line before it, its text."""

    language: str
    before: str
    text: str


def blocks(path: Path) -> list[Block]:
    found = re.findall(r"(?:^|\n)([^\n]*)\n*\n```(\w+)\n(.*?)```", path.read_text("utf-8"), re.S)
    return [Block(language, before, text) for before, language, text in found]


CODE = [block for block in blocks(WRITE_A_STAGE) if block.language not in ("toml", "console", "text")]
TABLES = [block.text for page in (WRITE_A_STAGE, OUTSIDE_PROXIES, POLICY) for block in blocks(page) if block.language == "toml"]


@pytest.mark.parametrize("block", CODE, ids=lambda block: block.before)
def test_code_is_quoted_from_a_file(block: Block) -> None:
    link = re.fullmatch(r"\[(examples/[\w./-]+)\]\(\1\)", block.before)
    assert link, f"the line before a block of code links to its file; this one is {block.before!r}"
    assert block.text == (DOCS / link[1]).read_text("utf-8")


def test_every_example_is_quoted() -> None:
    """Those of outside proxies are told of on their own page, and run by tests/peers."""
    files = {path for path in EXAMPLES.rglob("*") if path.suffix in (".py", ".mjs") and "proxies" not in path.parts}
    files = {str(path.relative_to(DOCS)) for path in files}
    assert {block.before.partition("]")[0][1:] for block in CODE} == files


@pytest.mark.parametrize("table", TABLES, ids=range(len(TABLES)))
def test_tables_are_valid_in_a_pipeline(table: str) -> None:
    text = f"[[stage]]\n{INGRESS}\n\n{table}\n[[stage]]\n{ROUTER}\n"
    pipeline.parse(text, str(EXAMPLES / "pipeline.toml"), which=lambda program: f"/bin/{program}")


@pytest.mark.parametrize("path", [WRITE_A_STAGE, HOP_CONTRACT], ids=lambda path: path.name)
def test_both_pages_list_every_variable_of_the_handshake(path: Path) -> None:
    assert set(re.findall(r"^\| `(CODEX_SHIM_\w+)`", path.read_text("utf-8"), re.M)) == VARIABLES


def test_the_contract_names_the_checks_there_are() -> None:
    words = set(re.findall(r"`([a-z-]+)`", HOP_CONTRACT.read_text("utf-8")))
    assert {check.name for check in CHECKS} <= words


def test_the_checks_that_are_shown_exist() -> None:
    shown = set(re.findall(r"--only ([a-z-]+)", WRITE_A_STAGE.read_text("utf-8")))
    assert shown
    assert shown <= {check.name for check in CHECKS}


def test_the_rules_of_the_contract_checks_are_all_told_of() -> None:
    files = [*(ROOT / "stages" / "contract" / "check").glob("*.py"), ROOT / "orchestrator" / "sight" / "across.py"]
    rules = {rule for path in files for rule in re.findall(r'Violation\(\s*"([a-z0-9-]+)"', path.read_text("utf-8"))}
    section = SIGHT.read_text("utf-8").partition("## Checks")[2].partition("\n## ")[0]
    told = {rule for row in re.findall(r"^\| (`.*?) \|", section, re.M) for rule in re.findall(r"`([a-z0-9-]+)`", row)}
    assert rules | {"item-type"} == told - {"check"}


def test_the_stage_commands_that_are_shown_exist() -> None:
    shown = set(re.findall(r"codex-shim stage (\w+)", WRITE_A_STAGE.read_text("utf-8")))
    known = {command.name or command.callback.__name__ for command in stage_app.registered_commands if command.callback}
    assert shown == known


def test_the_sentences_that_are_quoted_of_cursors_worker_are_its_own() -> None:
    source = "".join(path.read_text("utf-8") for path in sorted((ROOT / "stages" / "egress_cursor").rglob("*.py")))
    told = re.sub(r'"\s*\n\s*f?"', "", source)
    section = (DOCS / "subscriptions.md").read_text("utf-8").partition("\n## Cursor\n")[2]
    quoted = re.findall("“(.+?)”", section)
    assert len(quoted) > 15
    assert [piece for words in quoted for piece in words.split("…") if piece.strip(" ,") not in told] == []


@pytest.mark.parametrize("path", sorted(DOCS.glob("*.md")), ids=lambda path: path.name)
def test_links_between_pages_lead_somewhere(path: Path) -> None:
    for target, anchor in re.findall(r"\]\(([\w./-]*)(?:#([\w-]+))?\)", path.read_text("utf-8")):
        linked = path.parent / target if target else path
        if target == "performance.md" and not linked.exists():
            continue  # it is written by the bench
        assert linked.exists(), f"{path.name} links to {target}"
        if anchor:
            headings = [_anchor(line) for line in linked.read_text("utf-8").splitlines() if line.startswith("#")]
            assert anchor in headings, f"{path.name} links to {target}#{anchor}"


def _anchor(heading: str) -> str:
    """As GitHub makes one of a heading."""
    return re.sub(r"[^\w -]", "", heading.lstrip("# ").lower()).replace(" ", "-")
