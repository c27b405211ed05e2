"""The workflow of the forge, in so far as a mistake in it would be found too late."""

from __future__ import annotations

import re
import tomllib

from codex_install import VERSION
from custom_stages import ROOT

WORKFLOW = (ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8")


def test_it_installs_the_codex_that_the_tests_want() -> None:
    assert re.findall(r'CODEX_VERSION: "([^"]+)"', WORKFLOW) == [VERSION]


def test_it_runs_other_peoples_code_by_commit_only_and_may_only_read() -> None:
    uses = re.findall(r"uses: (\S+)(.*)", WORKFLOW)
    assert uses
    assert [action for action, version in uses if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action) or "# v" not in version] == []
    assert re.findall(r"^permissions:\n((?:  .+\n)+)", WORKFLOW, re.M) == ["  contents: read\n"]


def test_it_begins_with_the_oldest_python_that_is_promised() -> None:
    promised = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["requires-python"]
    listed = re.search(r"python: \[(.+)\]", WORKFLOW)
    assert listed
    assert promised == f">={re.findall(r'[0-9.]+', listed[1])[0]}"
