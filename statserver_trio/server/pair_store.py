"""The real engine as the pair's machines want it: a store in the sense of ``ha.store``.

A statistic's key on the link is the canonical JSON of its identity, its
definition the request that opens it, its payload what it has counted. Items are
cut and installed between two events.

What the peer pushes is *as of* its position, and by the time it is here we may
stand elsewhere. If we are behind, the installation waits until we are not. If we
are ahead, the item is brought up to date first: in a scratch engine, made of a
checkpoint of our own world from before that position, the events since then are
applied again, with the statistic in it. Nothing is ever computed backwards.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
from attrs import define, field

from ..ha.coverage import Choice, Coverage, choose, clipped, holes, merged, missing
from ..ha.messages import Event, Item, Kind, Positions, Ranges, Result
from ..ha.store import Installed, InstallItems
from ..stats.engine import Engine
from ..stats.requests import StatisticError
from ..stats.statistic import Statistic
from ..stats.transfer import (
    adopt_statistic,
    definition_hash,
    export_statistic,
    replace_world,
)
from ..tlib.codec import decode_line
from ..tlib.events import EventServerDisconnected, TEvent
from .items import BROKEN, item_of, key_text, request_in

log = logging.getLogger(__name__)

CHECKPOINT_EVENTS = 2000  # of a source, until the next checkpoint; two are kept

_encode, _decode = msgspec.msgpack.encode, msgspec.msgpack.decode


TOO_LATE = object()  # in place of a payload


class TooLate(Exception):
    """What was pushed is as of a position before everything we remember."""


@define
class Checkpoint:
    """A source's world at some position, and what has happened since."""

    position: int
    state: bytes
    since: list[tuple[int, bytes, int]] = field(factory=list)  # position, line, applied at


