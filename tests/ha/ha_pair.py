"""Two whole members of a pair without Trio: fake engines that count, a fake network.

Time jumps to whatever is due next, so hours pass in no time. The engines fold
events into numbers, so an event that is lost or counted twice shows; the oracle
(:meth:`Pair.truth`) computes the same numbers from everything the sources ever
said. Faults are methods of :class:`Pair`.
"""

from __future__ import annotations

import heapq
import itertools
import json

from attrs import evolve

from statserver_trio.ha.addp import AddpOptions, Heard
from statserver_trio.ha.clock_offset import WallTime
from statserver_trio.ha.codec import Decoder, Outbox, ProtocolError
from statserver_trio.ha.coverage import Choice, choose, clipped, merged, missing
from statserver_trio.ha.door import Knocked
from statserver_trio.ha.feed_words import (
    Arrived,
    Interrupted,
    SourceAdded,
    SourceAt,
    SourceAway,
    SourceResumed,
)
from statserver_trio.ha.greeting import Identity
from statserver_trio.ha.holds import Wanted
from statserver_trio.ha.messages import Fragment, Hello, Item, Kind, Result
from statserver_trio.ha.peer import Malformed, Peer, PeerOptions, Started
from statserver_trio.ha.replication_words import Closed, Opened
from statserver_trio.ha.store import (
    Abort,
    Admit,
    Greeted,
    Installed,
    Joined,
    Refuse,
    Unwanted,
    perform,
)
from statserver_trio.machine import Connected, Disconnect, Disconnected, Send

WORLD_ADVANCE = 1_000_000.0  # wall time at 0


class Statistic:
    """Number and total time of the ended actions of one object of one source."""

    def __init__(self, as_of, coverage, count=0, total=0):
        self.as_of, self.coverage = as_of, coverage
        self.count, self.total = count, total

    def add(self, duration):
        self.count += 1
        self.total += duration


