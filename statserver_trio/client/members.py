"""Members: what a client of a pair knows of each of them, and of each statistic."""

from __future__ import annotations

import trio
from attrs import define, field, frozen

from ..api import messages as m
from .liveness import Signal
from .merging import MergedStatistic
from .statserver import OpenStatistic, Refused, StatServer


@frozen
class Reach:
    """Whether a member can be reached.

    Attributes:
        is_there: There is a connection.
        why: There is none, because of this; empty before the first attempt is over.
    """

    url: str
    is_there: bool
    why: str


@define(eq=False)
class Wanted:
    """A statistic of ours: how it is to be told, and what the members have said of it."""

    statistic: OpenStatistic
    notification: m.NotificationRef
    merged: MergedStatistic
    refusals: dict[int, Refused] = field(factory=dict)  # by member
    changed: Signal = field(factory=Signal)  # a member has answered, or is gone


@define(eq=False)
class Member:
    """One of the members.

    Attributes:
        server: The connection, while there is one.
        theirs: What is open there, by the statistic as that connection knows it.
        why: It could not be reached, or was lost, because of this.
    """

    number: int
    url: str
    server: StatServer | None = None
    nursery: trio.Nursery | None = None  # of what is asked there besides
    theirs: dict[OpenStatistic, Wanted] = field(factory=dict)
    why: str = ""

    def find(self, wanted: Wanted) -> OpenStatistic | None:
        """What a statistic of ours is called there."""
        return next((each for each, ours in self.theirs.items() if ours is wanted), None)

    @property
    def reach(self) -> Reach:
        """Whether it can be reached, to be told."""
        is_there = self.server is not None
        return Reach(self.url, is_there, "" if is_there else self.why)
