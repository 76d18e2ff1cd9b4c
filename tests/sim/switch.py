"""A T-Server: the simulated contact centre, and the feed that serves both members.

What it says is numbered here, because more is said than the contact centre does: events that
nobody knows, and the link to the switch going down and up.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from statserver_trio.machine import Connected, Disconnect, Disconnected
from statserver_trio.server.feed_task import FeedOptions, FeedTask
from statserver_trio.simulator.contact_centre import ContactCentre
from statserver_trio.simulator.feed_server import Feed, FeedServerSession, Published
from statserver_trio.tlib.codec import Decoder, PollReply, RegisterAll, encode
from statserver_trio.tlib.events import TEvent
from statserver_trio.tlib.registration_words import Received

from .agenda import whole
from .network import End, Host

if TYPE_CHECKING:
    from .day import Day
    from .process import Process

STRANGE = b'{"event":"EventStrange","EventSequenceNumber":%d,"time":%.3f}\n'
BATCH = 0.5  # seconds that a T-Server may keep events together


class Switch:
    """One T-Server and everything behind it.

    Attributes:
        log: Every event ever said: position, and line.
    """

    def __init__(self, day: Day, name: str, switch: str, rng: Random, recent: int, ahead: float):
        plan = day.plan
        self.day = day
        self.name = name
        self.host = Host(name)
        self.position = 0
        self.log: list[tuple[int, bytes]] = []
        self.is_open = True
        self._start = plan.start + ahead
        self._rng = rng
        self.centre = ContactCentre(
            rng, self._start, agents=plan.agents, queues=2, speed=plan.speed, occupancy=0.8
        )
        self.feed = Feed(switch, list(self.centre.dns), self.centre.snapshot, recent)
        self.wires: dict[Wire, None] = {}
        self._wait()

    @property
    def clock(self) -> float:
        """Its Unix time, which need not be ours."""
        return self._start + self.day.agenda.now

    def go_on(self) -> None:
        """Speak again, after a silence in which nothing has happened."""
        self.is_open = True
        self._wait()

    def _wait(self) -> None:
        after = self.centre.next_time() - self.clock
        late = self._rng.choice((0.0, 0.0, BATCH))
        self.day.agenda.after(whole(max(0.0, after) + late), self._speak)

    def _speak(self) -> None:
        if not self.is_open:
            return
        self.catch_up()
        self._wait()

    def catch_up(self) -> None:
        """Say what has happened: no answer may be of a later time than what follows it."""
        if self.is_open:
            self.say(self.centre.advance(self.clock))

    def say(self, events: list[TEvent]) -> None:
        """Let everybody who listens know."""
        for event in events:
            self.position += 1
            event.position = self.position
            self.log.append((event.position, encode(event)))
            self.feed.publish([event])
            for wire in list(self.wires):
                wire.note()
        for wire in list(self.wires):
            wire.flush()

    def shout(self) -> None:
        """An event that nobody knows."""
        self.position += 1
        data = STRANGE % (self.position, self.clock)
        self.log.append((self.position, data))
        event = _Odd(self.position, data)
        self.feed.position = self.position
        self.feed._recent.append(event)  # type: ignore[arg-type]
        for wire in list(self.wires):
            wire.note()
            wire.flush()

    def renumber(self) -> None:
        """The T-Server is restarted: it counts from the beginning, and everybody has to connect."""
        for wire in list(self.wires):
            wire.end.reset()
            wire.ended("restarted")
        self.position = 0
        self.log.clear()
        feed = self.feed
        self.feed = Feed(feed.switch, feed.dns, feed.snapshot, self.day.plan.recent)

    def accept(self, end: End) -> None:
        """Somebody has connected."""
        self.wires[Wire(self, end)] = None


class _Odd:
    """A line as :mod:`feed_server` keeps them."""

    def __init__(self, position: int, data: bytes) -> None:
        self.position, self.dn, self.data = position, "", data


class Wire:
    """The T-Server's side of one connection.

    Attributes:
        drops: So many of the next events do not get through.
        repeats: So many are sent twice.
    """

    def __init__(self, switch: Switch, end: End) -> None:
        self.end = end
        self.drops = self.repeats = 0
        self._since: int | None = None
        self._switch = switch
        self._session = FeedServerSession(switch.feed)
        self._decoder = Decoder()
        end.reader = self
        self.tell(Connected())

    def tell(self, event: object) -> None:
        """Let the session know, and send what it has to say."""
        self.flush()  # what was published goes first, spoilt or not
        gone = self._session.handle_event(event, self._switch.day.agenda.now)
        data = self._session.take()
        if data:
            self.end.send(data)
        if any(isinstance(action, Disconnect) for action in gone):
            self.end.close()
            self.ended("")

    def note(self) -> None:
        """An event was published."""
        self._session.handle_event(Published(), self._switch.day.agenda.now)

    def flush(self) -> None:
        """Send what was published."""
        data = self._session.take()
        if data:
            self.end.send(self._spoilt(data))

    def _spoilt(self, data: bytes) -> bytes:
        lines = data.splitlines(keepends=True)
        dropped = min(self.drops, len(lines))
        self.drops -= dropped
        lines = lines[dropped:]
        if self.repeats and lines:
            self.repeats -= 1
            lines += lines[-2:]
        return b"".join(lines)

    def data(self, data: bytes) -> None:
        """Requests have arrived."""
        self._switch.catch_up()
        for message in self._decoder.feed(data):
            if not isinstance(message, PollReply):
                self.tell(message)
            if self._since is None and isinstance(message, RegisterAll):
                self._since = self._switch.position

    def is_told_all_after(self, position: int) -> bool:
        """Whether it will send every event after that one.

        Of what happened between its greeting and RegisterAll it sends what it has still kept.
        """
        return self._since is not None and position >= self._since

    def ended(self, why: str) -> None:
        """The connection is gone."""
        self._session.handle_event(Disconnected(), self._switch.day.agenda.now)
        self._switch.wires.pop(self, None)

    def room(self) -> None:
        """It sends whether there is room or not."""


class SimFeed(FeedTask):
    """The product's feed task, driven without tasks of Trio.

    Attributes:
        reachable: Whether the T-Server can be connected.
    """

    def __init__(self, process: Process, switch: Switch, options: FeedOptions) -> None:
        super().__init__(options, process.pair.feeds, process.clock)
        self.reachable = True
        self.switch = switch
        self._process = process
        self._end: End | None = None
        self._lines = Decoder()

    @property
    def wire(self) -> Wire | None:
        """The T-Server's side of the connection, if there is one."""
        return None if self._end is None else self._end.other.reader  # type: ignore[return-value]

    def dial(self) -> None:
        """Connect, and if that fails again and again."""
        process = self._process
        if self._end is not None:
            return
        path = process.day.network.path(self.switch.host, process.host)
        if not self.reachable or path.blocked:
            process.after(self.options.redial, self.dial)
            return
        here, there = process.day.network.connect(process.host, self.switch.host)
        self._end, self._lines = here, Decoder()
        here.reader = self
        self._connection = _Scope()  # type: ignore[assignment]
        self._outbox = self  # type: ignore[assignment]
        self.switch.accept(there)
        self._tell(Connected())
        self._after()

    def send_nowait(self, data: bytes) -> None:
        """What the writer would be handed."""
        if self._end is not None:
            self._end.send(data)

    def data(self, data: bytes) -> None:
        """Bytes have arrived."""
        self._process.day.speaker = self._process.host.name
        self._tell(Received(self._lines.feed(data)))
        self._after()

    def ended(self, why: str) -> None:
        """The connection is gone."""
        self._process.day.speaker = self._process.host.name
        self._end, self._reason = None, why
        self._gone()
        self._process.after(self.options.redial, self.dial)
        self._process.look()

    def room(self) -> None:
        """There is always."""

    def ring(self) -> None:
        """Its deadline has come."""
        self._perform(self.session.handle_timer(self._clock.monotonic()))
        self._after()

    def cut(self) -> None:
        """The connection breaks under both ends."""
        if self._end is not None:
            self._end.other.reset()

    def _after(self) -> None:
        if self._connection.cancel_called and self._end is not None:
            self._end.close()
            self.ended(self._reason)
        self._process.look()


class _Scope:
    """A cancel scope, as far as a feed task needs it here."""

    cancel_called = False
    deadline = 0.0

    def cancel(self) -> None:
        """The connection is to be closed."""
        self.cancel_called = True
