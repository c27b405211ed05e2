from __future__ import annotations

import pytest
from codex_shim.orchestrator.settings import base_url
from codex_shim.orchestrator.settings.providers import PRESETS


@pytest.mark.parametrize("name", [name for name, preset in PRESETS.items() if preset.base_url])
def test_a_preset_can_be_used_as_it_stands(name: str) -> None:
    preset = PRESETS[name]
    assert preset.base_url
    assert base_url.read(preset.base_url) == preset.base_url
    assert base_url.is_local(preset.base_url) != bool(preset.key_env)


def test_names_are_found_in_any_case() -> None:
    assert [name for name in PRESETS if name != name.lower()] == []


def test_cursor_s_key_is_nobody_s_default() -> None:
    assert "CURSOR_API_KEY" not in {preset.key_env for preset in PRESETS.values()}
