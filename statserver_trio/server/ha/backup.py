"""The backup file of a member: the pair keeps the accounts, so it is asked for them."""

from __future__ import annotations

from collections.abc import Mapping

import trio
from attrs import evolve

from ...ha.coverage import Coverage
from ...ha.feed_words import Restored
from ...ha.holds import Released
from ...ha.messages import Item, Standing
from ...ha.source_intake import State
from ...stats.statistic import Statistic
from ...tlib.registration_words import Memory
from ..backup.form import Ending
from ..backup.restoring import Restoration
from ..feed_task import FeedTask
from ..link_definitions import key_text
from .member import Member


class OneOfTwo:
    """An owner in the sense of :class:`~..backup.owners.Owner`."""

    def __init__(self, member: Member, feeds: Mapping[str, FeedTask]) -> None:
        self._member = member
        self._feeds = feeds

    def cut_item(self, statistic: Statistic) -> Item | None:
        """Unlike on the link, nothing is known of generations here."""
        return self._member.store.cut(key_text(statistic.key))

    def endings(self) -> dict[str, Ending]:
        """With what the intake would want to know after a restart."""
        found = {}
        for name, source in self._member.hub.engine.sources.items():
            intake = self._member.peer.intake.sources[name].as_of_now()
            if intake is None:
                continue  # we have no picture yet
            feed = self._feeds[name].session.memory()
            memory = Memory(source.position)
            if self._member.peer.intake.sources[name].state is State.LIVE:
                memory = evolve(feed, after=source.position)
            # Else something has arrived and waits: it is lost with us, and told again.
            found[name] = Ending(
                source.position,
                memory,
                intake.standing,
                intake.coverage,
                intake.wants_snapshots,
                intake.described,
            )
        return found

    def restored(self, statistic: Statistic, coverage: Coverage) -> None:
        """It is one of those that are open, and contains that."""
        self._member.store.restored(statistic, coverage)

    def abandoned(self) -> None:
        """None of them is open any more."""
        self._member.store.forget_closed()

    def go_on(self, restoration: Restoration) -> None:
        """Tell the machines; they have been told of the sources, and of nothing else."""
        store, member = self._member.store, self._member
        keys = [store.opened(statistic) for statistic in restoration.statistics]
        for name, ending in restoration.sources.items():
            position = ending.position or 0
            if ending.position is None:
                store.begin_at(name, position)
            wants = ending.wants_snapshots or ending.position is None
            standing = ending.standing or self._standing(position)
            member.tell(
                Restored(name, position, standing, ending.coverage, wants, ending.described)
            )
            feed = ending.feed or Memory(ending.position)
            self._feeds[name].remember(evolve(feed, after=ending.position))
        if keys:
            member.tell(Released(tuple(keys)))  # from now on, until somebody opens them

    def _standing(self, position: int) -> Standing:
        """A file from before we were one of two says nothing of how good it is."""
        return Standing(self._member.peer.new_id(), position, self._member.hub.clock.wall())

    async def run(self) -> None:
        """The machines see to that themselves (:class:`~..ha.holds.Holds`)."""
        await trio.sleep_forever()
