"""Restoring: play a backup file into an engine in which nothing has happened yet.

What comes out is the engine as it was at the end of the file, so what the vendor
promises of its own file (hot-standby.md 4.1, [S5]) holds by itself, and exactly:

* *Growing, recent: used; outdated: ignored.* Columns are kept as of event times. The
  first event after a reset point passes it, whether we were there at that time or not,
  and what is from before the reset counts for nothing from then on.
* *Sliding, recent: adjusted, then used; outdated: ignored.* The same: the window moves
  with the time of the source, and what it has left behind is not counted.
* *Only if the important attributes are unchanged.* A statistic whose definition, stat
  type, profile, range or filter means something else now is dropped, and named.
* *Unfinished subjects.* They are in the action tables with their true starts, so they
  need neither be ended nor left out.

Where the feed or the other member of the pair still has what came after, nothing is
missing at all. Else the source is lost since the end of the file, like one whose feed
was away (:attr:`Source.lost_at`).

A source that is not configured any more, or another one now, begins from nothing; what
was counted there is not used, since half a sum is worse than none (our decision).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import msgspec
from attrs import define, field

from ...ha.coverage import Coverage
from ...ha.messages import Item, Kind
from ...stats.engine import Engine
from ...stats.requests import StatisticError
from ...stats.statistic import Statistic
from ...stats.transfer import adopt_statistic
from ...tlib.codec import Decoder
from ...tlib.events import TEvent, Unhandled
from ..ha.chunk_work import BROKEN
from ..link_definitions import Hashes, request_from
from .form import End, Ending, Frame, Happened, Head, Picture, Refused, Slice

log = logging.getLogger(__name__)

NAMES_MAX = 20  # of dropped statistics that are told; of more, how many


@define
class Restoration:
    """A file being played.

    Args:
        application: Whose file it has to be.
        aggregates: Whether numbers are read, or definitions only.
        restored: Told of every statistic that goes on with what it has counted, and what
            that is, at the moment it was cut.

    Attributes:
        statistics: Opened, with or without numbers.
        dropped: Names and reasons of those that were not, as many as are kept.
        dropped_count: How many there were.
        sources: Where the sources stand that were restored; complete with the end.
        lost_sources: Names of sources that were not, and why.
        moment: Of the end.
    """

    engine: Engine
    application: str
    aggregates: bool = True
    restored: Callable[[Statistic, Coverage], None] = lambda statistic, coverage: None
    statistics: list[Statistic] = field(factory=list, init=False)
    dropped: dict[str, str] = field(factory=dict, init=False)
    dropped_count: int = field(default=0, init=False)
    sources: dict[str, Ending] = field(factory=dict, init=False)
    lost_sources: dict[str, str] = field(factory=dict, init=False)
    moment: int = field(default=0, init=False)
    _pictures: set[str] = field(factory=set, init=False)
    _hashes: Hashes = field(factory=Hashes, init=False)

    def take(self, frame: Frame) -> None:
        """Play the next frame.

        Raises:
            Refused: It is the head, and of another application. Nothing was changed.
        """
        match frame:
            case Head(application=application):
                if application != self.application:
                    raise Refused(f"it is of application {application!r}")
            case Picture() if self.aggregates:
                self._picture(frame)
            case Slice(moment, items):
                for item in items:
                    self._item(item, moment)
            case Happened(source, moment, lines) if source in self._pictures:
                decoded = Decoder().feed(lines)
                events = [e for e in decoded if isinstance(e, TEvent | Unhandled)]
                self.engine.apply(source, events, moment)
            case End(moment, _, sources):
                self.moment = moment
                self.sources = {n: each for n, each in sources.items() if n in self._pictures}

    def report(self, path: str, now: int) -> None:
        """Say what came of it, at the end."""
        away = (now - self.moment) / 1000
        count = len(self.statistics)
        log.info("backup file %s: %d statistics, as of %.0f s ago", path, count, away)
        for name, why in self.lost_sources.items():
            log.warning("backup file: T-Server %s begins from nothing: %s", name, why)
        for name, why in self.dropped.items():
            log.warning("backup file: statistic %s is dropped: %s", name, why)
        if self.dropped_count > len(self.dropped):
            more = self.dropped_count - len(self.dropped)
            log.warning("backup file: %d more statistics are dropped", more)

    def abandon(self) -> None:
        """Be as if nothing had been played: it has come to an end in the middle."""
        engine = self.engine
        engine.close_all(list(engine.statistics.values()), "")
        for name in self._pictures:
            source = engine.sources[name]
            nothing = dict.fromkeys(source.export()) | {"switch": source.switch}
            source.adopt(nothing, 0)

    def _picture(self, picture: Picture) -> None:
        name = picture.source
        source = self.engine.sources.get(name)
        if source is None:
            self.lost_sources[name] = "it is not configured any more"
            return
        try:
            source.adopt(msgspec.msgpack.decode(picture.state), picture.heard_at)
        except BROKEN as exc:
            self.lost_sources[name] = f"it is another one now: {exc}"
            return
        self._pictures.add(name)

    def _item(self, item: Item, moment: int) -> None:
        try:
            statistic = self.engine.open(request_from(item.definition), moment)
        except StatisticError as exc:
            self._drop(item, str(exc))
            return
        except BROKEN as exc:
            self._drop(item, f"it makes no sense: {exc!r}")
            return
        if self._hashes.of(statistic) != item.hash:
            self.engine.close_all([statistic], "")
            self._drop(item, "it means something else now")
            return
        if self.aggregates and item.kind is Kind.OPEN and not self._adopt(statistic, item, moment):
            return
        self.statistics.append(statistic)

    def _adopt(self, statistic: Statistic, item: Item, moment: int) -> bool:
        """Whether the statistic is still open."""
        try:
            data = msgspec.msgpack.decode(item.payload)
            if _sources(data) <= self._pictures:
                adopt_statistic(self.engine, statistic, data, moment)
                self.restored(statistic, item.coverage)
        except BROKEN as exc:
            self.engine.close_all([statistic], "")
            self._drop(item, f"its numbers make no sense: {exc!r}")
            return False
        return True

    def _drop(self, item: Item, why: str) -> None:
        self.dropped_count += 1
        if len(self.dropped) < NAMES_MAX:
            self.dropped[item.key] = why


def _sources(data: dict[str, Any]) -> set[str]:
    """Where a statistic has counted something."""
    books = (*data["parts"].values(), *data["former"].values())
    return {part["source"] for parts in books for part in parts}
