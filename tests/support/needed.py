"""Which tests of a file need what not every system has, seen by their text: of the test, and of what of that file it uses."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

SIGNS = {
    "needs_posix": re.compile(r"symlink_to\(|#!/|SIG(KILL|STOP|HUP|USR1)\b|mkfifo|killpg|\[\"(sh|cat|true|false|sleep|echo)\""),
    "needs_modes": re.compile(r"\bst_mode\b|S_IMODE|chmod\(0o6[0-7][1-7]\)|chmod\(0o6[1-7]0\)"),
    "needs_proc": re.compile(r"[\"'(]/proc\b"),
}
# Modules of tests/support whose users start scripts.
SCRIPTS = ("fake_cursor_agent",)
# What stands for a mark: each of them skips where the thing is missing.
MARKS = {
    "needs_posix": ("needs_posix", "needs_proc", "needs_linux"),
    "needs_modes": ("needs_modes", "needs_posix", "needs_proc", "needs_linux"),
    "needs_proc": ("needs_proc", "needs_linux"),
}


def unmarked(source: str) -> Iterator[tuple[str, str, int]]:
    """`(test, the mark that it lacks, its line)`."""
    tree, lines = ast.parse(source), source.split("\n")
    parts = {name: node for node in tree.body for name in _defined(node)}
    imported = {
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module in SCRIPTS
        for alias in node.names
    }
    whole = _text(lines, parts["pytestmark"]) if "pytestmark" in parts else ""
    for name, node in parts.items():
        if name.startswith("test_") and isinstance(node, ast.FunctionDef):
            used = _used(name, parts)
            text = "\n".join(_text(lines, parts[each]) for each in used if each in parts)
            said = whole + "".join(_lines(lines, each) for each in node.decorator_list)
            needs = {mark for mark, sign in SIGNS.items() if sign.search(text)} | ({"needs_posix"} if used & imported else set())
            yield from ((name, mark, node.lineno) for mark in sorted(needs) if not any(each in said for each in MARKS[mark]))


def _used(name: str, parts: dict[str, ast.stmt]) -> set[str]:
    """The names that a part uses, and those that they use; fixtures are used by the names of parameters."""
    seen: set[str] = set()
    following = {name}
    while following:
        seen |= following
        nodes = [node for each in following if each in parts for node in ast.walk(parts[each])]
        names = {node.id for node in nodes if isinstance(node, ast.Name)} | {
            node.arg for node in nodes if isinstance(node, ast.arg)
        }
        following = names - seen
    return seen


def _text(lines: list[str], node: ast.stmt) -> str:
    """Of a class only what stands for all its users."""
    if isinstance(node, ast.ClassDef):
        return "\n".join(_text(lines, each) for each in node.body if getattr(each, "name", "__init__") == "__init__")
    return _lines(lines, node)


def _lines(lines: list[str], node: ast.stmt | ast.expr) -> str:
    return "\n".join(lines[node.lineno - 1 : node.end_lineno])


def _defined(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)]
