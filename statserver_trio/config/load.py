"""Load: from a file, and the files it includes, to a configuration.

``include = ["common.toml"]`` at the top of a file reads others first, relative
to it. Tables are merged key by key, and what the including file says wins;
lists of tables (``[[dns]]`` and the like) add up. A file that is included more
than once is read once. Over all of that, the environment is laid (:mod:`.overrides`).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from .coherence import incoherences
from .extensions import extension_problems
from .metrics import metrics_problems
from .mistakes import ConfigError, Mistake, Problem, TablePath, place_of
from .overrides import Overrides, ours
from .schema import Config
from .secret_files import read_secrets
from .site import site_problems
from .structure import SECTIONS, Structured

_LISTS = {(key,) for key, each in SECTIONS.items() if "entries" in each.metadata}
_POSITION = re.compile(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", re.DOTALL)


def load(path: Path, environment: Mapping[str, str] | None = None) -> Config:
    """The configuration that ``path`` holds.

    Args:
        environment: May give keys instead of the files; see :mod:`.overrides`.

    Raises:
        ConfigError: With every mistake in it, in the files it includes, and in the environment.
    """
    files, overrides = _Files(), Overrides(environment or {})
    files.read(path, ())
    if files.mistakes:  # what the rest means, nobody can tell
        raise ConfigError(files.mistakes)
    overrides.lay_over(files.tables)
    made = Structured(files.tables)
    config, secret_problems = read_secrets(made.config)
    problems = [
        *made.problems,
        *secret_problems,
        *incoherences(config, made.broken),
        *site_problems(config, made.broken),
        *extension_problems(config, made.broken),
    ]
    is_whole = all(problem.warning for problem in problems)
    problems += metrics_problems(config, made.broken, is_whole)
    found = [
        *(Mistake(variable, "", "", what) for variable, what in overrides.mistakes),
        *(overrides.locate(problem) or files.locate(problem, path) for problem in problems),
    ]
    mistakes = [each for each in found if not each.warning]
    warnings = tuple(each for each in found if each.warning)
    if mistakes:
        raise ConfigError(mistakes, warnings)
    return attrs.evolve(
        config,
        warnings=warnings,
        environment=ours(environment or {}),
        overrides=overrides.places(),
    )


def _identity(path: Path) -> Path:
    """The same for all ways to name a file."""
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):  # links in a circle; a zero byte
        return path.absolute()


class _Files:
    """Reads files and lays one over the other.

    Attributes:
        tables: All of them, merged.
        mistakes: Why a file could not be read.
    """

    def __init__(self) -> None:
        self.tables: dict[str, Any] = {}
        self.mistakes: list[Mistake] = []
        self._read: set[Path] = set()
        # Which file a place in the tables comes from, and where it is in there.
        self._origins: dict[TablePath, tuple[str, TablePath]] = {}

    def read(self, path: Path, including: tuple[Path, ...]) -> None:
        """Read what ``path`` includes, and then ``path``.

        Args:
            including: How we came here, the first file first.
        """
        self._read.add(_identity(path))
        raw = self._parse(path, including)
        including = (*including, path)
        for name in self._includes(raw, path):
            included = path.parent / name
            if _identity(included) in map(_identity, including):
                way = " -> ".join(str(each) for each in (*including, included))
                self._note(path, "include", f"goes in a circle: {way}")
            elif _identity(included) not in self._read:
                self.read(included, including)
        self._lay(self.tables, raw, (), str(path))

    def _parse(self, path: Path, including: Sequence[Path]) -> dict[str, Any]:
        """A file's tables; nothing, and a mistake, if it has none."""
        try:
            return tomllib.loads(path.read_bytes().decode())
        except OSError as exc:
            what = f"cannot read {path}: {exc.strerror}"
            if including:
                self._note(including[-1], "include", what)
            else:
                self._note(path, "", f"cannot read it: {exc.strerror}")
        except UnicodeDecodeError as exc:
            self._note(path, "", f"no UTF-8 text: byte {exc.start + 1} cannot be read")
        except tomllib.TOMLDecodeError as exc:
            found = _POSITION.fullmatch(str(exc))
            where = f"line {found[2]}, column {found[3]}" if found and found[2] else "its end"
            self._note(path, "", f"{where}: {found[1] if found else exc}")
        except (ValueError, RecursionError) as exc:  # a number of 5000 digits, a thousand brackets
            self._note(path, "", f"not to be read: {exc}")
        return {}

    def _includes(self, raw: dict[str, Any], path: Path) -> list[str]:
        names = raw.pop("include", [])
        if isinstance(names, list) and all(isinstance(name, str) for name in names):
            return names
        self._note(path, "include", f"must be a list of file names in quotes, not {names!r}")
        return []

    def _note(self, path: Path, key: str, what: str) -> None:
        self.mistakes.append(Mistake(str(path), "", key, what))

    def _lay(
        self, below: dict[str, Any], above: Mapping[str, Any], path: TablePath, file: str
    ) -> None:
        """Lay the tables of one file over what is there already."""
        for key, value in above.items():
            here = (*path, key)
            self._origins[here] = (file, here)
            if isinstance(value, dict):
                if not isinstance(below.get(key), dict):
                    below[key] = {}
                self._lay(below[key], value, here, file)
            elif isinstance(value, list) and here in _LISTS:
                if not isinstance(below.get(key), list):
                    below[key] = []
                for index, entry in enumerate(value):
                    self._origins[(*here, len(below[key]))] = (file, (*here, index))
                    below[key].append(entry)
            else:
                below[key] = value

    def locate(self, problem: Problem, main: Path) -> Mistake:
        """Where a person finds a problem: in the file that holds the key, or its section."""
        path = problem.path
        file = str(main)
        for length in range(len(path), 0, -1):
            if path[:length] in self._origins:
                file, there = self._origins[path[:length]]
                path = (*there, *path[length:])
                break
        return Mistake(file, *place_of(path), problem.what, problem.warning)
