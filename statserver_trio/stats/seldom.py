"""What few statistics have: kept apart, so that the many others pay nothing for it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from attrs import define

from ..model.nodes import Node
from .books.book import Book
from .counting.parts import FormerPart
from .extended.pushed import Pushed

if TYPE_CHECKING:
    from .source import Source

Former = Mapping[str, list[FormerPart]]  # by role

NONE_LEFT: Former = MappingProxyType({})


@define(eq=False)
class Seldom:
    """Each is explained where :class:`.Statistic` shows it.

    Attributes:
        places: The nodes that are watched, where nothing is counted at them: a formula need
            not have an aggregate.
    """

    former: Former = NONE_LEFT
    gap_at: int | None = None
    book: Book | None = None
    pushed: Pushed | None = None
    places: tuple[tuple[Source, Node], ...] = ()
