"""Cutting: what a running server knows, a slice at a time, exact all the same.

Many statistics cannot be cut in one go without holding everything up, and what is cut
at different moments does not fit together. Either nothing may happen in between, or
what happens has to be written down as well. We do the latter: the action tables first,
then slices of statistics, and between two slices the events that were applied since the
one before. Whoever plays the file does what the server did, in that order.

Holding the feeds back instead would be no simpler (clients that open something, the
clock and the other member of a pair move the engine as well, and would have to be held
too), and every client would see values stand still for seconds, every few minutes.

What is not an event of a feed cannot be written down: that the peer's picture was taken
over, a hole was left, or the configuration was read again. Then the cut is no good, and
is begun anew (:class:`Disturbed`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from attrs import define, field

from ...ha.messages import Item
from ...stats.engine import Engine
from ...stats.statistic import Statistic
from ...tlib.codec import encode_all
from ...tlib.events import TEvent, Unhandled
from .form import End, Ending, Frame, Happened, Picture, Slice
from .items import without_numbers

SLICE_SECONDS = 0.01  # of cutting without a pause; one statistic is cut in any case
EVENTS_MAX = 500_000  # that happen between two slices; then the disk is too slow for us

CutItem = Callable[[Statistic], Item | None]


class Disturbed(Exception):
    """Something happened that cannot be written down; says what."""


@define
class Applied:
    """Events that were applied, not yet encoded; nobody may change them."""

    source: str
    moment: int
    events: Sequence[TEvent | Unhandled]

    def frame(self) -> Happened:
        """As it is written; this is work for another thread."""
        return Happened(self.source, self.moment, encode_all(self.events))


@define
class Drawn:
    """A source's action table, not yet encoded; it shares nothing with the source."""

    source: str
    heard_at: int
    data: dict[str, Any]

    def frame(self) -> Picture:
        """As it is written; this is work for another thread."""
        return Picture(self.source, self.heard_at, msgspec.msgpack.encode(self.data))


Piece = Frame | Drawn | Applied


@define
class Cut:
    """One cut.

    A source's action table is one piece, as it is on the pair's link: some 10 us per DN and
    call. Everything else is cut in pieces that take ``seconds``.

    Args:
        cut_item: A statistic as it is now; None if it is not (any longer) to be written.
        endings: Where everything stands now; asked for at the end.
        seconds: Of work in one go, see :data:`SLICE_SECONDS`.
        numbers: Whether they are wanted; else definitions only, and no positions.

    Attributes:
        statistics: Cut so far.
    """

    engine: Engine
    cut_item: CutItem
    endings: Callable[[], dict[str, Ending]]
    now_ms: Callable[[], int]
    seconds: float = SLICE_SECONDS
    numbers: bool = True
    statistics: int = field(default=0, init=False)
    _positions: dict[str, int | None] = field(factory=dict, init=False)
    _happened: list[Applied] = field(factory=list, init=False)
    _events: int = field(default=0, init=False)
    _site: object = field(init=False)
    _adoptions: Mapping[str, int] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._site = self.engine.definitions, self.engine.directory
        self._adoptions = self._adopted()

    def _adopted(self) -> dict[str, int]:
        return {name: source.adoptions for name, source in self.engine.sources.items()}

    def applied(self, source: str, events: Sequence[TEvent | Unhandled], moment: int) -> None:
        """These have just been applied. Tell of all of them, from the first piece to the last."""
        if source not in self._positions:
            return  # they will be in its picture
        self._positions[source] = self.engine.sources[source].position
        self._events += len(events)
        if self._events > EVENTS_MAX:
            self._happened.clear()  # it is no good any more
        else:
            self._happened.append(Applied(source, moment, events))

    def pieces(self) -> Iterator[list[Piece]]:
        """The frames, piece by piece; between two of them whatever wants to may happen.

        Raises:
            Disturbed: While iterating.
        """
        for name in self.engine.sources if self.numbers else ():
            yield [*self._since(), self._picture(name)]
        left = list(self.engine.statistics.values())
        left.reverse()
        while left:
            yield [*self._since(), self._slice(left)]
        endings = self.endings() if self.numbers else {}
        yield [*self._since(), End(self.now_ms(), self.statistics, endings)]

    def _since(self) -> list[Applied]:
        """What has happened since the last piece."""
        engine = self.engine
        if (engine.definitions, engine.directory) != self._site:
            raise Disturbed("the configuration was read again")
        if self._adopted() != self._adoptions:
            raise Disturbed("the other member's picture was taken over")
        for name, position in self._positions.items():
            if engine.sources[name].position != position:
                raise Disturbed(f"{name} does not stand where its events have led")
        if self._events > EVENTS_MAX:
            raise Disturbed(f"more than {EVENTS_MAX} events happened while a piece was written")
        happened, self._happened, self._events = self._happened, [], 0
        return happened

    def _picture(self, name: str) -> Drawn:
        source = self.engine.sources[name]
        source.settle(self.now_ms())
        self._positions[name] = source.position
        return Drawn(name, source.heard_at, source.export())

    def _slice(self, left: list[Statistic]) -> Slice:
        """As many of those that are left as there is time for."""
        engine, now = self.engine, self.now_ms()
        for source in engine.sources.values():
            source.settle(now)  # so does whoever opens them there, at that moment
        items: list[Item] = []
        until = time.perf_counter() + self.seconds
        while left and (not items or time.perf_counter() < until):
            statistic = left.pop()
            if engine.statistics.get(statistic.key) is not statistic:
                continue  # closed meanwhile
            item = self.cut_item(statistic)
            if item is not None:
                items.append(item if self.numbers else without_numbers(item))
        self.statistics += len(items)
        return Slice(now, items)
