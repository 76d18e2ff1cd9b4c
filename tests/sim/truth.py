"""What is true of the members, whatever they think: who knows everything, and what may be lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from statserver_trio.ha.coverage import contains
from statserver_trio.ha.source_intake import State
from statserver_trio.stats.transfer import opened

from .process import Process

if TYPE_CHECKING:
    from .day import Day


@frozen
class Truth:
    """Of one day, now."""

    day: Day

    def is_exact(self, process: Process, while_deaf: bool = False) -> bool:
        """Whether its picture lacks nothing, and will lack nothing while it hears its feeds.

        Args:
            while_deaf: It need not hear them now; so it may yet come to lack something.
        """
        if not process.alive or process.host.frozen:
            return False
        for name, source in process.peer.intake.sources.items():
            standing, applied = source.standing, source.applied or 0
            if (
                source.state is not State.LIVE
                or standing is None
                or standing.lineage != self.day.lineages[name]
                or applied < self.day.unsure.get((process.host.name, name), -1)
            ):
                return False
            feed = process.feeds[name]  # without a wire it is cut, and does not know yet
            if while_deaf:
                continue
            if not feed.connected or feed.wire is None or not feed.wire.is_told_all_after(applied):
                return False
            if self.day.network.path(feed.switch.host, process.host).blocked:
                return False
        return True

    def has_best_picture(self, process: Process) -> bool:
        """Whether what it has applied is all that there was up to there."""
        standings = process.peer.intake.standings
        return {name: s.lineage for name, s in standings.items()} == self.day.lineages

    def may_lose(self, process: Process) -> bool:
        """Whether the other member holds everything that this one does, and sees everything."""
        if self.day.outcome.rough:
            return True
        others = [p for p in self.day.living() if p is not process]
        if not others or not self.is_exact(others[0]) or not process.alive:
            return False
        other = others[0]
        if other.peer.intake.standings != process.peer.intake.standings:
            return False
        self.day.forget_closed()
        if any(other.store.statistic(text) is None for text in self.day.oracle.lives):
            return False
        if other.store.lacking():
            return False
        if self.has_exchanged():
            return True
        if not all(self.has_history(other, process, text) for text in self.day.oracle.lives):
            return False
        self.day.walk()
        return self.day.watch.is_comparable(other) and self.day.watch.equal(
            other, self.day.at(), False
        )

    def has_exchanged(self) -> bool:
        """Whether neither has anything that the other one has not been given."""
        peers = [process.peer for process in self.day.living()]
        ids = {peer.session.id for peer in peers}
        done = all(peer.replication.is_done for peer in peers)
        return len(peers) == 2 and len(ids) == 1 and None not in ids and done

    def has_history(self, process: Process, other: Process, text: str) -> bool:
        """Whether its copy of a statistic contains every position of the other's, and its time.

        Equal values do not say so: of a call on hold, one may have seen the beginning; and two
        that were opened between the same events differ by the time between them as soon as
        anything begins to last (day 804361).
        """
        mine, theirs = process.store.statistic(text), other.store.statistic(text)
        if theirs is None:
            return True
        covers, to_cover = process.store.coverage(text), other.store.coverage(text)
        if mine is not None and covers == to_cover:
            return opened(mine) <= opened(theirs)
        return all(contains(covers.get(name, []), ranges) for name, ranges in to_cover.items())
