"""One typed stage of one's own between two scripted sides, for a test in Python: `through("my_stages.trim", {"input": …})`."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..conformance.subject import started
from .play import Answer, Ask, Hop, Scene, Seen
from .scene import play

PATIENCE_SECONDS = 20.0


def through(
    module: str,
    request: Mapping[str, Any],
    *,
    path: Path | None = None,
    config: Mapping[str, Any] | None = None,
    answer: str = "OK",
) -> Seen:
    """What both sides see of one request: `seen.status` and `seen.body` came back, `seen.request` reached the next hop, as texts.

    The stage runs as its chain would start it. `path` is the folder that the module is found in, `config` the stage's own table,
    `answer` what the next hop says. Raises `AssertionError` where the stage does not come up, with its last words.
    """
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder) / "config.json"
        with settings.open("w", encoding="utf-8") as file:
            json.dump(config or {}, file)
        environ = {**os.environ, **({"PYTHONPATH": str(path)} if path else {})}
        subject = started(module, [sys.executable, "-P", "-m", module], environ, str(settings), secrets.token_urlsafe(16))
        assert subject.next_port is not None and subject.token is not None
        ask = Ask(number=0, body=json.dumps(request), answer=Answer(parts=[answer]))
        scene = Scene(stages=[subject], hops=[Hop("next", subject.next_port)], token=subject.token, asks=[ask])
        seen = asyncio.run(_first(scene))
    assert seen.fault is None, seen.fault
    return seen


async def _first(scene: Scene) -> Seen:
    seen = [each async for each in play(scene, PATIENCE_SECONDS)]
    return seen[0]
