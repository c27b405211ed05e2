"""An app in `Applications`, a home, and the programs of macOS."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from codex_shim.orchestrator.app import patching, restoring
from codex_shim.orchestrator.app.bundle import App
from codex_shim.orchestrator.app.patching import Patched
from codex_shim.orchestrator.app.restoring import Restored
from codex_shim.orchestrator.app.tools import Tools
from codex_shim.orchestrator.home import Home
from mac_app import FakeMac, make_app


@pytest.fixture
def mac() -> FakeMac:
    return FakeMac()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "user" / ".codex-shim")


@pytest.fixture
def app(tmp_path: Path) -> App:
    return App(make_app(tmp_path / "Applications" / "Codex.app"))


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def patch(home: Home, mac: FakeMac, tmp_path: Path, said: list[str]) -> Callable[[App], Patched]:
    return lambda app: patching.patch(app, home, Tools(mac), tmp_path / "user", said.append)


@pytest.fixture
def restore(home: Home, mac: FakeMac, said: list[str]) -> Callable[..., Restored]:
    return lambda named=None: restoring.restore(named, home, Tools(mac), said.append)
