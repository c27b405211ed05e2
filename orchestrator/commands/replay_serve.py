"""What `replay --serve` does: hand a recording over to an upstream that answers with it, a process of its own (stages/replayed)."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec
import typer
from codex_shim.stages.contract.handshake import Handshake
from codex_shim.stages.replayed.config import Config, Recorded

from ..environment import survey
from ..foreground import Foreground, argv_of
from ..home import write_private
from ..sight.crossing import Crossing
from ..sight.outcome import answer_of
from ..sockets import bind
from .common import fail

NAME = "replayed"
_HOST = "127.0.0.1"
_MODULE = "codex_shim.stages.replayed"


def serve(exchanges: Sequence[Crossing], hop: str, *, pace: bool, port: int) -> int:
    """Until Ctrl-C. The exit code is that of the process."""
    port = _free(port)
    models = list(dict.fromkeys(each.model for each in exchanges if each.model))
    with tempfile.TemporaryDirectory(prefix="codex-shim-") as folder:
        config = Path(folder) / f"{NAME}.json"
        write_private(config, msgspec.json.encode(_config(exchanges, models, pace)))
        shake = Handshake(stage=NAME, host=_HOST, port=port, config=str(config), drain_seconds=1)
        env = {**survey(os.environ, Path(folder)).base, **shake.environ()}
        _tell(f"{len(exchanges)} recorded exchanges of {hop} are played here; Ctrl-C ends it. In models.json they are reached by")
        typer.echo(json.dumps(rows(models, port), indent=2, ensure_ascii=False))
        stage = Foreground(argv_of("module", [_MODULE]), env, Path(folder))
        code = stage.wait(stage.stop)  # there may be no terminal that tells it too
    return 0 if stage.stopped else code


def rows(models: Sequence[str], port: int) -> list[dict[str, str]]:
    """What to put into models.json, so that each model leads here."""
    address = {"provider": "openai-responses", "base_url": f"http://{_HOST}:{port}/v1"}
    return [{"model": model, "slug": model, **address} for model in models or ["recorded"]]


def _config(exchanges: Sequence[Crossing], models: list[str], pace: bool) -> Config:
    """What was never answered cannot be played."""
    recorded = [
        Recorded(
            path=each.path,
            body=each.body or "",
            status=each.status,
            headers=each.answer_headers,
            pieces=each.answer,
            whole=each.outcome == "ok" or answer_of(each).whole is not None,  # a client may leave at once when it has all
        )
        for each in exchanges
        if each.status is not None
    ]
    return Config(exchanges=recorded, models=models, pace=pace)


def _free(port: int) -> int:
    try:
        with bind(_HOST, port) as probe:
            return probe.getsockname()[1]
    except OSError as error:
        fail(f"{_HOST}:{port} cannot be listened on: {error.strerror}; choose another --port, or 0 for a free one")


def _tell(sentence: str) -> None:
    typer.echo(typer.style(sentence, dim=True), err=True)
