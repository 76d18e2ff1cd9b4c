"""Structure: from TOML's tables to the classes of the schema.

Every mistake is reported, not just the first: each key is checked for itself,
each entry of a list is made for itself, and what cannot be made is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs
from cattrs import ClassValidationError, Converter, ForbiddenExtraKeysError
from cattrs.gen import make_dict_structure_fn, override

from . import checks
from .keys import CHECK
from .mistakes import Problem, TablePath, meant
from .schema import Config


def dashes(name: str) -> str:
    """How an attribute is spelled in a file."""
    return name.replace("_", "-")


SECTIONS = {
    dashes(each.name): each for each in attrs.fields(Config) if each.metadata
}  # spelled as in a file, in the order of the schema

_converter = Converter(forbid_extra_keys=True)


@_converter.register_structure_hook_factory(attrs.has)
def _structure_class(cls: type) -> Callable[[Any, Any], Any]:
    """How a table becomes an object of ``cls``: each key through its own check."""
    keys: dict[str, Any] = {
        each.name: override(rename=dashes(each.name), struct_hook=_through(each.metadata[CHECK]))
        for each in attrs.fields(cls)
    }
    return make_dict_structure_fn(cls, _converter, **keys)


def _through(check: checks.Check) -> Callable[[Any, Any], Any]:
    return lambda value, _: check(value)


class Structured:
    """What could be made of some tables, and what could not.

    Attributes:
        config: Broken sections and entries are missing from it.
        problems: What is wrong.
        broken: Sections of which something is missing for that reason.
    """

    def __init__(self, tables: Mapping[str, Any]) -> None:
        self.problems: list[Problem] = []
        made: dict[str, Any] = {}
        for key in tables:
            if key not in SECTIONS:
                self.problems.append(Problem((key,), f"no such section{meant(key, SECTIONS)}"))
        for key, attribute in SECTIONS.items():
            if key in tables:
                made[attribute.name] = self._section(key, attribute, tables[key])
        self.broken = {str(problem.path[0]) for problem in self.problems}
        self.config = Config(**made)

    def _section(self, key: str, attribute: attrs.Attribute[Any], raw: Any) -> Any:
        if "entries" in attribute.metadata:
            return tuple(self._entries(key, attribute.metadata["entries"], raw))
        if not isinstance(raw, dict):
            self.problems.append(Problem((key,), f"must be a table, written [{key}]"))
            raw = {}
        if "section" in attribute.metadata:
            cls = attribute.metadata["section"]
            made = self._make(cls, raw, (key,))
            return cls() if made is None else made
        if "tables" in attribute.metadata:
            return dict(self._tables_of_options(key, raw))
        return self._names(attribute.metadata[CHECK], raw, (key,))

    def _tables_of_options(self, key: str, raw: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        for name, options in raw.items():
            if not isinstance(options, dict):
                what = f"must be a table of options, written [{key}.{name}]"
                self.problems.append(Problem((key, name), what))
                continue
            made = self._names(checks.option, options, (key, name))
            if len(made) == len(options):  # else its meaning is anybody's guess
                yield name, made

    def _entries(self, key: str, cls: type, raw: Any) -> Iterator[Any]:
        if not isinstance(raw, list) or not all(isinstance(entry, dict) for entry in raw):
            self.problems.append(Problem((key,), f"must be a list of tables, each [[{key}]]"))
            return
        for index, entry in enumerate(raw):
            made = self._make(cls, entry, (key, index))
            if made is not None:
                yield made

    def _make(self, cls: type, raw: Mapping[str, Any], path: TablePath) -> Any:
        try:
            return _converter.structure(raw, cls)
        except ClassValidationError as exc:
            self.problems += _problems(exc, cls, path)
            return None

    def _names(self, check: checks.Check, raw: Mapping[str, Any], path: TablePath) -> Any:
        """A table of the site's own names, each value through the same check."""
        made = {}
        for name, value in raw.items():
            try:
                made[name] = check(value)
            except ValueError as exc:
                self.problems.append(Problem((*path, name), str(exc)))
        return made


def _problems(exc: ClassValidationError, cls: type, path: TablePath) -> Iterator[Problem]:
    """What cattrs says about one table, in our words."""
    at_keys, others = exc.group_exceptions()
    for inner, note in at_keys:
        missing = isinstance(inner, KeyError)
        what = "required, but missing" if missing else str(inner)
        yield Problem((*path, dashes(note.name)), what)
    for extra in others:
        assert isinstance(extra, ForbiddenExtraKeysError), extra
        known = [dashes(each.name) for each in attrs.fields(cls)]
        for key in sorted(extra.extra_fields):
            yield Problem((*path, key), f"no such key{meant(key, known)}")
