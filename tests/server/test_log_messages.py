"""All that the product logs has a number, but for debugging, and every number has a place."""

from __future__ import annotations

import ast
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from statserver_trio.server.log_messages import MESSAGES, find, find_text

PACKAGE = Path(__file__).parent.parent.parent / "statserver_trio"
LEVELS = ("info", "warning", "error", "exception", "critical")
MACHINES = "server.ha.member"  # logs what the machines of the pair want said
FROM_OUTSIDE = {(False, "trio.serve_listeners", "no connection can be accepted; %s")}
FROM_A_THREAD = {"DROPPED"}  # names that stand for templates


def template_of(node: ast.expr, function: ast.AST, module: ast.Module) -> str:
    """What is said there: a constant, an f-string, or a name for one of these."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=values):
            return "".join(v.value if isinstance(v, ast.Constant) else "%s" for v in values)
        case ast.Name(id=name):
            for scope in (function, module):
                for each in ast.walk(scope):
                    if isinstance(each, ast.Assign) and ast.unparse(each.targets[0]) == name:
                        return template_of(each.value, function, module)
    raise AssertionError(f"line {node.lineno}: write the template where it is used")


def call_sites(path: Path) -> Iterator[tuple[bool, str, str, int]]:
    """Whether it is news, logger, template and line of everything that a file logs."""
    logger = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
    module = ast.parse(path.read_text(encoding="utf-8"))
    functions = [
        n for n in ast.walk(module) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    for node in ast.walk(module):
        if not isinstance(node, ast.Call):
            continue
        inside = [f for f in functions if f.lineno <= node.lineno <= (f.end_lineno or 0)]
        function = inside[-1] if inside else module
        match node.func:
            case ast.Attribute(value=ast.Name(id="log"), attr=level) if level in LEVELS:
                template = template_of(node.args[0], function, module)
                yield level == "info", logger, template, node.lineno
            case ast.Attribute(value=ast.Name(id="log"), attr="makeRecord"):
                yield False, logger, template_of(node.args[4], function, module), node.lineno
            case ast.Name(id="Log") if logger.startswith("ha."):
                level = ast.unparse(node.args[0])
                if level != "'debug'":
                    template = template_of(node.args[1], function, module)
                    yield level == "'info'", MACHINES, template, node.lineno


ALL = [(path, *site) for path in sorted(PACKAGE.rglob("*.py")) for site in call_sites(path)]
NUMBERED = {(each.level == "info", each.logger, each.template): each for each in MESSAGES}


def test_each_call_site_has_a_number() -> None:
    missing = [
        f"{path.relative_to(PACKAGE)}:{line}: {template!r} of {logger}"
        for path, is_news, logger, template, line in ALL
        if (is_news, logger, template) not in NUMBERED
    ]
    assert not missing, "give these a row in server/log_messages.py:\n" + "\n".join(missing)
    assert len(ALL) > 50, "the search has lost its eyes"


def test_no_number_is_left_over_or_there_twice() -> None:
    used = {site[1:4] for site in ALL} | FROM_OUTSIDE
    assert not set(NUMBERED) - used
    assert len({each.id for each in MESSAGES}) == len(MESSAGES) == len(NUMBERED)
    assert [each.id for each in MESSAGES] == sorted(each.id for each in MESSAGES)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: m.id)
def test_each_is_explained(message: object) -> None:
    id, level, _, _, meaning, remedy = message  # type: ignore[misc]
    assert re.fullmatch(r"SST-\d{4}", id)
    assert (level == "info") == (id[5] == "0"), "x0xx is news"
    assert meaning.endswith(".")
    assert remedy.endswith(".")


def test_what_the_machines_say_is_found_by_its_text() -> None:
    assert all(
        find_text(is_news, MACHINES, template.replace("%s", "x y"))
        is NUMBERED[is_news, logger, template]
        for path, is_news, logger, template, _ in ALL
        if path.parent.name == "ha" and logger == MACHINES and path.name != "member.py"
    )


@pytest.mark.parametrize(
    ("level", "logger", "template", "args", "id"),
    [
        ("WARNING", "statserver_trio.server.feed_task", "feed %s cannot be reached: %s",
         ("ts1", "Connection refused"), "SST-2101"),
        ("WARNING", "statserver_trio.server.ha.member", "%s",
         ("the peer's clock is +1.250 s ahead of ours",), "SST-3208"),
        ("ERROR", "statserver_trio.server.ha.member", "%s", ("something of a later day",), None),
        ("INFO", "statserver_trio.server.feed_task", "feed %s cannot be reached: %s",
         ("ts1", "x"), None),
        ("INFO", "statserver_trio.server.feed_task", "feed %s connected%s",
         ("ts1", ""), "SST-2001"),
        ("DEBUG", "statserver_trio.server.feed_task", "feed %s connected%s", ("ts1", ""), None),
        ("ERROR", "trio.serve_listeners", "no connection can be accepted; accept returned EMFILE",
         (), "SST-1103"),
        ("ERROR", "somebody.else", "%s", ("x",), None),
    ],
)  # fmt: skip
def test_found_by_logger_and_template(
    level: str, logger: str, template: str, args: tuple[object, ...], id: str | None
) -> None:
    number = getattr(logging, level)
    record = logging.LogRecord(logger, number, "f", 1, template, args, None)
    found = find(record)
    assert (found and found.id) == id
