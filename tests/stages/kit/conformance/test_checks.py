"""Checks can fail: stages that break the contract in one way each are caught by the check that is there for it.

And they can pass: a stage that keeps all of it does, in tests/orchestrator/commands/test_stage.py and tests/chain.
"""

from __future__ import annotations

import asyncio
import json
import os
import runpy
import subprocess
import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec
import pytest
from codex_shim.stages.kit.conformance.__main__ import main
from codex_shim.stages.kit.conformance.run import CHECKS, examine
from codex_shim.stages.kit.conformance.subject import Subject, started
from codex_shim.stages.kit.conformance.verdict import Outcome
from ports import free_port
from raw_upstream import serving
from waiting import PATIENCE

BROKEN = Path(__file__).parents[3] / "fixtures" / "stages" / "broken.py"
STAGES = runpy.run_path(str(BROKEN))

# The stage of broken.py, the checks that it must not pass, and what one of them says.
CAUGHT = [
    ("Buffering", ["streaming", "cancel-streaming"], "it was held back"),
    ("DroppingFields", ["unknown-fields"], "expected the field `field_of_next_year` at the next hop"),
    ("DroppingItems", ["unknown-items"], "dream_sequence"),
    ("Sorting", ["key-order"], "expected the keys of the body in their order"),
    ("Rounding", ["numbers"], "9007199254740993"),
    ("LosingTheEnd", ["terminal"], "exactly one terminal event, response.completed; saw none"),
    ("EndingTwice", ["terminal"], "saw response.completed, response.completed"),
    ("HidingFailures", ["terminal"], "exactly one terminal event, response.failed; saw response.completed"),
    ("DroppingEvents", ["unknown-events"], "response.dream.delta"),
    ("NamelessEvents", ["event-lines"], "differs or is missing for response.created"),
    ("RewritingIds", ["ids"], "of ['resp_00000000000000000000000000000001'"),
    ("SplittingCharacters", ["characters"], "cut in the middle of its characters on the way; saw “Gr\N{REPLACEMENT CHARACTER}"),
    ("ScramblingNumbers", ["shape"], "`response.reasoning_summary_text.delta` has the `sequence_number` 1 behind 3"),
    ("ClosingEarly", ["terminal"], "exactly one terminal event, response.completed; saw none"),
    ("EatingErrors", ["errors", "response-headers"], "expected the next hop's status 400; saw 200"),
    ("HtmlErrors", ["errors"], "saw text/html"),
    ("CleanEnds", ["broken-off"], "as if it were whole"),
    ("Deaf", ["cancel-streaming", "cancel-waiting"], "to be noticed at the next hop; it was not"),
    ("OneAtATime", ["concurrent"], "expected 20 requests at the next hop at once; saw 1"),
    ("LosingHeaders", ["headers", "long-header"], "`session-id: session-1`"),
    ("KeepingHeaders", ["hop-by-hop"], "the next hop got x-only-this-hop, te, proxy-authorization"),
    ("LettingAnyoneIn", ["token"], "expected 401 for a request without the hop token; saw 200"),
    ("WrongToken", ["authorization"], "with the hop token at the next hop; saw none"),
    ("Immortal", ["drain", "lifeline"], "when its standard input ends; it still ran"),
    ("Abrupt", ["drain"], "expected a running stream to finish after SIGTERM"),
]

# Broken ends have to be ends of processes; the others are seen in a server within this process, which costs no start.
PROCESSES = ("Immortal", "Abrupt")
# These are seen to be broken only by what does not come: it is not waited for as long as a loaded machine may need.
WAITED_OUT = ("Buffering", "OneAtATime", "Immortal")
TOKEN = "a-token"


def run_checks(*arguments: str, only: list[str]) -> tuple[int, dict[str, Any]]:
    """The exit code and the report. The command line runs in this process, the stage in one of its own."""
    words = ["conformance", "--json", *(f"--only={name}" for name in only), *arguments]
    with patch.object(sys, "argv", words), redirect_stdout(StringIO()) as printed, pytest.raises(SystemExit) as end:
        main()
    assert isinstance(end.value.code, int)
    return end.value.code, json.loads(printed.getvalue())