class Engine:
    """A store in the sense of store.py."""

    def __init__(self):
        self.position = {}
        self.actions = {}  # source -> object -> start
        self.tail = {}  # source -> [(position, object, duration)]
        self.coverage = {}
        self.statistics = {}
        self.unresolved = set()  # keys that this configuration does not know
        self.installs, self.waiting = [], []
        self.doubtful = set()  # open when a hole was left

    def add_source(self, source):
        self.actions[source], self.tail[source], self.coverage[source] = {}, [], []

    def list_open(self, first):
        if first == 0:
            self.listing = list(self.statistics)
        keys = [key for key in self.listing[first : first + 2] if key in self.statistics]
        return keys, first + 2 if first + 2 < len(self.listing) else None

    def open(self, key):
        position = self.position.get(key.split(":")[0])
        if key in self.statistics:
            return
        if position is None:  # nothing is known yet: it begins when our picture does
            self.statistics[key] = Statistic(-1, [])
        else:
            self.statistics[key] = Statistic(position, [(position, position)])

    def _born(self, source, position):
        for key, statistic in self.statistics.items():
            if key.startswith(source + ":") and statistic.as_of < 0:
                statistic.as_of, statistic.coverage = position, [(position, position)]

    def apply(self, source, events):
        for position, line in events:
            kind, obj, time = json.loads(line)
            if position is None:
                self.actions[source] = dict(time)  # a snapshot: what is, since now
                continue
            before = self.position[source]
            assert position > before, "out of order"
            ended = None
            if kind == "begin":
                self.actions[source][obj] = time
            elif obj in self.actions[source]:
                ended = time - self.actions[source].pop(obj)
                self.tail[source].append((position, obj, ended))
            self.position[source] = position
            self.coverage[source] = merged([*self.coverage[source], (before + 1, position)])
            for key, statistic in self.statistics.items():
                if not key.startswith(source + ":") or position <= statistic.as_of:
                    continue
                if ended is not None and key.split(":")[1] == obj:
                    statistic.add(ended)
                covered = (max(before, statistic.as_of) + 1, position)
                statistic.coverage = merged([*statistic.coverage, covered])
                statistic.as_of = position

    def begin_at(self, source, position):
        self.position[source] = position
        self._born(source, position)

    def leave_hole(self, source, first, last, waited):
        self.tail[source], self.coverage[source] = [], []
        self.position[source] = last
        for key, statistic in self.statistics.items():
            if key.startswith(source + ":"):
                end = max(last, statistic.as_of)
                before = clipped(statistic.coverage, 0, first - 1)
                after = [r for r in statistic.coverage if r[0] > end]
                statistic.coverage = merged([*before, *after])
                self.doubtful.add(key)

    def world(self, sources):
        return json.dumps({name: self.actions[name] for name in sources}).encode()

    def adopt_world(self, as_of, blob, since):
        world = json.loads(blob)
        for source, position in as_of.items():
            assert position >= self.position.get(source, 0)
            self.tail[source], self.coverage[source] = [], []
            self.actions[source], self.position[source] = world[source], position
            self._born(source, position)

    def cut(self, key):
        statistic = self.statistics.get(key)
        if statistic is None:
            return None
        payload = json.dumps([statistic.as_of, statistic.count, statistic.total]).encode()
        coverage = {key.split(":")[0]: statistic.coverage}
        return Item(key, key, "", Kind.OPEN, payload, coverage)

    def begin_install(self, action):
        self.waiting.append(action)

    def go_on(self):
        done = [Installed(action.seq, self.results(action)) for action in self.waiting]
        self.waiting.clear()
        return done

    def results(self, action):
        return [
            Result.DELETED
            if item.key in action.deleted
            else self.install(item, action.as_of, item.key in action.anew)
            for item in action.items
        ]

    def install(self, item, as_of, anew):
        if item.key in self.unresolved:
            return Result.UNRESOLVED
        source, obj, _ = item.key.split(":")
        here = self.position.get(source, 0)
        mine = self.statistics.get(item.key)
        theirs = item.coverage[source]
        of, count, total = json.loads(item.payload)
        if mine is not None and not anew:
            stands, comes = {source: max(mine.as_of, here)}, {source: max(of, as_of.get(source, 0))}
            choice = choose({source: mine.coverage}, {source: theirs}, stands, comes)
            if choice is Choice.KEEP:
                return Result.KEPT
            if choice in (Choice.KEEP_MORE, Choice.KEEP_INEXACT):
                return Result.KEPT_MORE
        new = Statistic(of, theirs, count, total)
        for position, whose, duration in self.tail[source]:
            if position > of and whose == obj:
                new.add(duration)
        new.coverage = merged([*theirs, *clipped(self.coverage[source], of + 1, here)])
        new.as_of = max(of, here)
        self.statistics[item.key] = new
        self.doubtful.discard(item.key)
        self.installs.append(item.key)
        return Result.OPENED if mine is None else Result.ADOPTED

    def incomplete(self):
        return [
            key
            for key, statistic in self.statistics.items()
            if key in self.doubtful
            or missing({key.split(":")[0]: statistic.coverage}, self.position)
        ]

    def numbers(self):
        return {key: (s.count, s.total) for key, s in self.statistics.items()}


class Feed:
    """A source of events, and the truth about it."""

    def __init__(self, name):
        self.name, self.log, self.running = name, [], {}

    @property
    def last(self):
        return self.log[-1][0] if self.log else 0

    def say(self, obj, time, step=1):
        kind = "end" if obj in self.running else "begin"
        if kind == "begin":
            self.running[obj] = time
        else:
            del self.running[obj]
        event = (self.last + step, json.dumps([kind, obj, time]).encode())
        self.log.append(event)
        return event

    def snapshot(self, time):
        """What a feed can tell: who is busy, but not since when."""
        return (None, json.dumps(["snapshot", "", dict.fromkeys(self.running, time)]).encode())

    def count(self, obj, after):
        """The truth: what a statistic comes to that was opened at that position."""
        start, count, total = None, 0, 0
        for position, line in self.log:
            kind, whose, time = json.loads(line)
            if whose != obj:
                continue
            if kind == "begin":
                start = time
            elif position > after:
                count, total = count + 1, total + time - start
        return count, total


