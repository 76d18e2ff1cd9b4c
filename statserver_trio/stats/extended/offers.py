"""Offers: what a loaded extension can be asked for, and the stat types that stand for it.

A stat type with ``Category=PythonCategory`` (or ``JavaCategory``, as an existing site has
it) names an extension and one of its statistics: ``PythonSubCategory=<path>:<name>``. The
path is a word to us, compared letter by letter (statistics.md §10); which file it is, and
whether that can be loaded, is the business of the server.
"""

from __future__ import annotations

from attrs import frozen

from ..categories import EXTENSION as CATEGORY
from ..categories import Category, Reading
from ..categories.category import EXPLICIT
from ..definitions import StatType
from ..definitions.extension_types import SUB_CATEGORY

NOTHING = {"int": 0, "float": 0.0, "str": "", "object": {}}  # by result: before any value


def _no_reading(r: Reading) -> float:
    raise AssertionError("an extension tells the value; nothing is read")


# The extension gets whatever the request names, so a time range is never wrong.
_ROW = Category(CATEGORY, _no_reading, "current", time_range=EXPLICIT, second_range=True)
KINDS: dict[str, Category] = {
    "current": _ROW,
    "historical": Category(
        CATEGORY, _no_reading, "historical", time_range=EXPLICIT, second_range=True
    ),
}


@frozen
class Offer:
    """One statistic of a loaded extension.

    Attributes:
        path: Of the extension, as the configuration has it.
        objects: Canonical object types.
        kind: ``current``, or ``historical``: over the interval of a time profile.
        result: What its values are: ``int``, ``float``, ``str``, or ``object`` (a tree).
    """

    path: str
    name: str
    objects: frozenset[str]
    kind: str = "current"
    result: str = "int"
    description: str = ""

    @property
    def category(self) -> Category:
        """How the engine treats such statistics."""
        return KINDS[self.kind]

    @property
    def stat_type(self) -> StatType:
        """The stat type that clients can open although no configuration names it."""
        extension = f"{self.path}:{self.name}"
        return StatType(
            name=self.name,
            objects=self.objects,
            category=CATEGORY,
            subject="",
            main_mask=0,
            description=self.description,
            text={
                "Objects": ", ".join(sorted(self.objects)),
                "Category": CATEGORY,
                SUB_CATEGORY: extension,
            },
            extension=extension,
        )