class PairStore:
    """The store.

    Args:
        make_engine: An engine like ours with the same sources, and nothing in it.
        now_ms: The server's clock.
        apply: Lets events of a source happen in our engine.

    Attributes:
        inexact: How often neither our aggregate nor the peer's contained the other.
    """

    def __init__(
        self,
        engine: Engine,
        make_engine: Callable[[], Engine],
        now_ms: Callable[[], int],
        apply: Callable[[str, list[TEvent], int], None],
    ) -> None:
        self.engine = engine
        self.inexact = 0
        self._make_engine = make_engine
        self._now_ms = now_ms
        self._apply_events = apply
        self._statistics: dict[str, Statistic] = {}
        self._began: dict[str, dict[str, int]] = {}  # key, source: position at the opening
        self._adopted: dict[str, Coverage] = {}
        self._holes: dict[str, Ranges] = {}
        self._checkpoints: dict[str, list[Checkpoint]] = {}
        self._waiting: list[InstallItems] = []
        self._doubtful: list[str] = []
        self._late: set[str] = set()  # pushed as of a position that we cannot go back to

    # -- what is open ----------------------------------------------------------------

    def opened(self, statistic: Statistic) -> str:
        """A statistic was opened here: what it contains begins now; its key."""
        text = key_text(statistic.key)
        if self._statistics.get(text) is not statistic:
            self._statistics[text] = statistic
            self._began[text] = self.positions()
            self._adopted.pop(text, None)
        return text

    def covers(self, text: str, coverage: Coverage) -> None:
        """An open statistic contains that; from where it ends on, what we have is our own."""
        self._adopted[text] = coverage
        began = {s: ranges[-1][1] for s, ranges in coverage.items() if ranges}
        self._began[text] = self.positions() | began

    def closed(self, text: str) -> None:
        """A statistic is not open any more."""
        for book in (self._statistics, self._began, self._adopted):
            book.pop(text, None)
        self._late.discard(text)

    def forget_closed(self) -> list[str]:
        """The keys of statistics that the engine does not have any more; they are forgotten."""
        statistics = self.engine.statistics
        gone = [k for k, s in self._statistics.items() if statistics.get(s.key) is not s]
        for text in gone:
            self.closed(text)
        return gone

    def close_unwanted(self, keys: Sequence[str]) -> list[str]:
        """Close those of them that no client of ours wants; their keys."""
        found = ((text, self._statistics.get(text)) for text in keys)
        closed = {text: s for text, s in found if s is not None and not s.subscriptions}
        self.engine.close_all(closed.values(), "")
        for text in closed:
            self.closed(text)
        return list(closed)

    def positions(self) -> Positions:
        """The last event applied, by source."""
        found = ((name, source.position) for name, source in self.engine.sources.items())
        return {name: position for name, position in found if position is not None}

    def open_keys(self) -> list[str]:
        """The keys of all statistics."""
        return list(self._statistics)

    def lacking(self, keys: Iterable[str] | None = None) -> list[str]:
        """The keys, of these or of all, of statistics of which the peer may have more."""
        positions = self.positions()
        chosen = self._statistics if keys is None else keys
        return [
            text
            for text in chosen
            if (statistic := self._statistics.get(text)) is not None
            and (
                text in self._late
                or (
                    statistic.category.kind != "state"
                    and missing(self._coverage(text, statistic), positions)
                )
            )
        ]

    def take_doubtful(self) -> list[str]:
        """The keys of what was installed lately: the peer's may have a hole as well."""
        doubtful, self._doubtful = self._doubtful, []
        return doubtful

    def _coverage(self, text: str, statistic: Statistic) -> dict[str, Ranges]:
        positions, adopted = self.positions(), self._adopted.get(text, {})
        found: dict[str, Ranges] = {}
        for name in dict.fromkeys(source.name for source in statistic.sources):
            if name not in positions:
                continue
            here = positions[name]
            since = self._began[text].get(name, here)
            lost = clipped(self._holes.get(name, []), since, here)
            mine = holes(lost, since, here) if lost else [(since, here)]
            found[name] = merged([*adopted.get(name, []), *mine])
        return found

    def cut(self, key: str) -> Item | None:
        """A statistic as it is now; None if it is not open."""
        statistic = self._statistics.get(key)
        if statistic is None:
            return None
        coverage = self._coverage(key, statistic)
        return item_of(statistic, key, coverage, held=bool(statistic.subscriptions))

    # -- what the peer pushes --------------------------------------------------------

    def begin_install(self, action: InstallItems) -> None:
        """Install what the peer pushed, with :meth:`go_on`, when we are not behind any more."""
        self._waiting.append(action)

    @property
    def can_go_on(self) -> bool:
        """Whether something that was pushed waits, and we are not behind it any more."""
        if not self._waiting:
            return False
        positions = self.positions()
        return all(positions.get(s, p) >= p for s, p in self._waiting[0].as_of.items())

    def go_on(self, items_max: int = 0) -> list[Installed]:
        """The answers to what could be installed by now; call after events."""
        done = []
        while self.can_go_on:
            action = self._waiting.pop(0)
            done.append(Installed(action.seq, self._install(action)))
        return done

    def forget_waiting(self) -> None:
        """The link is gone: nobody waits for the answers; what was pushed comes again."""
        self._waiting.clear()

    def _install(self, action: InstallItems) -> list[Result]:
        items = [self._decided(item, action) for item in action.items]
        wanted = [item for item, result in items if result is None]
        try:
            payloads = self._brought_up(wanted, action.as_of)
        except TooLate as exc:
            log.info("the peer's chunk %d is asked for again: %s", action.seq, exc)
            payloads = dict.fromkeys((item.key for item in wanted), TOO_LATE)
        except BROKEN as exc:
            log.warning("what the peer pushed makes no sense here: %r", exc)
            payloads = {}
        return [
            self._take(item, payloads.get(item.key)) if result is None else result
            for item, result in items
        ]

    def _decided(self, item: Item, action: InstallItems) -> tuple[Item, Result | None]:
        """The result, where nothing has to be taken over."""
        if item.key in action.deleted:
            return item, Result.DELETED
        mine = self._statistics.get(item.key)
        if mine is not None and item.key in action.anew:
            self.engine.close_all([mine], "deleted and created again")
            self.closed(item.key)
            mine = None
        if mine is None:
            return item, None
        if definition_hash(mine) != item.hash:
            return item, Result.UNRESOLVED
        if item.kind is not Kind.OPEN:
            return item, Result.KEPT
        coverage = self._coverage(item.key, mine)
        choice = choose(coverage, item.coverage, self.positions(), action.as_of)
        if choice in (Choice.KEEP_INEXACT, Choice.TAKE_INEXACT):
            self.inexact += 1
        keeps = choice in (Choice.KEEP, Choice.KEEP_INEXACT)
        return item, Result.KEPT if keeps else None

    def _take(self, item: Item, payload: Any) -> Result:
        now = self._now_ms()
        statistic = self._statistics.get(item.key)
        is_new = statistic is None
        try:
            if statistic is None:
                statistic = self.engine.open(request_in(item), now)
                if definition_hash(statistic) != item.hash:
                    self.engine.close_all([statistic], "")
                    return Result.UNRESOLVED
                self.opened(statistic)
            if item.kind is Kind.OPEN:
                if payload is None:
                    return Result.ERROR
                if payload is TOO_LATE:
                    self._late.add(item.key)
                    return Result.OPENED if is_new else Result.KEPT
                self._late.discard(item.key)
                self._doubtful.append(item.key)
                adopt_statistic(self.engine, statistic, payload, now, by_force=True)
                self.covers(item.key, item.coverage)
        except StatisticError as exc:
            log.warning("the peer's statistic %s cannot be opened here: %s", item.key, exc)
            return Result.UNRESOLVED
        except BROKEN as exc:
            log.warning("the peer's statistic %s makes no sense: %r", item.key, exc)
            return Result.ERROR
        return Result.OPENED if is_new else Result.ADOPTED

    # -- ahead of the peer -----------------------------------------------------------

    def _brought_up(self, items: Sequence[Item], as_of: Positions) -> dict[str, Any]:
        """The payloads as of our own positions."""
        payloads = {i.key: _decode(i.payload) for i in items if i.kind is Kind.OPEN}
        positions = self.positions()
        if not payloads or all(positions.get(s) == p for s, p in as_of.items()):
            return payloads
        scratch = self._make_engine()
        now = self._now_ms()
        for name, position in as_of.items():
            self._wind(scratch, name, position, now)
        found: dict[str, Statistic] = {}
        for item in items:
            if item.key in payloads:
                found[item.key] = scratch.open(request_in(item), now)
                adopt_statistic(scratch, found[item.key], payloads[item.key], now, by_force=True)
        for name, position in as_of.items():
            self._play(scratch, name, position, positions[name])
        return {
            key: _decode(_encode(export_statistic(statistic))) for key, statistic in found.items()
        }

    def _wind(self, scratch: Engine, name: str, position: int, now: int) -> None:
        """Let the scratch engine's source stand where the peer's stood."""
        usable = [c for c in self._checkpoints.get(name, ()) if c.position <= position]
        if not usable:
            raise TooLate(f"no checkpoint of {name} at {position} or before")
        checkpoint = usable[-1]
        scratch.sources[name].adopt(_decode(checkpoint.state), now)
        self._play(scratch, name, checkpoint.position, position)

    def _play(self, scratch: Engine, name: str, after: int, until: int) -> None:
        for checkpoint in self._checkpoints[name]:
            for position, line, at in checkpoint.since:
                if after < position <= until:
                    event = decode_line(line)
                    assert isinstance(event, TEvent)
                    scratch.apply(name, [event], at)

    def _note(self, name: str, events: Sequence[Event], now: int) -> None:
        checkpoints = self._checkpoints.get(name)
        if checkpoints is None:
            return
        if any(position is None for position, _ in events):
            # A snapshot is part of our picture and not of the stream: it cannot be played again.
            self._checkpoints[name] = [self._checkpoint(name)]
            return
        latest = checkpoints[-1]
        latest.since += [(p, line, now) for p, line in events if p is not None]
        if len(latest.since) >= CHECKPOINT_EVENTS:
            self._checkpoints[name] = [latest, self._checkpoint(name)]

    def _checkpoint(self, name: str) -> Checkpoint:
        source = self.engine.sources[name]
        return Checkpoint(source.position or 0, _encode(source.export()))

    # -- worlds and events -----------------------------------------------------------

    def world(self, sources: Sequence[str]) -> bytes:
        """The action tables of these sources."""
        return _encode({name: self.engine.sources[name].export() for name in sources})

    def adopt_world(self, as_of: Positions, blob: bytes) -> None:
        """Go on from the peer's action tables."""
        for name, data in _decode(blob).items():
            before = self.engine.sources[name].position
            replace_world(self.engine, name, data, self._now_ms())
            self._checkpoints[name] = [self._checkpoint(name)]
            if before is not None and before < as_of[name]:  # never applied here
                lost = (before + 1, as_of[name])
                self._holes[name] = merged([*self._holes.get(name, []), lost])

    def begin_at(self, source: str, position: int) -> None:
        """Our picture of a source begins after that position.

        From its own snapshots, or where the one in the backup file ends.
        """
        if self.engine.sources[source].lost_at is not None:
            self._lose(source)  # it was restarted while we were away
        self.engine.sources[source].position = position
        self._checkpoints[source] = [self._checkpoint(source)]
        for began in self._began.values():
            began.setdefault(source, position)

    def leave_hole(self, source: str, first: int, last: int) -> None:
        """Events are lost: all that goes on is in doubt until the snapshots say."""
        self._holes[source] = merged([*self._holes.get(source, []), (first, last)])
        self._lose(source)
        self.engine.sources[source].position = last
        self._checkpoints[source] = [self._checkpoint(source)]

    def _lose(self, name: str) -> None:
        """What goes on there is not known: since now or, after a restart, since we left."""
        source = self.engine.sources[name]
        lost = source.known_until(self._now_ms())
        disconnected = EventServerDisconnected(time=source.clock(lost) / 1000)
        self._apply_events(name, [disconnected], lost)

    def apply(self, source: str, events: Sequence[Event]) -> None:
        """Let events happen, in this order."""
        now = self._now_ms()
        decoded = [decode_line(line) for _, line in events]
        self._apply_events(source, [e for e in decoded if isinstance(e, TEvent)], now)
        self._note(source, events, now)
