"""Mistakes: what is wrong with a configuration, and where.

While a configuration is read, findings are :class:`Problem`: they know the path
through the merged tables. :class:`Mistake` is what a person gets to see: the
file that holds the key, the section and the key as they are written there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import NamedTuple

TablePath = tuple[str | int, ...]  # ("listen", 0, "port"): lists count from zero


class Problem(NamedTuple):
    """Something wrong at a place in the merged tables.

    Attributes:
        what: What is wrong, and what is allowed.
        warning: The configuration can be used all the same.
    """

    path: TablePath
    what: str
    warning: bool = False


class Mistake(NamedTuple):
    """Something wrong in a file.

    Attributes:
        section: Without brackets; entries of a list of tables count from one,
            each file for itself: ``listen #2``. Empty at the top of a file.
        key: Empty where the section as a whole is meant.
    """

    file: str
    section: str
    key: str
    what: str
    warning: bool = False

    def __str__(self) -> str:
        """``file: [section] key: what is wrong, what is allowed``."""
        place = " ".join(part for part in (self.section and f"[{self.section}]", self.key) if part)
        marked = f"warning: {self.what}" if self.warning else self.what
        return ": ".join(part for part in (self.file, place, marked) if part)


class ConfigError(Exception):
    """A configuration that cannot be used.

    Attributes:
        mistakes: All that is wrong with it, one at least.
        warnings: What would be worth a look besides.
    """

    def __init__(self, mistakes: Sequence[Mistake], warnings: Sequence[Mistake] = ()) -> None:
        super().__init__("\n".join(map(str, mistakes)))
        self.mistakes = tuple(mistakes)
        self.warnings = tuple(warnings)


def place_of(path: TablePath) -> tuple[str, str]:
    """Section and key of a path.

    >>> place_of(("listen", 0, "port"))
    ('listen #1', 'port')
    >>> place_of(("stat-types", "Total_Calls", "Category"))
    ('stat-types.Total_Calls', 'Category')
    """
    *section, key = path or ("",)
    if isinstance(key, int) or not section:
        section, key = [*section, key], ""
    text = ""
    for part in section:
        text += f" #{part + 1}" if isinstance(part, int) else f".{part}" if text else part
    return text, str(key)


def listed(names: Iterable[str], last: str = "or") -> str:
    """``a, b or c``."""
    *most, final = names
    return f"{', '.join(most)} {last} {final}" if most else final


def meant(name: str, known: Iterable[str]) -> str:
    """What a person who wrote an unknown name may have meant.

    A hint, or all that is known if that is a line's worth, to put after the
    message; else nothing.
    """
    names = list(known)
    close = get_close_matches(name, names, n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; known: {', '.join(names)}" if 0 < len(names) <= 25 else ""
