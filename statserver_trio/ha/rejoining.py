"""When to look at whether the peer's picture is better than ours, and for how long to wait for it.

Every now and then, for we may not have heard that it is, and soon after ours has begun anew. Soon
again, too, after we wanted a better one and it did not come in time, with twice the patience.
That is not much to begin with, since our clients hear nothing of a source while its picture is
waited for. Where the answer is still on its way we first let it arrive, too late as it is: on a
link that is so thin, further pictures would only wait behind it (our decision).
"""

from __future__ import annotations

from collections.abc import Iterable
from math import inf

from attrs import define, field

from .messages import Standing
from .source_intake import SourceIntake, State

INTERVAL = 60.0  # seconds between two looks
IN_VAIN_MAX = 16  # doublings of a patience that has another bound


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

    def begin(self, theirs: dict[str, Standing], now: float) -> None:
        """A session is open, and we have just looked."""
        self.theirs, self._in_vain, self._answered = theirs, 0, self._asked
        self.looked(now)

    def asked(self) -> int:
        """The peer is asked now; the question's number."""
        self._asked += 1
        return self._asked

    def answered(self, number: int) -> bool:
        """The peer has answered that question; whether it was the latest."""
        self._answered = max(self._answered, number)
        return number == self._asked

    def worse(self, sources: Iterable[SourceIntake]) -> list[SourceIntake]:
        """Those of which the peer's picture is better than the one that we go on with."""
        live = (source for source in sources if source.state is State.LIVE)
        return [s for s in live if s.is_worse(self.theirs.get(s.name), self.accepts)]

    def looked(self, now: float) -> None:
        """Whether it is better is known now."""
        self.at = now + INTERVAL

    def stop(self) -> None:
        """There is nobody to ask."""
        self.at = inf

    def soon(self, now: float, gap_timeout: float) -> None:
        """Our picture has begun anew: whose is better is to be found out."""
        if self.at != inf:
            self.at = min(self.at, now + gap_timeout)

    def came(self) -> None:
        """A better picture has come."""
        self._in_vain = 0

    def did_not_come(self, now: float, gap_timeout: float) -> None:
        """A better picture has not come in time."""
        self._in_vain = min(self._in_vain + 1, IN_VAIN_MAX)
        if self._answered >= self._asked:
            self.soon(now, gap_timeout)

    def patience(self, gap_timeout: float, join_timeout: float) -> float:
        """Seconds to wait for one."""
        return min(gap_timeout * 2.0**self._in_vain, join_timeout)
