"""Extensions: which ones are to be loaded, with which parameters, and where their files are.

    [python-config]
    python-extensions-dir = "conf/extensions"
    [python-extensions]
    "tickets.py" = true                   # load it; false or gone: do not, or unload it
    "entry-point:back-office" = true      # one that is installed as a package
    tickets-file = "var/tickets.json"     # anything else: a parameter, for all of them

A file that is missing, or not where it has to be, is a warning and no mistake (our decision):
a server without one extension still counts everything else. Whether it is any good shows
when it is loaded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from ..stats.definitions import DefinitionError
from ..stats.definitions.extension_types import SPELLINGS, split
from ..stats.definitions.stat_types import parse_stat_type
from .mistakes import Problem
from .schema import Config

ENTRY_POINT = "entry-point:"
PORT_IT = "a Java archive cannot be loaded; write it in Python (docs/extensions.md)"


class OutsideError(ValueError):
    """A path that leads out of the folder of extensions: a security violation."""


def is_extension(name: str) -> bool:
    """Whether a name of ``[python-extensions]`` is that of an extension, and no parameter."""
    return name.endswith(".py") or name.startswith(ENTRY_POINT)


def switched_on(config: Config) -> list[str]:
    """The extensions to be loaded, in the order of the file."""
    return [n for n, value in config.python_extensions.items() if is_extension(n) and value is True]


def parameters(config: Config) -> dict[str, str | bool | int | float]:
    """What all extensions are given."""
    return {
        name: value
        for name, value in config.python_extensions.items()
        if not is_extension(name) and not name.endswith(".jar")
    }


def find_file(folder: str | None, path: str) -> Path:
    """The file of an extension, all links followed.

    Raises:
        OutsideError: It is not in the folder.
        OSError, ValueError: It is not there, or is no file.
    """
    if folder is None:
        raise ValueError("[python-config] python-extensions-dir is not set")
    root = Path(folder).resolve(strict=True)
    try:
        found = (root / path).resolve(strict=False)
    except RuntimeError:  # links in a circle
        raise ValueError(f"{path} is a link that leads nowhere") from None
    if not found.is_relative_to(root):
        raise OutsideError(f"security violation: {path} leads out of {folder}; it is not loaded")
    if not found.is_file():
        raise FileNotFoundError(2, f"there is no such file in {folder}", path)
    return found


def extension_problems(config: Config, broken: Iterable[str]) -> Iterator[Problem]:
    """What is wrong with them as far as it can be seen from outside."""
    for section in ("java-config", "java-extensions"):
        if getattr(config, section.replace("-", "_")):
            what = f"passed over: {PORT_IT}, and name it in [python-extensions]"
            yield Problem((section,), what, warning=True)
    if {"python-config", "python-extensions"} & set(broken):
        return
    for name, value in config.python_extensions.items():
        yield from _named(config, name, value)
    if "stat-types" not in broken:
        yield from _asked_for(config)


def _named(config: Config, name: str, value: object) -> Iterator[Problem]:
    path, folder = ("python-extensions", name), config.python_config.python_extensions_dir
    if name.endswith(".jar"):
        yield Problem(path, PORT_IT, warning=True)
    elif not is_extension(name):
        return
    elif not isinstance(value, bool):
        yield Problem(path, f"must be true or false, whether to load it, not {value!r}")
    elif name == ENTRY_POINT:
        yield Problem(path, f"names no entry point; write {ENTRY_POINT}<name>")
    elif value and not name.startswith(ENTRY_POINT):
        if folder is None:
            what = f"required to load {name}: the folder it is in"
            yield Problem(("python-config", "python-extensions-dir"), what)
            return
        try:
            find_file(folder, name)
        except FileNotFoundError as exc:
            missing = f"there is no folder {folder}" if exc.filename != name else str(exc.strerror)
            yield Problem(path, f"{missing}; it is not loaded", warning=True)
        except (OSError, ValueError) as exc:
            yield Problem(path, str(exc), warning=True)


def _asked_for(config: Config) -> Iterator[Problem]:
    """Stat types whose extension nobody is going to load."""
    on = switched_on(config)
    for name, options in config.stat_types.items():
        extension = _extension(name, options)
        if extension and split(extension)[0] not in on:
            path = split(extension)[0]
            written = next(k for k in options if k.lower() in {s.lower() for s in SPELLINGS})
            what = f"{path} is not switched on in [python-extensions]: nothing can be opened"
            what = f"{what}; {PORT_IT}" if path.endswith(".jar") else what
            yield Problem(("stat-types", name, written), what, warning=True)


def _extension(name: str, options: Mapping[str, str]) -> str:
    try:
        return parse_stat_type(name, options).extension
    except DefinitionError:
        return ""  # reported elsewhere
