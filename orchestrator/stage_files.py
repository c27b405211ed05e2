"""The configuration files of the stages: there while a stage needs to read one, 0600, gone when the chain is."""

from __future__ import annotations

from pathlib import Path

from .home import write_private
from .spec import StageSpec


class StageFiles:
    """One JSON file per stage in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, spec: StageSpec) -> None:
        if spec.config is not None:
            write_private(self._path(spec), spec.config)

    def settled(self, spec: StageSpec) -> None:
        """A key lies on the disk only as long as its worker needs to read it."""
        if spec.secret:
            self._path(spec).unlink(missing_ok=True)

    def clear(self) -> None:
        for path in self._folder.glob("*.json"):
            path.unlink(missing_ok=True)

    def _path(self, spec: StageSpec) -> Path:
        return self._folder / f"{spec.name}.json"
