"""Secrets from files: of each secret there is a twin ``...-file`` that names a file with it.

So that it need not stand in a configuration that is kept under version control, or in an
environment that every child inherits. A container's secret and a credential of systemd
(``LoadCredential=``) are such files. They are read when the configuration is.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs

from .keys import SECRET_FILE
from .mistakes import Problem, TablePath
from .schema import Config
from .secret import Secret
from .structure import SECTIONS, dashes

BYTES_MAX = 4096


def read_secrets(config: Config) -> tuple[Config, list[Problem]]:
    """The configuration with its secrets, and what is wrong with their files."""
    problems: list[Problem] = []
    made: dict[str, Any] = {}
    for section, attribute in SECTIONS.items():
        there = getattr(config, attribute.name)
        if "section" in attribute.metadata:
            made[attribute.name] = _fill(there, (section,), problems)
        elif "entries" in attribute.metadata:
            filled = (_fill(each, (section, n), problems) for n, each in enumerate(there))
            made[attribute.name] = tuple(filled)
    return attrs.evolve(config, **made), problems


def _fill(table: Any, path: TablePath, problems: list[Problem]) -> Any:
    """One table, with what its files hold."""
    for key in attrs.fields(type(table)):
        twin = key.metadata.get(SECRET_FILE)
        name = None if twin is None else getattr(table, twin)
        if name is None:
            continue
        where = (*path, dashes(twin))
        if getattr(table, key.name) is not None:
            what = f"goes without {dashes(key.name)}: give one of the two"
            problems.append(Problem(where, what))
            continue
        try:
            secret = _read(Path(name))
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            problems.append(Problem(where, f"cannot read the secret in {name}: {reason}"))
            continue
        problems += [Problem(where, what, warning=True) for what in _concerns(Path(name))]
        table = attrs.evolve(table, **{key.alias: secret})
    return table


def _read(path: Path) -> Secret:
    with path.open("rb") as file:
        data = file.read(BYTES_MAX + 1)
    if len(data) > BYTES_MAX:
        raise ValueError(f"it is longer than {BYTES_MAX} bytes")
    try:
        text = data.decode()
    except UnicodeDecodeError:  # its own message would show what it found
        raise ValueError("it is no UTF-8 text") from None
    text = text.removesuffix("\n").removesuffix("\r")
    if not text:
        raise ValueError("it is empty")
    return Secret(text)


def _concerns(path: Path) -> Iterator[str]:
    if path.stat().st_mode & stat.S_IROTH:
        yield f"everybody on this machine can read {path}; try chmod o-r"
