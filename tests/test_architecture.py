"""The directions of DESIGN: who may import whom, and which library lives where. A new rule is one line of a table."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = {"codex_shim.stages": ROOT / "stages", "codex_shim.orchestrator": ROOT / "orchestrator"}

# Beneath the package on the left, only these packages of ours may be imported. `self` is the package itself.
MAY_IMPORT = {
    "codex_shim.stages.contract": ["self"],
    "codex_shim.stages.kit": ["self", "codex_shim.stages.contract"],
    "codex_shim.stages.ingress": ["self", "codex_shim.stages.contract", "codex_shim.stages.kit"],
    "codex_shim.stages.otel": ["self", "codex_shim.stages.contract", "codex_shim.stages.kit"],
    "codex_shim.stages.policy": ["self", "codex_shim.stages.contract", "codex_shim.stages.kit"],
    "codex_shim.stages.replayed": ["self", "codex_shim.stages.contract", "codex_shim.stages.kit"],
    "codex_shim.stages.probe": ["self", "codex_shim.stages.contract", "codex_shim.stages.kit"],
    "codex_shim.stages.router": ["self", "codex_shim.stages.contract", "codex_shim.stages.kit"],
    "codex_shim.stages.desk": ["self", "codex_shim.stages.contract", "codex_shim.stages.kit"],
    "codex_shim.stages.egress_http": ["self", "codex_shim.stages.contract", "codex_shim.stages.kit"],
    "codex_shim.stages.egress_cursor": ["self", "codex_shim.stages.contract", "codex_shim.stages.kit"],
    "codex_shim.stages.egress_demo": ["self", "codex_shim.stages.contract", "codex_shim.stages.kit"],
    "codex_shim.orchestrator": ["self", "codex_shim.stages.contract", "codex_shim.stages.*.config"],
}

# A library, or a part of the standard one, and the only files that may import it.
HOMES = {
    "aiohttp": ["stages/kit/client.py", "stages/kit/exchange.py", "stages/kit/server.py"],
    "uvloop": ["stages/kit/loop.py"],
    "winloop": ["stages/kit/loop.py"],
    "zstandard": ["stages/ingress/decompress.py"],
    "cryptography": ["stages/contract/sealed.py"],
    "setproctitle": ["stages/kit/forkserver.py"],
    "opentelemetry": ["stages/otel/exporter.py"],
    "typer": ["orchestrator/cli.py", "orchestrator/commands/*.py"],
}

# Values in, values out: no I/O, clock, environment, chance or logging.
PURE = [
    "stages/contract/advertised.py",
    "stages/contract/asked.py",
    "stages/contract/body.py",
    "stages/contract/check/*.py",
    "stages/contract/choosing.py",
    "stages/contract/compaction.py",
    "stages/contract/envelope.py",
    "stages/contract/errors.py",
    "stages/contract/headers.py",
    "stages/contract/json_path.py",
    "stages/contract/key_shapes.py",
    "stages/contract/log_fields.py",
    "stages/contract/login.py",
    "stages/contract/moments.py",
    "stages/contract/notes.py",
    "stages/contract/price.py",
    "stages/contract/project.py",
    "stages/contract/spent.py",
    "stages/contract/ports.py",
    "stages/contract/sse.py",
    "stages/contract/summary.py",
    "stages/contract/tools.py",
    "stages/contract/traceparent.py",
    "stages/ingress/codex.py",
    "stages/ingress/ending.py",
    "stages/ingress/guard.py",
    "stages/ingress/normalize.py",
    "stages/otel/spans.py",
    *(f"stages/policy/{name}.py" for name in ("asking", "change", "conditions", "effect", "engine", "request", "tokens")),
    "stages/policy/repair/*.py",
    "stages/policy/rules/*.py",
    *(f"stages/probe/{name}.py" for name in ("frames", "mask")),
    "stages/replayed/script.py",
    *(f"stages/router/{name}.py" for name in ("affinity", "breaker", "members", "need", "opening", "reasons", "route", "tried")),
    *(f"stages/router/{name}.py" for name in ("limits", "tail")),
    "stages/egress_cursor/answering/*.py",
    "stages/egress_cursor/asking/*.py",
    *(f"stages/egress_cursor/{name}.py" for name in ("codes", "failures", "redact", "refusals", "tags", "workspace")),
    *(f"stages/egress_cursor/running/{name}.py" for name in ("breaker", "environment", "limits", "line")),
    "stages/egress_demo/script.py",
    "stages/kit/conformance/advice.py",
    "stages/kit/conformance/judge.py",
    "stages/kit/conformance/samples.py",
    "stages/kit/conformance/verdict.py",
    "stages/kit/rehearsal/answers.py",
    "stages/egress_http/dialects/**/*.py",
    *(f"orchestrator/bench/{name}.py" for name in ("answer", "body", "budgets", "report", "rounds", "script", "statistics")),
    *(f"orchestrator/app/{name}.py" for name in ("asar", "digest", "info_plist", "patches")),
    "orchestrator/running/backoff.py",
    "orchestrator/codex/catalog.py",
    "orchestrator/codex/changes.py",
    "orchestrator/codex/choice.py",
    "orchestrator/codex/connection.py",
    "orchestrator/codex/efforts.py",
    "orchestrator/codex/known_models.py",
    "orchestrator/codex/overrides.py",
    "orchestrator/codex/edit.py",
    "orchestrator/desk/cards.py",
    "orchestrator/doctor/check.py",
    "orchestrator/doctor/report.py",
    "orchestrator/egress.py",
    "orchestrator/environment.py",
    *(f"orchestrator/explaining/{name}.py" for name in ("report", "why")),
    *(f"orchestrator/file_tests/{name}.py" for name in ("judge", "report", "seen")),
    "orchestrator/graph.py",
    "orchestrator/limits.py",
    "orchestrator/logins/state.py",
    "orchestrator/plan.py",
    "orchestrator/planning/*.py",
    "orchestrator/settings/model_edit.py",
    *(f"orchestrator/sight/{name}.py" for name in ("across", "changes", "comparison", "crossing", "hops", "judging", "outcome")),
    *(f"orchestrator/sight/{name}.py" for name in ("passing", "prefix", "recording", "selection", "stage_diff", "words")),
    *(f"orchestrator/service/{name}.py" for name in ("job", "lacking", "launchd_plist", "manager", "systemd_unit", "task_xml")),
    "orchestrator/subscriptions.py",
    "orchestrator/virtuals.py",
    *(f"orchestrator/traces/{name}.py" for name in ("book", "line", "meter", "prometheus", "tables", "top", "trace", "waterfall")),
    *(f"orchestrator/usage/{name}.py" for name in ("summary", "tally")),
    *(f"orchestrator/trial/{name}.py" for name in ("answer", "conversation", "hop", "report")),
]
IMPURE_MODULES = {"asyncio", "os", "random", "secrets", "socket", "subprocess", "sys", "time", "logging", "threading", "aiohttp"}


def sources() -> list[Path]:
    return sorted(path for folder in PACKAGES.values() for path in folder.rglob("*.py"))


def module_name(path: Path) -> str:
    for package, folder in PACKAGES.items():
        if path.is_relative_to(folder):
            parts = path.relative_to(folder).with_suffix("").parts
            return ".".join([package, *(part for part in parts if part != "__init__")])
    raise AssertionError(path)


@cache
def imports(path: Path) -> tuple[str, ...]:
    """Absolute names of everything a file imports, also inside functions."""
    return tuple(_imported(path))


def _imported(path: Path) -> Iterator[str]:
    name = module_name(path)
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            target = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{target}.{alias.name}" for alias in node.names)


def allowed(imported: str, owner: str) -> bool:
    for rule in MAY_IMPORT[owner]:
        pattern = (owner if rule == "self" else rule).split(".")
        parts = imported.split(".")[: len(pattern)]
        if len(parts) == len(pattern) and all(want in ("*", got) for want, got in zip(pattern, parts, strict=True)):
            return True
    return False


def owner_of(name: str) -> str | None:
    return next((owner for owner in MAY_IMPORT if name == owner or name.startswith(owner + ".")), None)


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_in_the_one_direction(path: Path) -> None:
    owner = owner_of(module_name(path))
    if owner is None:
        assert path == ROOT / "stages/__init__.py", "a new package needs a line in MAY_IMPORT"
        return
    ours = [name for name in imports(path) if name.startswith("codex_shim.")]
    assert [name for name in ours if not allowed(name, owner)] == []


def test_every_stage_folder_has_a_rule() -> None:
    folders = {path.name for path in (ROOT / "stages").iterdir() if (path / "__init__.py").exists()}
    assert folders == {owner.split(".")[2] for owner in MAY_IMPORT if owner.startswith("codex_shim.stages.")}


@pytest.mark.parametrize("library", HOMES)
def test_a_library_is_imported_only_where_it_lives(library: str) -> None:
    users = {path for path in sources() if any(name.split(".")[0] == library for name in imports(path))}
    homes = {path for pattern in HOMES[library] for path in ROOT.glob(pattern)}
    assert users <= homes
    assert users, f"nobody imports {library} any more; take its line out"


@pytest.mark.parametrize("pattern", PURE)
def test_pure_files_import_nothing_that_acts(pattern: str) -> None:
    paths = list(ROOT.glob(pattern))
    assert paths, f"{pattern} names no file"
    for path in paths:
        used = {name.split(".")[0] for name in imports(path)}
        assert used & IMPURE_MODULES == set(), path
        assert not any(name.startswith("codex_shim.stages.kit") for name in imports(path)), path


def test_only_the_named_files_ask_which_system_this_is() -> None:
    asking = {str(path.relative_to(ROOT)) for path in sources() if "sys.platform" in path.read_text()}
    assert asking <= {
        "orchestrator/running/process.py",
        "orchestrator/running/spawn_exec.py",
        "orchestrator/system.py",
        "stages/egress_cursor/running/agent.py",
        "stages/egress_cursor/running/lock.py",
        "stages/egress_cursor/running/tree.py",
        "stages/kit/lifeline.py",
        "stages/kit/loop.py",
        "stages/kit/process.py",
    }


def test_the_package_list_of_pyproject_is_the_folders() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    found = {module_name(path) for path in sources() if path.name == "__init__.py"}
    assert set(listed) == found


def test_no_function_hides_an_import_cycle() -> None:
    """The graph of imports, those inside functions included, has no cycle between files."""
    files = {module_name(path): path for path in sources()}
    graph = {name: {found for each in imports(path) if (found := _file_of(each, files))} for name, path in files.items()}
    seen: dict[str, int] = {}

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " → ".join((*trail[trail.index(name) :], name))
        if name not in seen:
            for following in graph[name] - {name}:
                visit(following, (*trail, name))
            seen[name] = 1

    for name in graph:
        visit(name, ())


def _file_of(imported: str, files: dict[str, Path]) -> str | None:
    while imported and imported not in files:
        imported = imported.rpartition(".")[0]
    return imported if imported and files[imported].name != "__init__.py" else None


def _only_reads(call: ast.Call) -> bool:
    """`open(path)`, or with a mode that does not write."""
    if not (isinstance(call.func, ast.Name) and call.func.id == "open"):
        return False
    modes = [*call.args[1:2], *(keyword.value for keyword in call.keywords if keyword.arg == "mode")]
    return all(isinstance(mode, ast.Constant) and mode.value in ("r", "rb") for mode in modes)


@pytest.mark.parametrize(
    "path",
    [path for path in sources() if path.is_relative_to(ROOT / "stages") and "conformance" not in path.parts],
    ids=lambda path: path.name,
)
def test_no_stage_writes_a_file(path: Path) -> None:
    """Prompts are never on the disk: no stage has a way to put them there.

    One file writes: the settings of a cursor-agent and the mark by which its processes are found, in a folder that is then emptied.
    It is given no request, and what it writes is tested (tests/stages/egress_cursor/running/test_slots.py).
    """
    writers = {"write_text", "write_bytes", "open", "mkstemp", "NamedTemporaryFile", "touch"}
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call) and not _only_reads(node)]
    builtins = {call.func.id for call in calls if isinstance(call.func, ast.Name)}
    methods = {call.func.attr for call in calls if isinstance(call.func, ast.Attribute)} - {
        "open"
    }  # `open` is also what hops and stages do
    allowed = {"write_bytes", "touch"} if path.relative_to(ROOT) == Path("stages/egress_cursor/running/slots.py") else set()
    assert (builtins | methods) & writers == allowed
