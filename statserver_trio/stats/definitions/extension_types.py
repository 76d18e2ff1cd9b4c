"""Stat types of extensions: ``Category=PythonCategory``, and which statistic of which extension.

    Category          = PythonCategory             JavaCategory, as an existing site has it
    PythonSubCategory = tickets.py:Open_Tickets    JavaSubCategory

The path is compared letter by letter, on both members of a pair (statistics.md §10). What
the statistic is (current or historical, a number or a text) the extension says; until it is
loaded nobody knows, and nothing can be opened.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..categories import EXTENSION, canonical_category
from . import DefinitionError, StatType

SUB_CATEGORY = "PythonSubCategory"
SPELLINGS = (SUB_CATEGORY, "JavaSubCategory")
USED = ("Objects", "Category", SUB_CATEGORY, "MediaType", "AggregationType", "Description")


def split(extension: str) -> tuple[str, str]:
    """Path and name of a ``PythonSubCategory``; the path may hold colons, the name may not.

    Raises:
        ValueError: It is none.

    >>> split("entry-point:tickets:Open_Tickets")
    ('entry-point:tickets', 'Open_Tickets')
    """
    path, _, name = (part.strip() for part in extension.rpartition(":"))
    if not (path and name):
        raise ValueError(
            f"{extension!r} names no statistic of an extension; "
            "write <path of the extension>:<name>, as in tickets.py:Open_Tickets"
        )
    return path, name


def unused_options(given: Mapping[str, str]) -> list[str]:
    """What a stat type of an extension has and nobody looks at, in words; of others nothing."""
    if canonical_category(str(given.get("Category", ""))) != EXTENSION:
        return []
    return [
        f"{key}: {EXTENSION} does not look at it; the extension says what is counted"
        for key in ("Subject", "MainMask", "RelMask")
        if key in given
    ]


def read(
    name: str,
    objects: frozenset[str],
    options: Mapping[str, str],
    mistakes: list[tuple[str, str]],
) -> StatType:
    """The stat type.

    Args:
        options: By their canonical names.
        mistakes: What was found already.

    Raises:
        DefinitionError: With every mistake in it.
    """
    extension = options.get(SUB_CATEGORY)
    if extension is None:
        mistakes.append((SUB_CATEGORY, f"required with Category={EXTENSION}, but missing"))
    else:
        try:
            extension = ":".join(split(extension))
        except ValueError as exc:
            mistakes.append((SUB_CATEGORY, str(exc)))
    if mistakes:
        raise DefinitionError(mistakes)
    return StatType(
        name=name,
        objects=objects,
        category=EXTENSION,
        subject="",
        main_mask=0,
        description=options.get("Description", ""),
        text={**options, "Category": EXTENSION},
        extension=str(extension),
    )
