"""When to look at whether the peer's picture is better than ours, and for how long to wait for it.

Every now and then, for we may not have heard that it is, and soon after ours has begun anew. We
wait for ``gap-timeout`` to begin with, and not for longer, since our clients hear nothing of a
source while its picture is waited for. If it has not come by then we first let it arrive, too late
as it is: on a link that is so thin, further pictures would only wait behind it. Then we know how
long it takes, and ask soon again, with a patience of twice that (our decision).

As long as there is hope the members exchange no statistics. What ours were opened with comes from
the poorer picture: who has missed something may have seen a call begin later than it did, and
nobody could tell afterwards (day 841269).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import inf

from attrs import define, field

from .messages import Standing
from .source_intake import SourceIntake, State

INTERVAL = 60.0  # seconds between two looks
PATIENCE_MAX = 30.0  # seconds, however long the last answer took
ANSWER_MAX = 300.0  # seconds until we take a question for lost, though the link is there
HOPE_MAX = 6  # times that it may be in vain; then we go on with what we have, exact or not


@define
class Rejoining:
    """The next look, and what the last ones have come to.

    Args:
        accepts: Whether we are the side that accepts connections.

    Attributes:
        theirs: How good the peer's pictures were when we heard of them last, by source.
        at: When to look; inf without a session.
    """

    accepts: bool
    theirs: dict[str, Standing] = field(factory=dict, init=False)
    at: float = field(default=inf, init=False)
    _in_vain: int = field(default=0, init=False)
    _asked: int = field(default=0, init=False)  # the number of our latest question
    _answered: int = field(default=0, init=False)  # and of the latest that has been answered
    _asked_at: float = field(default=-inf, init=False)
    _took: float = field(default=0.0, init=False)  # seconds until the last answer
    _hopes: bool = field(default=False, init=False)  # we asked for a picture, and it may come

    def begin(self, theirs: dict[str, Standing], now: float) -> None:
        """A session is open, and we have just looked."""
        self.theirs, self._in_vain, self._answered = theirs, 0, self._asked
        self._took, self._hopes = 0.0, False
        self.at = now + INTERVAL

    def told(
        self, theirs: dict[str, Standing], ours: Mapping[str, SourceIntake]
    ) -> list[SourceIntake]:
        """The peer says how good its pictures are; of which ours is in old numbers."""
        self.theirs.update(theirs)
        found = ((ours.get(name), standing) for name, standing in theirs.items())
        return [each for each, standing in found if each and each.is_outdated(standing)]

    @property
    def hopes(self) -> bool:
        """Whether a picture that we asked for may still come, soon enough or not."""
        return self._hopes and self._may_hope

    @property
    def _may_hope(self) -> bool:
        return self._in_vain <= HOPE_MAX

    def is_unanswered(self, now: float) -> bool:
        """Whether the answer to our latest question is still on its way."""
        return self._answered < self._asked and now < self._asked_at + ANSWER_MAX

    def asked(self, for_pictures: bool, now: float) -> int:
        """The peer is asked now, for pictures or how good they are; the question's number."""
        self._asked, self._asked_at = self._asked + 1, now
        self._hopes = self._hopes or for_pictures
        return self._asked

    def answered(self, number: int, has_pictures: bool, now: float) -> bool:
        """The peer has answered that question; whether it was the latest."""
        self._answered = max(self._answered, number)
        is_latest = number == self._asked
        if is_latest:
            self._took = now - self._asked_at
            self._hopes = self._hopes and has_pictures
        return is_latest

    def worse(self, sources: Iterable[SourceIntake]) -> list[SourceIntake]:
        """Those of which the peer's picture is better than the one that we go on with."""
        live = (source for source in sources if source.state is State.LIVE)
        return [s for s in live if s.is_worse(self.theirs.get(s.name), self.accepts)]

    def tell_if_better(
        self, sources: Iterable[SourceIntake], now: float, gap_timeout: float
    ) -> None:
        """Have the peer told soon if it is to join us: perhaps ours began after we had greeted."""
        live = (s for s in sources if s.state is State.LIVE and s.standing is not None)
        found = ((self.theirs.get(source.name), source.standing) for source in live)
        if any(theirs and mine and theirs.lineage != mine.lineage for theirs, mine in found):
            self.soon(now, gap_timeout)

    def looks(self, now: float) -> bool:
        """It is time to look; whether there is any use in asking."""
        self.at = now + INTERVAL
        return not self.is_unanswered(now)

    def stop(self) -> None:
        """There is nobody to ask."""
        self.at, self._hopes = inf, False

    def soon(self, now: float, gap_timeout: float) -> None:
        """Our picture has begun anew: whose is better is to be found out."""
        if self.at != inf:
            self.at = min(self.at, now + gap_timeout)

    def came_late(self, is_latest: bool, now: float, gap_timeout: float) -> None:
        """A better picture has come when we did not wait any more: the next one will do."""
        self.soon(now, min(gap_timeout, self._took) if is_latest else gap_timeout)

    def came(self) -> None:
        """A better picture has come."""
        self._in_vain, self._hopes = 0, False

    def did_not_come(self, now: float, gap_timeout: float) -> None:
        """A better picture has not come in time; or the peer had none to give yet."""
        if self.is_unanswered(now):
            self._in_vain += 1
        else:
            self.soon(now, gap_timeout)

    def patience(self, gap_timeout: float, join_timeout: float) -> float:
        """Seconds to wait for one."""
        least = min(gap_timeout, join_timeout)
        return max(least, min(2 * self._took, PATIENCE_MAX)) if self._may_hope else least