def test_each_broken_stage_is_caught_by_the_check_that_is_there_for_it() -> None:
    """All at once: most of the time goes by with waiting for what a broken stage does not do."""

    async def caught() -> list[list[Outcome]]:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(examined(broken, checks)) for broken, checks, _ in CAUGHT]
        return [task.result() for task in tasks]

    for (broken, checks, sentence), outcomes in zip(CAUGHT, asyncio.run(caught()), strict=True):
        failed = [(check.name, "fail") for check in CHECKS if check.name in checks]
        assert [(each.check, each.verdict) for each in outcomes] == failed, (broken, outcomes)
        assert any(sentence in each.sentence for each in outcomes), (broken, outcomes)


async def examined(broken: str, checks: list[str]) -> list[Outcome]:
    patience = 2.0 if broken in WAITED_OUT else PATIENCE
    if broken in PROCESSES:
        subject = started(broken, [sys.executable, "-P", str(BROKEN), broken], dict(os.environ), None, TOKEN)
        return [outcome async for outcome in examine(msgspec.structs.replace(subject, patience=patience), checks)]
    next_port = free_port()
    async with serving(STAGES[broken], {}, f"http://127.0.0.1:{next_port}", TOKEN) as url:
        origin = url.removesuffix("/v1")
        subject = Subject(name=broken, url=origin, next_port=next_port, token=TOKEN, hop_token=TOKEN, patience=patience)
        return [outcome async for outcome in examine(subject, checks)]


def test_every_check_but_these_is_proven_to_fail() -> None:
    """The rest need a stage that cannot be written in a line; a new check belongs into CAUGHT."""
    proven = {check for _, checks, _ in CAUGHT for check in checks}
    rest = {"large-body", "large-event", "compaction", "json-answer", "no-answer", "health", "models"}
    assert {check.name for check in CHECKS} == proven | rest


def test_a_stage_that_dies_is_told_with_its_last_words_and_started_again(tmp_path: Path) -> None:
    script = tmp_path / "dies.py"
    script.write_text("import os\ndef request(body):\n    print('so long', flush=True)\n    os._exit(3)\n")
    code, report = run_checks("--script", str(script), only=["unknown-fields", "headers", "health"])
    fields, headers, health = report["checks"]
    assert code == 1
    assert "the stage died: exit code 3" in fields["sentence"]
    assert "so long" in fields["sentence"]
    assert (headers["verdict"], health["verdict"]) == ("fail", "pass")


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("raise SystemExit(7)", "ended before it was ready: exit code 7"),
        ("def request(body:", "cannot be loaded: SyntaxError"),
        ("x = 1", "defines neither request(body) nor event(event)"),
    ],
)
def test_a_stage_that_does_not_come_up_is_one_error(tmp_path: Path, code: str, sentence: str) -> None:
    script = tmp_path / "broken.py"
    script.write_text(code)
    if "SystemExit" in code:
        exit_code, report = run_checks("--command", sys.executable, str(script), only=["health"])
    else:
        exit_code, report = run_checks("--script", str(script), only=["health"])
    assert exit_code == 1
    assert report["checks"] == []
    assert sentence in report["error"]


def test_a_program_that_is_not_there_is_one_error() -> None:
    code, report = run_checks("--command", "/nowhere/stage", only=["health"])
    assert (code, report["error"]) == (1, "/nowhere/stage cannot be started: No such file or directory")


def test_an_address_where_nobody_listens_is_one_error() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    code, report = run_checks("--url", url, only=["health"])
    assert (code, report["error"]) == (1, f"nobody answers at {url}; start what is to be checked first")
    assert report["checks"] == []


def test_a_check_that_does_not_exist_is_wrong_usage() -> None:
    command = [sys.executable, "-P", "-m", "codex_shim.stages.kit.conformance", "--only", "speed", "--url", "http://127.0.0.1:1"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert "there is no check `speed`" in done.stderr
