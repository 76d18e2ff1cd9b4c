"""Members: what a client of a pair knows of each of them, and of each statistic."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

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
        why: It could not be reached, or was lost, because of this.
        is_not_ready: It has refused something because it had just started, or was about to stop.
    """

    number: int
    url: str
    server: StatServer | None = None
    nursery: trio.Nursery | None = None  # of what is asked there besides
    why: str = ""
    is_not_ready: bool = False
    # What is open there: by the statistic as that connection knows it, and the other way round.
    _wanted: dict[OpenStatistic, Wanted] = field(factory=dict, init=False)
    _theirs: dict[Wanted, OpenStatistic] = field(factory=dict, init=False)

    @contextmanager
    def reached(self, server: StatServer, nursery: trio.Nursery) -> Iterator[None]:
        """There is a connection: until the end of the block, however it ends.

        The block is inside the nursery's: before that is closed nobody may start anything in it.
        """
        self.server, self.nursery = server, nursery
        try:
            yield
        finally:
            self.server = self.nursery = None

    def add(self, theirs: OpenStatistic, wanted: Wanted) -> None:
        """It is being opened there, as that."""
        self._wanted[theirs], self._theirs[wanted] = wanted, theirs

    def drop(self, theirs: OpenStatistic) -> None:
        """It is not open there, or no longer."""
        wanted = self._wanted.pop(theirs, None)
        if wanted is not None:
            del self._theirs[wanted]

    def drop_all(self) -> list[Wanted]:
        """Nothing is open there any more; what was."""
        dropped, self._wanted, self._theirs = list(self._wanted.values()), {}, {}
        return dropped

    def wanted(self, theirs: OpenStatistic) -> Wanted | None:
        """Which statistic of ours that is."""
        return self._wanted.get(theirs)

    def find(self, wanted: Wanted) -> OpenStatistic | None:
        """What a statistic of ours is called there."""
        return self._theirs.get(wanted)

    @property
    def all_wanted(self) -> list[Wanted]:
        """What is open there."""
        return list(self._wanted.values())

    @property
    def reach(self) -> Reach:
        """Whether it can be reached, to be told."""
        is_there = self.server is not None
        return Reach(self.url, is_there, "" if is_there else self.why)
