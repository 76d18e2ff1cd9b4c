"""A source as the engine sees it: its world, its ledger, and its clock.

The clock of a source is the time of its last event plus the time that has passed
since it arrived: durations come from event times alone, and what is in progress
is measured against the same clock, however wrong it is (protocols.md §4b).

Everything is milliseconds. With the resolution ``second`` the milliseconds of
every event time are cut off right here, at the door, as the vendor cuts them off
before it subtracts: 05:40:56.949 to 05:41:07.542 is 11 seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from attrs import frozen

from ..model.directory import Directory
from ..model.nodes import Node
from ..model.occurrences import (
    Record,
)
from ..model.population import Topic
from ..model.transfer import adopt_world, export_world
from ..model.world import World, WorldOptions
from ..tlib.codec import Message
from ..tlib.events import (
    EVENT_TYPES,
    EventServerConnected,
    EventServerDisconnected,
    TEvent,
    Unhandled,
)
from .counting.folding import fold
from .counting.ledger import Ledger
from .failing import PassedOver

RESOLUTIONS = {"second": 1000, "millisecond": 1}
EVENTS = (TEvent, Unhandled)  # a union would be made anew for each event
# All but those of the feed itself: one look instead of several for nearly every event.
USUAL = frozenset(EVENT_TYPES) - {EventServerConnected, EventServerDisconnected}

# Where a directory says who is in which group, or what may be sent to him.
_GROUPED: tuple[Callable[[Directory], object], ...] = (
    lambda directory: directory.agent_groups,
    lambda directory: directory.virtual_agent_groups,
    lambda directory: directory.agents if directory.virtual_agent_groups else None,  # skills
    lambda directory: directory.place_groups,
    lambda directory: directory.places,
    lambda directory: directory.capacities,
)


def _greets(event: TEvent | Unhandled, last: int) -> bool:
    """Whether a feed greets that counts anew, as after a restart: with a lower number."""
    return type(event) is EventServerConnected and event.position != last


@frozen
class Picture:
    """An action table that was told, put together: from here on nothing can be wrong with it.

    Attributes:
        position: Of the last event in it.
        last_event, last_gap: When that was, and when events were missed last, ms.
    """

    world: World | None
    position: int | None
    last_event: int | None
    last_gap: int | None


class Source:
    """One T-Server (or other feed) and everything that is counted of it."""

    def __init__(
        self,
        name: str,
        switch: str,
        directory: Directory,
        options: WorldOptions,
        resolution: str = "second",
    ) -> None:
        self.name = name
        self.switch = switch
        self.ledger = Ledger(name, self)
        self.position: int | None = None  # of the last event applied
        self.events = 0  # applied since the start
        self.duplicates = 0
        self.passed_over = PassedOver()
        self.last_gap: int | None = None  # when we last missed events, ms
        self.is_connected = True  # whether the feed is; whoever drives a feed says so
        # Since when, by our clock, nobody listened, until there is news; see known_until.
        self.lost_at: int | None = None
        self.adoptions = 0  # how often the world was replaced by another one
        # Told before the columns pass a reset point, while the interval can still be read.
        self.before_roll: Callable[[Source, int], None] | None = None
        self._grain = RESOLUTIONS[resolution]
        self._directory = directory
        self._options = options
        self._world: World | None = None
        self._last_event: int | None = None
        self._has_told_time = False
        self._arrived = 0

    # -- time ------------------------------------------------------------------------

    def known_until(self, now: int) -> int:
        """Up to when, by our clock, what we know of the source holds: up to ``now``.

        Where our process was away and there is no news yet, up to when it left: what is
        missing may still come, so nothing may happen that belongs after it.
        """
        return now if self.lost_at is None else min(now, self.lost_at)

    def clock(self, now: int) -> int:
        """What time it is at this source when it is ``now`` here; see also :meth:`known_until`."""
        return self.time_of_arrival(self.known_until(now))

    def time_of_arrival(self, now: int) -> int:
        """The time of an event that has none and arrives ``now``."""
        t = now
        if self._last_event is not None:
            t = self._last_event + max(0, now - self._arrived)
        t -= t % self._grain
        return t if self._world is None else max(t, self._world.now)

    @property
    def heard_at(self) -> int:
        """When, by our clock, the last event arrived."""
        return self._arrived

    @property
    def clock_offset(self) -> float | None:
        """Seconds by which the source's last event was ahead of its arrival."""
        if self._last_event is None:
            return None
        return (self._last_event - self._arrived) / 1000

    @property
    def has_told_time(self) -> bool:
        """Whether its clock is its own; else it is that of our machine, which may be anything.

        What has no number was not told a time either, but stamped when it came: snapshots.
        """
        return self._has_told_time

    def take_refound(self) -> Iterable[Node]:
        """The DNs that were lost or found since the last time, and agents who went there."""
        if self._world is None or not self._world.refound:
            return ()
        refound, self._world.refound = self._world.refound, {}
        return refound

    def world(self, now: int) -> World:
        """The world, which begins with the first question or event."""
        if self._world is None:
            self._world = World(self.switch, self._directory, self.clock(now), self._options)
        return self._world

    def take_changes(self) -> Iterable[Topic]:
        """What there is more, less or else of in the world than before."""
        return () if self._world is None else self._world.take_changes()

    # -- the pair --------------------------------------------------------------------

    def export(self) -> dict[str, Any]:
        """The action table as of the last event, with its position; plain data."""
        return {
            "switch": self.switch,
            "position": self.position,
            "last_event": self._last_event,
            "last_gap": self.last_gap,
            "world": None if self._world is None else export_world(self._world),
        }

    def adopt(self, data: Mapping[str, Any], heard_at: int) -> None:
        """Go on from what was exported; see :meth:`read` and :meth:`take`."""
        self.take(self.read(data), heard_at)

    def read(self, data: Mapping[str, Any]) -> Picture:
        """What was exported, put together and not ours yet.

        Raises:
            KeyError, ValueError, TypeError: The data is no action table of this switch.
        """
        if data["switch"] != self.switch:
            raise ValueError(f"an action table of switch {data['switch']!r}, not {self.switch!r}")
        world = None
        if data["world"] is not None:
            world = World(self.switch, self._directory, data["world"]["now"], self._options)
            adopt_world(world, data["world"])
        return Picture(world, data["position"], data["last_event"], data["last_gap"])

    def take(self, picture: Picture, heard_at: int) -> None:
        """Go on from there; nothing is counted here (any more).

        Args:
            heard_at: When the last event arrived, by our clock: so the source's goes on.
        """
        assert not any(self.ledger.rows), "something is counted of the old picture"
        if picture.world is not None:
            self.ledger.begin_anew(picture.world.now)
        self._world = picture.world
        self.position, self.last_gap = picture.position, picture.last_gap
        self._last_event, self._arrived = picture.last_event, heard_at
        self._has_told_time = self._last_event is not None
        self.lost_at = None
        self.adoptions += 1

    # -- the fold --------------------------------------------------------------------

    def apply(self, events: Iterable[Message], now: int) -> None:
        """Let events happen, in order. Anything else is passed over; see :mod:`.failing`, too.

        An event without a time happens now, by the clock of the source. Time
        never goes back: what claims to be earlier happens with what was last.
        """
        rest = iter(events)
        while not self._apply(rest, now):
            pass

    def _apply(self, rest: Iterator[Message], now: int) -> bool:
        """The same; whether there are no more, for what comes after one that raised is left."""
        grain, ledger, count = self._grain, self.ledger, 0
        self.lost_at = None
        event: Any = None
        try:
            for event in rest:
                is_usual = type(event) in USUAL
                if not is_usual and not isinstance(event, EVENTS):
                    continue
                count += 1
                position = event.position
                if position is not None:
                    last = self.position
                    if last is not None and position <= last and not _greets(event, last):
                        self.duplicates += 1
                        continue
                    self.position = position
                    self._has_told_time = is_usual or self._has_told_time
                world = self._world
                if event.time is None:
                    t = self.clock(now)
                else:
                    t = int(event.time * 1000 + 0.5)
                    self._last_event, self._arrived = t, now
                    t -= t % grain
                if world is None:
                    world = self._begin(t)
                if t < world.now:
                    t = world.now
                if ledger.has_openings:
                    ledger.end_openings(t)
                if t >= world.next_check:
                    self.check(t)
                if t >= ledger.next_boundary:
                    self._roll(t)
                if not is_usual:
                    if isinstance(event, Unhandled):
                        world.now = t
                        continue
                    self._note_gap(event, t)
                records = world.apply(event, t)
                if records:
                    self.fold(records, t)
        except Exception as error:  # whatever it is: the next one has to be applied
            self.passed_over.failed(event, error, self.events + count)
            if self._world is not None:
                self.last_gap = self._world.now
            return False
        finally:
            self.events += count
        return True

    def _note_gap(self, event: TEvent, t: int) -> None:
        """A gap lasts from the loss of the feed until it is back, and may count anew then."""
        if type(event) is EventServerDisconnected:
            self.last_gap, self.position = t, None
        elif self.last_gap is not None:
            self.last_gap = t

    def relist(self, directory: Directory, now: int, options: WorldOptions | None = None) -> None:
        """Take over a changed directory, and options; what is new in it comes into being."""
        before, self._directory = self._directory, directory
        self._options = options or self._options
        if self._world is not None:
            if any(groups(before) != groups(directory) for groups in _GROUPED):
                self._move_on(now)  # all that changes now, not with the last event
            self._world.options = self._options
            self._world.relist(directory)
            self.settle(now)

    def strike(self, now: int) -> None:
        """Forget the DNs and agents that the directory no longer has; after :meth:`relist`."""
        world = self._world
        if world is not None and any(world.unlisted()):
            self._move_on(now)
            world.strike(world.now)
            self.settle(now)

    def _move_on(self, now: int) -> None:
        """Something happens now although there is no event: it comes after all that was before."""
        world = self.world(now)
        t = self.clock(now)
        self.check(t)
        if t >= self.ledger.next_boundary:
            self._roll(t)
        world.now = t

    @property
    def ignored(self) -> int:
        """Events that said nothing anybody had a rule for."""
        return 0 if self._world is None else self._world.ignored.total()

    def settle(self, now: int) -> None:
        """Be up to date with ``now`` before something is opened.

        What a question brought about is counted (it may have been the first to name a
        DN), and a check that would find something is done, so that nothing ends before it
        counts. Any other is left to the next event, which may be of a time before it.
        """
        world = self._world
        if world is not None:
            self.fold(world.chronicle.take(), world.now)
            t = self.clock(now)
            if t >= world.next_check and world.is_stuck(t):
                self.check(t)

    def _begin(self, t: int) -> World:
        self._world = World(self.switch, self._directory, t, self._options)
        return self._world

    def _roll(self, t: int) -> None:
        if self.before_roll is not None:
            self.before_roll(self, t)
        self.ledger.roll(t)

    def check(self, t: int) -> None:
        """Do the world's regular checks up to ``t``."""
        world = self._world
        if world is None:
            return
        world.skip_checks(t)
        while world.next_check <= t:
            at = world.next_check
            if at >= self.ledger.next_boundary:
                self._roll(at)
            self.fold(world.check(), at)
            world.skip_checks(t)

    def fold(self, records: Iterable[Record], t: int) -> None:
        """Count what happened at ``t``."""
        fold(self.ledger, records, t)
