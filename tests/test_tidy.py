"""The shape of the code is a test: floors stay apart, files and functions stay small.

ARCHITECTURE.md draws the floors. Each may import from itself and from the floors
before it; only the upper ones may know that time passes and that there is a
world outside.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "statserver_trio"
FILES = sorted(PACKAGE.rglob("*.py"))

FLOORS = [
    "machine",
    "tlib",
    "expressions",
    "asterisk",
    "simulator",
    "model",
    "stats",
    "ha",
    "api",
    "config",
    "client",
    "extensions",
    "server",
    "commands",
]
# Floors that may wait, and touch the world.
UPPER = {"client", "extensions", "server", "commands"}
# Floors that must not know each other although one stands above the other.
STRANGERS = {
    ("expressions", "tlib"),
    ("model", "asterisk"),
    ("model", "simulator"),
    ("simulator", "asterisk"),
    ("stats", "asterisk"),
    ("stats", "simulator"),
    ("api", "model"),
    ("api", "ha"),
    ("ha", "asterisk"),
    ("ha", "simulator"),
    ("client", "stats"),
    ("client", "config"),
    *(
        ("extensions", floor)
        for floor in ("tlib", "model", "stats", "ha", "api", "config", "client")
    ),
}
WORLDLY = {"trio", "trio_websocket", "time", "random", "secrets", "uuid", "socket", "ssl", "os"}
CLOCKS = {"now", "today", "utcnow"}

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60


def floor_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def ours(path: Path) -> bool:
    return floor_of(path) not in ("__init__", "__main__")


def runtime_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those that only a type checker sees."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        yield from runtime_nodes(node)


def imports(path: Path, tree: ast.AST) -> Iterator[str]:
    """Absolute names of what a file imports."""
    package = ["statserver_trio", *path.relative_to(PACKAGE).parts[:-1]]
    for node in runtime_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_small_and_explained(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert ast.get_docstring(tree), "a module says what it is for"
    assert text.count("\n") <= FILE_LINES_MAX, "two concepts in one file?"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            lines = node.end_lineno - node.lineno + 1
            if not any(map(_is_click, node.decorator_list)):  # options are declarations
                assert lines <= FUNCTION_LINES_MAX, f"{node.name} is {lines} lines long"
            if not node.name.startswith("_") and isinstance(node.end_lineno, int):
                public = ast.get_docstring(node) or _is_nested(tree, node)
                assert public, f"{node.name} (line {node.lineno}) has no docstring"


def _is_click(decorator: ast.expr) -> bool:
    return "click." in ast.unparse(decorator)


def _is_nested(tree: ast.Module, function: ast.AST) -> bool:
    """Private by where it stands: inside a function or a private class."""
    for node in ast.walk(tree):
        private = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or (
            isinstance(node, ast.ClassDef) and node.name.startswith("_")
        )
        if private and node is not function and function in ast.walk(node):
            return True
    return False


@pytest.mark.parametrize(
    "path", [f for f in FILES if ours(f)], ids=lambda p: str(p.relative_to(PACKAGE))
)
def test_floors_stay_apart(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    floor = floor_of(path)
    assert floor in FLOORS, "a new floor needs its place in ARCHITECTURE.md and here"
    for name in imports(path, tree):
        top, *rest = name.split(".")
        if top == "statserver_trio" and rest and rest[0] in FLOORS:
            assert FLOORS.index(rest[0]) <= FLOORS.index(floor), f"{floor} imports {name}"
            assert (floor, rest[0]) not in STRANGERS, f"{floor} imports {name}"
        elif floor not in UPPER:
            assert top not in WORLDLY, f"{floor} imports {name}"
    if floor not in UPPER:
        for node in ast.walk(tree):
            assert not isinstance(node, ast.Await | ast.AsyncFunctionDef), "waits below server"
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                assert node.func.attr not in CLOCKS, f"line {node.lineno} asks for the time"


def test_the_check_can_fail(tmp_path: Path) -> None:
    tree = ast.parse("from ..server import hub\nimport trio\n")
    assert list(imports(PACKAGE / "stats" / "x.py", tree)) == ["statserver_trio.server.hub", "trio"]
