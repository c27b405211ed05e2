"""A file that is changed is read again once it is written to its end; what cannot be used is told."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from codex_shim.orchestrator import contents
from codex_shim.orchestrator.course import CourseError
from codex_shim.orchestrator.file_watch import FileWatch
from codex_shim.orchestrator.settings import pipeline
from codex_shim.orchestrator.settings.stage_table import StageTable
from codex_shim.orchestrator.sources import Options, Sources
from waiting import PATIENCE

CHAIN = (
    '[[stage]]\nname = "ingress"\nuse = "ingress"\n[[stage]]\nname = "s"\nscript = "s.py"\n[[stage]]\nname = "r"\nuse = "router"\n'
)


class FakeCourse:
    """Counts reloads; the next one fails with `trouble`."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self.reloads = 0
        self.trouble = ""

    async def reload(self, tell: Any) -> list[Any]:
        self.reloads += 1
        if self.trouble:
            raise CourseError([self.trouble], 78)
        tell({"change": {"words": f"change {self.reloads}"}})
        return []

    def undisturbed(self, work: Any, name: str) -> asyncio.Task[Any]:
        return asyncio.create_task(work, name=name)


def chain_of(folder: Path) -> Sources:
    (folder / "s.py").write_text("def request(body): ...\n")
    (folder / "chain.toml").write_text(CHAIN)
    return Sources(pipeline=pipeline.load(folder / "chain.toml"), workers=[], rows=[], row_problems=[])


def test_each_change_is_one_reload_and_what_cannot_be_used_is_told(tmp_path: Path) -> None:
    told: list[dict[str, Any]] = []
    course = FakeCourse(chain_of(tmp_path))
    options = Options(home=tmp_path, settings=tmp_path / "models.json")

    async def play() -> None:
        watch = FileWatch(course, options, told.append, seconds=0.001)  # pyright: ignore[reportArgumentType]
        watching = asyncio.create_task(watch.run())
        await asyncio.sleep(0)  # it has seen the files as they are

        async def told_of(count: int) -> None:
            async with asyncio.timeout(PATIENCE):
                while len(told) < count:
                    await asyncio.sleep(0)

        (tmp_path / "s.py").write_text("def request(body): return None\n")
        await told_of(1)
        course.trouble = "models.json:1:1: this is not valid JSON"
        (tmp_path / "models.json").write_text("[")
        await told_of(2)
        course.trouble = ""
        (tmp_path / "models.json").write_text("[]")
        await told_of(3)
        watching.cancel()

    asyncio.run(play())
    assert told == [
        {"event": "changed", "words": "change 1"},
        {"event": "unchanged", "problems": ["models.json:1:1: this is not valid JSON"]},
        {"event": "changed", "words": "change 3"},
    ]


def test_what_a_stage_runs_is_its_script_or_the_package_of_its_module(tmp_path: Path) -> None:
    (tmp_path / "team" / "deep").mkdir(parents=True)
    for name in ("one.py", "team/a.py", "team/deep/b.py", "other.py", "team/notes.txt"):
        (tmp_path / name).write_text("")
    script = StageTable(name="s", script=str(tmp_path / "one.py"))
    typed = StageTable(name="s", use="team.a", path=str(tmp_path))
    single = StageTable(name="s", use="other", path=str(tmp_path))
    program = StageTable(name="s", command=["node", "x.mjs"])
    assert contents.files_of(script) == [tmp_path / "one.py"]
    assert contents.files_of(typed) == [tmp_path / "team/a.py", tmp_path / "team/deep/b.py"]
    assert contents.files_of(single) == [tmp_path / "other.py"]
    assert (contents.files_of(program), contents.digest(program)) == ([], "")
    before = contents.digest(typed)
    (tmp_path / "team/deep/b.py").write_text("1")
    assert contents.digest(typed) != before
