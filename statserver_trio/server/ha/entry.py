"""An entry: a statistic of the pair, and which events it contains."""

from __future__ import annotations

from attrs import define, field

from ...ha.coverage import Coverage, clipped, former, holes, merged
from ...ha.messages import Positions, Ranges
from ...stats.statistic import Statistic

LISTED_MAX = 5_000  # keys at a time; whoever takes them into account holds the loop


@define(eq=False)
class Entry:
    """An open statistic.

    Attributes:
        began: By source the position from which on what it contains is our own.
        adopted: What it contains from before; got from the peer.
        definition: On the link; empty until it is asked for.
        is_unsure: It may not be what its coverage says, for a source has counted anew, or the
            picture is another one, and it was not compared with the peer's since.
        follows: Nor have we the picture that we had then, but the peer's.
        told_without: Sources of which we had no picture yet when the peer was told of it: it may
            have counted since what we have not.
    """

    statistic: Statistic
    began: Positions
    adopted: Coverage = field(factory=dict)
    definition: str = ""
    is_unsure: bool = False
    follows: bool = False
    told_without: tuple[str, ...] = ()

    @property
    def counts(self) -> bool:
        """Whether it has anything to carry over; see :attr:`Statistic.counts`."""
        return self.statistic.counts

    def coverage(self, positions: Positions, missed: dict[str, Ranges]) -> dict[str, Ranges]:
        """The positions that it contains, by source.

        Args:
            positions: Where we stand.
            missed: By source what is lost to us.
        """
        found: dict[str, Ranges] = {}
        # A group without members contains what any source has told: that nobody was there.
        for name in {source.name: None for source in self.statistic.sources} or positions:
            if former(name) in self.adopted:
                found[former(name)] = self.adopted[former(name)]
            if name not in positions:
                continue
            here = positions[name]
            since = self.began.get(name, here)
            # What it contains begins after the event at which it was opened.
            lost = clipped(missed.get(name, []), since + 1, here) if missed else []
            mine = holes(lost, since, here) if lost else [(since, here)]
            before = self.adopted.get(name)
            found[name] = merged([*before, *mine]) if before else mine
        return found

    def told(self, positions: Positions) -> None:
        """The peer is told of it, where we stand."""
        sources = self.statistic.sources
        self.told_without = tuple(each.name for each in sources if each.name not in positions)

    def counts_anew(self, source: str, old: Ranges) -> None:
        """The source was started anew.

        What it contains of the old numbers is still compared: one member may have heard more of
        them than the other.
        """
        self.began.pop(source, None)
        kept = {name: ranges for name, ranges in self.adopted.items() if name != source}
        self.adopted = {**kept, former(source): old} if old else kept
        self.is_unsure, self.follows = bool(old), False

    def picture_replaced(self, source: str, since: int | None) -> None:
        """We have the peer's from now on.

        Args:
            since: After which position ours began; None if there was none.
        """
        if all(each.name != source for each in self.statistic.sources):
            return
        ended = since is not None and self.began.get(source, since) < since
        self.follows |= self.is_unsure or ended
        self.is_unsure |= since is None and source in self.told_without

    def contains_until(self, source: str, position: int) -> None:
        """What it got from the peer of later events is of no use any more.

        One that was opened here after that keeps its own beginning. One that the peer opened
        after that lacks no event, but perhaps members of its group, and what they did.
        """
        got = self.adopted.get(source)
        if not got or self.began.get(source, -1) <= position:
            return
        self.began[source] = max(position, got[0][0])
        kept = {name: ranges for name, ranges in self.adopted.items() if name != source}
        got = clipped(got, 0, position)
        self.adopted = {**kept, source: got} if got else kept
        if not got:
            self.is_unsure = self.follows = True


class Entries(dict[str, Entry]):
    """All of them, by key."""

    def __init__(self) -> None:
        super().__init__()
        self._listing: list[str] = []  # the keys that there were when somebody began to ask

    def listed(self, first: int) -> tuple[list[str], int | None]:
        """Some thousand keys from that one on, as of when number 0 was asked for.

        And which one is the next, if there are more. What has gone since is left out.
        """
        if first == 0:
            self._listing = list(self)
        following = first + LISTED_MAX
        page = [key for key in self._listing[first:following] if key in self]
        if following < len(self._listing):
            return page, following
        self._listing = []
        return page, None
