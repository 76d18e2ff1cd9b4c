"""Overrides: keys that the environment gives instead of a file, as containers like to have it.

    STATSERVER__HA__ADDP_TIMEOUT=5                 [ha] addp-timeout = 5
    STATSERVER__LISTEN__0__PORT=7100               the first [[listen]], port = 7100
    STATSERVER__FILTERS__Vip=PairExists("a","b")   [filters] Vip = '...'

Sections and keys are in capitals, with an underscore for each dash; names of the site's own are
as they are. A value is what would stand in a file, or text without its quotes. Entries of a list
of tables count from zero; the number behind the last one adds one. The environment is laid over
all files, and its mistakes are told with the variable's name.

Nothing here reads the environment: whoever loads a configuration hands it in.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from .keys import CHECK
from .mistakes import Mistake, Problem, TablePath, listed, meant, place_of
from .structure import SECTIONS, dashes

PREFIX = "STATSERVER__"
SEPARATOR = "__"


class Overrides:
    """What the environment says of the configuration.

    Args:
        environment: All of it, or what :func:`ours` has left.

    Attributes:
        origins: Which variable a place in the tables is from.
        mistakes: Variables that mean nothing, and why.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.origins: dict[TablePath, str] = {}
        self.mistakes: list[tuple[str, str]] = []
        self._environment = ours(environment)

    def lay_over(self, tables: dict[str, Any]) -> None:
        """Change the tables of the files accordingly."""
        for name in sorted(self._environment, key=_by_number):
            try:
                path, value = _read(name, self._environment[name], tables)
            except ValueError as error:
                self.mistakes.append((name, str(error)))
                continue
            _put(tables, path, value)
            self.origins[path] = name

    def locate(self, problem: Problem) -> Mistake | None:
        """A problem, as one of the variable that it is about; None where a file is."""
        for length in range(len(problem.path), 0, -1):
            variable = self.origins.get(problem.path[:length])
            if variable is not None:
                return Mistake(variable, "", "", problem.what, problem.warning)
        return None

    def places(self) -> dict[str, str]:
        """What each variable gives, as it is called in a file."""
        named = ((variable, place_of(path)) for path, variable in self.origins.items())
        return {variable: f"[{section}] {key}" for variable, (section, key) in named}


def ours(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that are meant for the configuration."""
    return {name: value for name, value in environment.items() if name.startswith(PREFIX)}


def _by_number(name: str) -> list[tuple[bool, int, str]]:
    """In the order in which entries are added."""
    parts = name.split(SEPARATOR)
    return [(p.isdecimal(), int(p) if p.isdecimal() else 0, p) for p in parts]


def _read(name: str, text: str, tables: Mapping[str, Any]) -> tuple[TablePath, Any]:
    """Where a variable belongs, and what it says; ValueError with what is allowed."""
    head, *rest = name.removeprefix(PREFIX).split(SEPARATOR)
    section = _spelled(head)
    if section not in SECTIONS:
        raise ValueError(f"no such section as [{section}]{meant(section, SECTIONS)}")
    metadata = SECTIONS[section].metadata
    if "section" in metadata:
        key, check = _key(metadata["section"], rest, f"{PREFIX}{head}__KEY")
        return (section, key), _value(text, check)
    if "entries" in metadata:
        there = tables.get(section, [])
        index = _index(rest, len(there) if isinstance(there, list) else 0, f"{PREFIX}{head}")
        key, check = _key(metadata["entries"], rest[1:], f"{PREFIX}{head}__{index}__KEY")
        return (section, index, key), _value(text, check)
    if "tables" in metadata:
        if len(rest) != 2 or not all(rest):
            raise ValueError(f"must be {PREFIX}{head}__NAME__OPTION")
        return (section, *rest), text
    if not rest or not all(rest):
        raise ValueError(f"must be {PREFIX}{head}__NAME")
    return (section, SEPARATOR.join(rest)), _value(text, metadata[CHECK])


def _spelled(part: str) -> str:
    return part.lower().replace("_", "-")


def _key(cls: type, rest: list[str], form: str) -> tuple[str, Any]:
    """The one key that is left, and its check."""
    known = {dashes(each.name): each.metadata[CHECK] for each in attrs.fields(cls)}
    if len(rest) != 1 or not rest[0]:
        raise ValueError(f"must be {form}, where KEY is one of {listed(_variables(known))}")
    key = _spelled(rest[0])
    if key not in known:
        raise ValueError(f"no such key as {key}; KEY is one of {listed(_variables(known))}")
    return key, known[key]


def _variables(keys: Mapping[str, object]) -> Iterator[str]:
    return (key.upper().replace("-", "_") for key in keys)


def _index(rest: list[str], length: int, form: str) -> int:
    if not rest or not (rest[0].isascii() and rest[0].isdecimal()) or len(rest[0]) > 6:
        raise ValueError(f"must be {form}__NUMBER__KEY, counted from 0")
    index = int(rest[0])
    if index > length:
        raise ValueError(f"there are {length} entries; the next one is {form}__{length}__KEY")
    return index


def _value(text: str, check: Any) -> Any:
    """What a text means to a key: what TOML makes of it, or if that is no good the text."""
    try:
        found = tomllib.loads(f"value = {text}")
    except (tomllib.TOMLDecodeError, RecursionError, ValueError):
        return text
    if set(found) != {"value"}:
        return text
    for each in (found["value"], text):
        try:
            check(each)
        except ValueError:
            continue
        return each
    return found["value"]


def _put(tables: dict[str, Any], path: TablePath, value: Any) -> None:
    section, *between, key = path
    table = tables
    for here, below in zip((section, *between), (*between, key), strict=True):
        table = _step(table, here, [] if isinstance(below, int) else {})
    table[key] = value  # type: ignore[index]


def _step(table: Any, key: Any, empty: Any) -> Any:
    """One step down, making what is not there."""
    if isinstance(table, list):
        if key == len(table):
            table.append(empty)
        elif not isinstance(table[key], dict):
            table[key] = empty
    elif not isinstance(table.get(key), type(empty)):
        table[key] = empty
    return table[key]
