"""Every folder under tests/fixtures/dialects/<dialect>/ is a case: a request, what the upstream answered, what came of both.

`CODEX_SHIM_REGENERATE=1` writes the expectations anew. Read what it wrote before you commit it.
"""

from __future__ import annotations

import json
import os
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from codex_shim.stages.contract.events import Event, ResponseBuilder
from codex_shim.stages.contract.sse import encode_events
from codex_shim.stages.egress_http.dialects import DIALECTS, Target

ROOT = next(parent for parent in Path(__file__).parents if parent.name == "tests") / "fixtures" / "dialects"
CASES = sorted(path.parent for path in ROOT.glob("*/*/request.json"))
STREAMS = [case for case in CASES if (case / "upstream.sse").exists()]
REGENERATE = bool(os.environ.get("CODEX_SHIM_REGENERATE"))
PATHS = {
    "chat": "/chat/completions",
    "messages": "/messages",
    "responses": "/responses",
    "gemini": r"/models/[^/]+:streamGenerateContent\?alt=sse",
}
# Beside one read per byte. Hypothesis cuts in more ways (test_stream.py of each dialect).
EVERY_CUT = 40
MORE_CUTS = 20

Run = Callable[..., list[Event]]


def name_of(case: Path) -> str:
    return f"{case.parent.name}-{case.name}"


def body_of(case: Path) -> dict[str, Any]:
    return json.loads((case / "request.json").read_bytes())


def target_of(case: Path) -> Target:
    path = case / "target.json"
    return msgspec.json.decode(path.read_bytes(), type=Target) if path.exists() else Target(model="upstream")


def expect(path: Path, actual: bytes) -> None:
    if REGENERATE:
        path.write_bytes(actual)
    assert actual.decode() == path.read_text()


def test_there_are_cases():
    assert len(CASES) > 40


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_the_request_is_translated_as_written_down(case: Path, builder: ResponseBuilder):
    """And the client's body is left as it was."""
    body = body_of(case)
    prepared = DIALECTS[case.parent.name].prepare(body, target_of(case), builder, raw=msgspec.json.encode(body))
    assert body == body_of(case)
    assert re.fullmatch(PATHS[case.parent.name], prepared.path)
    if (case / "expected_request.json").exists() or not (case / "upstream.sse").exists():
        sent = prepared.payload if isinstance(prepared.payload, bytes) else msgspec.json.encode(prepared.payload)
        shown = {"payload": msgspec.json.decode(sent), "notes": prepared.notes}
        expect(case / "expected_request.json", json.dumps(shown, indent=1, ensure_ascii=False).encode() + b"\n")


@pytest.mark.parametrize("case", STREAMS, ids=name_of)
def test_the_answer_is_translated_as_written_down(case: Path, run: Run):
    events = run(body_of(case), [(case / "upstream.sse").read_bytes()], target_of(case), case.parent.name)
    expect(case / "expected.sse", encode_events(events))


@pytest.mark.parametrize("case", STREAMS, ids=name_of)
def test_it_does_not_matter_how_the_network_cuts_the_answer(case: Path, run: Run):
    body, upstream = body_of(case), (case / "upstream.sse").read_bytes()
    rest = (target_of(case), case.parent.name)
    expected = run(body, [upstream], *rest)
    assert run(body, [upstream[place : place + 1] for place in range(len(upstream))], *rest) == expected
    for cut in cuts(len(upstream)):
        assert run(body, [upstream[:cut], upstream[cut:]], *rest) == expected, f"cut at byte {cut}"


def cuts(size: int) -> Iterator[int]:
    yield from range(1, min(size, EVERY_CUT))
    more = range(EVERY_CUT, size)
    yield from random.Random(0).sample(more, min(len(more), MORE_CUTS))
