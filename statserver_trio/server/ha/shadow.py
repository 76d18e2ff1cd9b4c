"""The shadow: our own worlds as they stood a few events ago, in an engine of their own.

What the peer pushes is as of its position, and by the time it is here we are mostly
some events ahead. Nothing is computed backwards; instead a second engine follows ours
at a distance:

    ours    ------------------------------------------> applies live events
    shadow  --------------> | as of the chunk: statistics are opened and filled in
                            '--------------> | up to where ours stands: taken over

Most statistics need not even be opened there: it has the rows that they read, and by how
much those grow says all (:mod:`.pins`). It is copied from ours when it is first needed, a
source at a time, goes forward only, and is given up, with its rows, when
nobody has needed it for a while, or when our picture changes in a way that is not part
of the stream (snapshots, a hole, the peer's picture).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence

from attrs import define, field

from ...stats.carried import StatisticData, checked
from ...stats.engine import Engine
from ...stats.requests import StatisticRequest
from ...stats.statistic import Statistic
from ...stats.transfer import adopt_told, export_statistic
from ...tlib.events import TEvent, Unhandled
from .pins import Pin, Pins

LAG_MAX = 500  # events of a source; further behind it follows although nobody needs it yet
LOG_MAX = 20_000  # events of a source; if it does not get to follow, it is given up
IDLE_MS = 60_000  # since it was last used; then it is given up

# No time passes in it but by events: later ones, which ours has applied, are still to come.
STANDSTILL = 0  # ms

# What a step costs, in the items that ``PairStore.go_on`` counts.
EVENT_COST = 1.0
COPY_COST = 1000.0  # whole worlds are not copied together with anything else

Event = TEvent | Unhandled
Steps = Generator[float, None, None]  # of work; each yields what it has cost


@define
class _Followed:
    """A source: what has happened in ours since the position of the shadow."""

    events: deque[tuple[int, Event, int]] = field(factory=deque)  # position, and applied when
    is_copied: bool = False


class Shadow:
    """The second engine.

    Args:
        ours: The engine that it follows.
        copy: An engine like ours with the same sources, and nothing in it.

    Attributes:
        is_ready: It has a copy of everything.
    """

    def __init__(self, ours: Engine, copy: Engine, now_ms: Callable[[], int]) -> None:
        self.is_ready = False
        self._ours, self._engine, self._now_ms = ours, copy, now_ms
        self._sources: dict[str, _Followed] = {}
        self._used_at = now_ms()
        self._pins = Pins(copy)

    # -- following -------------------------------------------------------------------

    def copy(self) -> Steps:
        """Begin: copy our worlds, each between two events."""
        for name, source in self._ours.sources.items():
            source.world(self._now_ms())
            data = source.export()
            followed = self._sources[name] = _Followed()
            yield COPY_COST
            self._engine.sources[name].adopt(data, source.heard_at)
            followed.is_copied = True
            yield COPY_COST
        self.is_ready = True

    def note(self, name: str, events: Sequence[Event], now: int) -> bool:
        """Events have happened in ours; whether the shadow can follow, and is worth keeping."""
        followed = self._sources.get(name)
        if followed is None:
            return True  # not copied yet
        for event in events:
            if event.position is None:
                return False  # part of our picture, and not of the stream
            followed.events.append((event.position, event, now))
        return len(followed.events) <= LOG_MAX and now - self._used_at <= IDLE_MS

    @property
    def is_behind(self) -> bool:
        """Whether it is time to follow although nobody needs it yet."""
        return self.is_ready and any(len(f.events) > LAG_MAX for f in self._sources.values())

    def follow(self) -> float:
        """One event of a source that is too far ahead; what that has cost."""
        for name, followed in self._sources.items():
            if len(followed.events) > LAG_MAX:
                self._step(name, followed)
        return EVENT_COST

    def _step(self, name: str, followed: _Followed) -> None:
        _, event, at = followed.events.popleft()
        self._engine.apply(name, [event], at)

    def can_be_at(self, positions: Mapping[str, int]) -> bool:
        """Whether it is not past these positions."""
        sources = self._engine.sources
        return self.is_ready and all(
            name not in sources or (sources[name].position or 0) <= position
            for name, position in positions.items()
        )

    def wind(self, positions: Mapping[str, int]) -> Steps:
        """Follow up to these positions."""
        self._used_at = self._now_ms()
        self._pins.moving()
        for name, followed in self._sources.items():
            until = positions.get(name, -1)
            while followed.events and followed.events[0][0] <= until:
                self._step(name, followed)
                yield EVENT_COST

    def catch_up(self) -> Steps:
        """Follow up to where ours stands, also while that moves on between two steps."""
        self._used_at = self._now_ms()
        while any(followed.events for followed in self._sources.values()):
            for name, followed in self._sources.items():
                if followed.events:
                    self._step(name, followed)
                    yield EVENT_COST

    # -- statistics ------------------------------------------------------------------

    def pin(self, statistic: Statistic) -> list[Pin] | None:
        """What the rows of a statistic of ours came to where the shadow stands now.

        None where that does not say enough: then :meth:`open` it here.
        """
        return self._pins.of(statistic)

    def open(self, request: StatisticRequest, told: StatisticData) -> Statistic:
        """A statistic as the peer has it, as of where the shadow stands now.

        Raises:
            StatisticError: It cannot be opened here.
            KeyError, ValueError, TypeError, IndexError: The data makes no sense.
        """
        statistic = self._engine.open(request, STANDSTILL)
        adopt_told(self._engine, statistic, told, STANDSTILL)
        return statistic

    def close(self, statistic: Statistic) -> StatisticData:
        """What it has counted, as of where the shadow stands now; it is not open any more."""
        data = export_statistic(statistic)
        self._engine.close_all([statistic], "")
        told: StatisticData = checked(data)
        return told

    def close_all(self) -> None:
        """Nobody will ask for what is open any more."""
        self._engine.close_all(list(self._engine.statistics.values()), "")
