"""What Codex makes of its own models when they come through us, and of a list that it was sent by us."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from chatgpt_login import login, write_auth
from codex_cli import Codex
from codex_shim.orchestrator.codex import known_models
from running_chain import RunningChain
from scripted_upstream import ScriptedUpstream


def test_codex_shows_its_own_models_behind_the_users_as_it_knows_them(
    start_chain: Callable[..., RunningChain],
    codex_environ: dict[str, str],
    bare_codex: Codex,
    upstream: ScriptedUpstream,
    tmp_path: Path,
) -> None:
    write_auth(tmp_path / "user" / ".codex", login())
    chain = start_chain([upstream.model(slug="mine")], environ=codex_environ)
    bare_codex.use(chain)
    bundled = sorted(bare_codex.models("--bundled"), key=lambda model: model["priority"])
    shown = bare_codex.models()
    background = {"codex-auto-review", "gpt-6.1-terra"}
    expected = [model["slug"] for model in bundled if model["visibility"] == "list" and model["slug"] not in background]
    assert [model["slug"] for model in shown] == ["mine", *expected]
    theirs = {model["slug"]: model for model in bundled}
    ours = {"priority", "upgrade"}
    for model in shown[1:]:
        before = theirs[model["slug"]]
        assert {k: v for k, v in model.items() if k not in ours} == {k: v for k, v in before.items() if k not in ours}


def test_d53_codex_keeps_the_mark_of_a_list_that_was_ours(
    start_chain: Callable[..., RunningChain], bare_codex: Codex, upstream: ScriptedUpstream
) -> None:
    """The premise of known_models: a Codex without a catalog file asks us, and remembers who has answered."""
    chain = start_chain([upstream.model(slug="gpt-of-mine")])
    bare_codex.use(chain)
    config = bare_codex.home / "config.toml"
    lines = config.read_text().splitlines()
    text = "\n".join(line for line in lines if not line.startswith("model_catalog_json"))
    config.write_text(text.replace("base_url =", f'model_catalog_url = "{chain.url}/models"\nbase_url ='))
    assert [model["slug"] for model in bare_codex.models()] == ["gpt-of-mine"]
    cache = (bare_codex.home / "models_cache.json").read_bytes()
    assert "codex-shim-" in json.loads(cache)["etag"]
    assert [model.slug for model in known_models.read(cache, b"")] == list(known_models.FALLBACK)
