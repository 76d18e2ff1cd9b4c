"""What the pages are made of: tables, and sentences out of docstrings."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Sequence

WRITTEN_BY = "<!-- Written by `make reference`, from {source}. Change that, and not this page. -->"

_ENTRY = re.compile(r"^([a-z_][a-z_0-9, ]*):(?: (.*))?$")
_ROLE = re.compile(r":[a-z]+:`[.~]*([^`]+)`")


def head(title: str, source: str, *paragraphs: str) -> str:
    """The beginning of a page."""
    return "\n\n".join([WRITTEN_BY.format(source=source), f"# {title}", *paragraphs])


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; what stands in a cell is on one line."""
    lines = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    for row in rows:
        cells = [" ".join(cell.split()).replace("|", "\\|") for cell in row]
        lines.append("|" + "".join(f" {cell} |" if cell else " |" for cell in cells))
    return "\n".join(lines)


def code(text: str) -> str:
    """As it is written in a file; nothing of nothing."""
    return f"`{text}`" if text else ""


def plain(text: str) -> str:
    """A docstring's words without its markup: ``x`` is `x`, and roles are names."""
    return re.sub(r"`{2,}", "`", _ROLE.sub(lambda found: f"`{found[1]}`", text))


def summary(thing: object) -> str:
    """The first paragraph of a docstring."""
    return plain(inspect.cleandoc(thing.__doc__ or "").split("\n\n")[0])


def attributes(cls: type) -> dict[str, str]:
    """What the section ``Attributes`` of a class says of each; several may share an entry."""
    _, _, section = inspect.cleandoc(cls.__doc__ or "").partition("Attributes:\n")
    found: dict[str, str] = {}
    names: list[str] = []
    for line in section.splitlines():
        if not line.strip():
            break
        entry = _ENTRY.match(line.removeprefix("    "))
        if entry:
            names = [name.strip() for name in entry[1].split(",")]
            found.update(dict.fromkeys(names, entry[2] or ""))
        else:
            for name in names:
                found[name] = f"{found[name]} {line.strip()}".strip()
    return {name: plain(text) for name, text in found.items()}