class Connection:
    numbers = itertools.count()

    def __init__(self):
        self.number = next(self.numbers)
        self.lobby = Decoder()
        self.said = []
        self.blocked = set()  # names of nodes that nothing reaches
        self.stuck = []  # what TCP would send again: (node, data)


class Node:
    """One process."""

    def __init__(self, pair, name, other, dials, options):
        self.pair, self.name = pair, name
        self.engine = Engine()
        boot = f"{name}{next(pair.ids)}"
        identity = Identity(name, other, dials)
        self.peer = Peer(identity, boot, lambda: f"{boot}.{next(pair.ids)}", options)
        self.connection = None
        self.decoder, self.outbox = Decoder(), Outbox()
        self.done = []
        self.sees = dict.fromkeys(pair.feeds, True)
        self.wall_ahead = 0.0
        self.wanted = {}  # by our clients; who come back when we are restarted
        self.frozen = False
        self.unread = []

    def start(self):
        self.tell(WallTime(WORLD_ADVANCE + self.wall_ahead + self.pair.now))
        for name in self.pair.feeds:
            self.engine.add_source(name)
            self.tell(SourceAdded(name, self.pair.step == 1))
        self.tell(Started())
        for name in self.pair.feeds:
            self.register(name)

    def register(self, name):
        feed = self.pair.feeds[name]
        if self.pair.step > 1:
            self.tell(Interrupted(name))
        self.tell(SourceAt(name, feed.last + self.pair.step // 2))
        self.tell(Arrived(name, [feed.snapshot(self.pair.now)]))

    def open(self, *keys):
        for key in keys:
            self.engine.open(key)
            began = max(self.engine.statistics[key].as_of, 0)
            self.pair.began[key] = min(began, self.pair.began.get(key, began))
            self.wanted[key] = None
        self.tell(Opened(keys))

    def come_back(self):
        """The clients of our former life."""
        for key in self.wanted:
            self.engine.open(key)
        self.tell(Opened(tuple(self.wanted)))

    def work_at_once(self):
        """Install what has been pushed."""
        for answer in self.engine.go_on():
            self.tell(answer)
            lacking = set(self.engine.installs) & set(self.engine.incomplete())
            self.engine.installs.clear()
            if lacking:
                self.tell(Wanted(tuple(sorted(lacking))))

    def work_due(self):
        """When to go on with what takes longer; for engines that take their time."""
        return float("inf")

    def work(self):
        """Go on with it."""

    def close(self, keys):
        for key in keys:
            del self.engine.statistics[key]
        self.tell(Closed(keys))

    def tell(self, event):
        self.perform(self.peer.handle_event(event, self.pair.now))

    def perform(self, actions):
        for action in actions:
            self.done.append(action)
            mine, answer = perform(action, self.engine)
            if answer is not None:
                self.tell(answer)
            if mine:
                self.work_at_once()
                continue
            match action:
                case Send(message):
                    self.pair.sent.append((self.name, message))
                    self.outbox.put(message)
                    self.pair.write(self)
                case Disconnect() | Abort():
                    self.pair.close(self)
                    return
                case Greeted():
                    self.decoder.greeted()
                case Admit(connection):
                    self.admit(connection)
                case Refuse(connection, reject):
                    self.pair.refuse(connection, reject)
                case Unwanted(keys):
                    self.close(keys)
                case Joined(_, "adopted"):
                    self.tell(Wanted(tuple(self.engine.incomplete())))

    def admit(self, connection):
        if self.connection is not None:
            self.pair.close(self)
        self.connect(connection)
        self.tell(Heard())
        said, connection.said = connection.said, None
        for message in said:
            self.tell(message)

    def connect(self, connection):
        self.connection = connection
        self.decoder, self.outbox = Decoder(), Outbox()
        self.tell(WallTime(WORLD_ADVANCE + self.wall_ahead + self.pair.now))
        self.tell(Connected())

    def receive(self, connection, data):
        if connection is not self.connection:
            if not self.peer.identity.dials and connection.said is not None:
                self.knock(connection, data)
            return
        if not data:
            self.disconnected()
            return
        self.tell(Heard(len(data)))
        try:
            for message in self.decoder.feed(data):
                if connection is not self.connection:
                    return
                self.tell(message)
        except ProtocolError as exc:
            self.tell(Malformed(str(exc)))

    def knock(self, connection, data):
        for message in connection.lobby.feed(data):
            connection.said.append(message)
            if isinstance(message, Hello):
                self.tell(Knocked(connection, tuple(connection.said)))

    def disconnected(self):
        self.connection = None
        self.outbox.clear()
        self.tell(Disconnected())


class Pair:
    """A (configured primary, accepts) and B (configured backup, dials)."""

    def __init__(self, feeds=("s",), delay=0.001, options=None, connect_timeout=1.0, step=1):
        self.now = 0.0
        self.step = step  # between two positions; the others are those of DNs that are not ours
        self.ids = itertools.count(1)
        self.feeds = {name: Feed(name) for name in feeds}
        self.began = {}
        self.sent = []
        self.delay, self.connect_timeout = delay, connect_timeout
        self.transit, self.order = [], itertools.count()
        self.network = True  # whether dialling succeeds
        self.frame_time = 0.0  # seconds per frame on the wire, for a thin link
        self.busy_until = {}
        self.options = options or PeerOptions(addp=AddpOptions(trace="off"))
        self.next_dial = 0.0
        self.refused = []
        self.a = Node(self, "A", "B", False, self.options)
        self.b = Node(self, "B", "A", True, self.options)
        for node in self.both:
            node.start()

    @property
    def both(self):
        return (self.a, self.b)

    def other(self, node):
        return self.b if node is self.a else self.a

    # -- the network -----------------------------------------------------------------

    def dial(self):
        self.next_dial = self.now + self.connect_timeout
        if self.network and self.b.connection is None and not self.b.frozen:
            self.b.connect(Connection())

    def write(self, node):
        """Everything that waits leaves at once, or a frame at a time on a thin link."""
        while node.outbox and node.connection is not None:
            if self.frame_time and self.busy_until.get(node.name, 0) > self.now:
                return
            self.busy_until[node.name] = self.now + self.frame_time
            self.ship(node, node.connection, node.outbox.next_frame())

    def ship(self, node, connection, data):
        other = self.other(node)
        if other.name in connection.blocked:
            connection.stuck.append((other, data))
            return
        arrival = self.now + self.frame_time + self.delay
        entry = (arrival, next(self.order), other, connection, data)
        heapq.heappush(self.transit, entry)

    def close(self, node):
        """One end closes: the other hears of it, unless nothing reaches it."""
        connection = node.connection
        if connection is None:
            return
        self.write(node)
        self.ship(node, connection, b"")
        node.disconnected()

    def refuse(self, connection, reject):
        connection.said = None
        self.refused.append(reject)

    def cut(self):
        """Both ends notice at once; what is on its way is lost."""
        self.transit = []
        for node in self.both:
            if node.connection is not None:
                node.disconnected()

    def partition(self, *towards, dialling=False):
        """Nothing reaches these nodes any more, and nobody is told."""
        self.network = dialling
        for node in self.both:
            if node.connection is not None:
                node.connection.blocked |= {n.name for n in towards or self.both}

    def heal(self):
        """Everything reaches everybody again; TCP sends again what got stuck."""
        self.network = True
        for connection in {node.connection for node in self.both} - {None}:
            connection.blocked = set()
            stuck, connection.stuck = connection.stuck, []
            for node, data in stuck:
                self.ship(self.other(node), connection, data)

    def restart(self, node, abruptly=True):
        """The process is gone with all it knew, and a new one begins."""
        if node.connection is not None:
            if not abruptly:
                self.ship(node, node.connection, b"")
            else:
                node.connection.blocked |= {"A", "B"}
        dials = node.peer.identity.dials
        new = Node(self, node.name, self.other(node).name, dials, node.peer.options)
        new.wanted = node.wanted
        if dials:
            self.b = new
        else:
            self.a = new
        new.start()
        return new

    def freeze(self, node):
        node.frozen = True

    def thaw(self, node):
        """Whoever was stopped finds its timers late and its socket full."""
        node.frozen = False
        node.perform(node.peer.handle_timer(self.now))
        unread, node.unread = node.unread, []
        for connection, data in unread:
            node.receive(connection, data)

    # -- the sources -----------------------------------------------------------------

    def event(self, obj="x", source="s"):
        """A source says something, and whoever listens hears it."""
        args = (self.step,) if self.step > 1 else ()
        event = self.feeds[source].say(obj, int(self.now * 1024), *args)
        for node in self.both:
            if node.sees[source]:
                node.tell(Arrived(source, [event]))

    def blind(self, node, source="s"):
        node.sees[source] = False
        node.tell(SourceAway(source))

    def see(self, node, source="s"):
        if not node.sees[source]:
            node.sees[source] = True
            node.register(source)

    def resume(self, node, missed, source="s"):
        """The feed still has what that node missed: the last so many events."""
        node.sees[source] = True
        node.tell(SourceResumed(source))
        node.tell(Arrived(source, self.feeds[source].log[-missed:]))

    # -- time ------------------------------------------------------------------------

    def due(self):
        times = [node.peer.next_deadline() for node in self.both if not node.frozen]
        times += [node.work_due() for node in self.both if not node.frozen]
        times += [entry[0] for entry in self.transit[:1]]
        times += [self.busy_until[n.name] for n in self.both if n.outbox and self.frame_time]
        if self.b.connection is None:
            times.append(self.next_dial)
        return min(times)

    def drive(self, until=None, seconds=None):
        until = self.now + seconds if until is None else until
        for _ in range(1_000_000):
            due = self.due()
            if due > until:
                self.now = max(self.now, until)
                return
            self.now = max(self.now, due)
            while self.transit and self.transit[0][0] <= self.now:
                _, _, node, connection, data = heapq.heappop(self.transit)
                if node.frozen:  # unread in its socket
                    node.unread.append((connection, data))
                    continue
                if node.name in connection.blocked:
                    connection.stuck.append((node, data))
                elif node in self.both:
                    node.receive(connection, data)
            for node in self.both:
                self.write(node)
                if not node.frozen:
                    node.perform(node.peer.handle_timer(self.now))
                    if node.work_due() <= self.now:
                        node.work()
            if self.now >= self.next_dial:
                self.dial()
        raise AssertionError(f"no time passes any more at {self.now}")

    # -- what came of it -------------------------------------------------------------

    def truth(self):
        return {
            key: self.feeds[key.split(":")[0]].count(key.split(":")[1], after)
            for key, after in self.began.items()
        }

    def check(self):
        truth = self.truth()
        assert self.a.engine.numbers() == truth
        assert self.b.engine.numbers() == truth

    def messages(self, kind, node=None):
        return [m for name, m in self.sent if isinstance(m, kind) and node in (None, name)]

    def set_options(self, **changes):
        self.options = evolve(self.options, **changes)


def pushed(pair, node=None):
    """The keys of all chunks, chunk by chunk."""
    from statserver_trio.ha.messages import Chunk

    return [[item.key for item in chunk.items] for chunk in pair.messages(Chunk, node)]


__all__ = ["Connection", "Engine", "Fragment", "Node", "Pair", "pushed"]
