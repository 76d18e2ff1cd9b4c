"""The feed session: register, resume where we were, and pass on what is new.

    Connected            -> RegisterClient(after=the last position applied)
    missing events       -> delivered, if the feed still has them
    EventServerConnected -> Began, Resumed or Lost; then RegisterAll (or one
                            RegisterAddress per DN), and snapshots come in

The session outlives its connections: what it remembers is how far the stream
was applied and which DNs have been told about since the stream last broke.

After ``Resumed`` our picture is exact, so what the feed repeats for newcomers
(EventServerConnected, the link's state, snapshots of DNs that we know) is kept
from the model: a snapshot would only lose user data and true start times. After
``Began`` and ``Lost`` all of it is delivered. With a list of DNs, snapshots always
are, because no position can tell what happened before a DN was registered again.
Where positions jump, snapshots are asked for anew. Nothing on the wire says which one
is the last; but a feed answers in order, so a poll sent behind such a request is
answered behind the snapshots. All this is our decision, as
is everything here that design/protocols.md section 1 leaves open.
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Callable, Sequence
from math import inf

from attrs import define, field

from ..machine import Connected, Disconnect, Disconnected, Send
from .codec import (
    BadLine,
    Message,
    PollReply,
    PollRequest,
    QueryAddress,
    RegisterAddress,
    RegisterAll,
    RegisterClient,
)
from .events import (
    EventAddressInfo,
    EventDNOutOfService,
    EventError,
    EventLinkConnected,
    EventLinkDisconnected,
    EventRegistered,
    EventServerConnected,
    EventUnregistered,
    TEvent,
    Unhandled,
)
from .keepalive import Keepalive
from .registration_words import (
    Began,
    Deliver,
    Described,
    Expired,
    Gap,
    Lost,
    Memory,
    Received,
    Resumed,
    Skipped,
    SnapshotsFollow,
)

ANSWER_TIMEOUT = 5.0  # seconds without progress of the registration; then we hang up
SKIPPED_KINDS_MAX = 100  # kinds of bad line told apart; further ones are counted as OTHER
OTHER = "of yet another kind"
MARK = 0  # the number of a poll that is sent behind RegisterAll; keepalive's begin at 1
REFRESH_INTERVAL = 10.0  # seconds between two requests for all snapshots because of gaps


class State(enum.Enum):
    """How far the session is with the present connection."""

    AWAY = "away"  # no connection, or one we have given up
    REGISTERING = "registering"  # waiting for EventServerConnected
    MONITORING = "monitoring"


@define
class FeedSession:
    """Our side of the session with one T-Server.

    Args:
        application: Our name, for the feed's log.
        switch: The switch we expect there; a feed with another one is refused.
            An empty name accepts any.
        after: The last position applied, None at first.
        dns: Register these DNs only; None registers all. With a list, positions
            have holes by nature, and only a resume can show that events are missing.
        keepalive: Seconds for :class:`.keepalive.Keepalive`.
        marks: Find out where the snapshots end, and say :class:`Described`; and, where they
            are asked for anew, :class:`SnapshotsFollow` before.

    Attributes:
        duplicates: Events dropped because their position had been applied.
        gaps: How often positions jumped.
        unhandled: Events whose name we do not know.
        skipped: Bad lines by kind.
    """

    application: str
    switch: str = ""
    after: int | None = None
    dns: Sequence[str] | None = None
    keepalive: float = 0.0
    marks: bool = False
    state: State = field(default=State.AWAY, init=False)
    duplicates: int = field(default=0, init=False)
    gaps: int = field(default=0, init=False)
    unhandled: int = field(default=0, init=False)
    skipped: Counter[str] = field(factory=Counter, init=False)
    watch: Keepalive = field(init=False)
    _wanted: frozenset[str] | None = field(init=False)
    _known: set[str] = field(factory=set, init=False)  # DNs with a picture that is exact
    _link_up: bool | None = field(default=None, init=False)
    _resuming: bool = field(default=False, init=False)  # we asked for what we missed
    _hole: bool = field(default=False, init=False)  # since we registered: events are missing
    _answer_by: float = field(default=inf, init=False)
    _refresh_at: float = field(default=inf, init=False)
    _refreshed_at: float = field(default=-inf, init=False)
    _now: float = field(default=0.0, init=False)
    _described: bool = field(default=True, init=False)  # as we have told it
    _marks_out: int = field(default=0, init=False)  # sent, and not answered
    _queried: dict[int, EventRegistered] = field(factory=dict, init=False)
    _references: int = field(default=0, init=False)
    _batch: list[TEvent | Unhandled] = field(factory=list, init=False)
    _actions: list[object] = field(factory=list, init=False)
    _rules: dict[type, Callable[[TEvent], None]] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.watch = Keepalive(0, 0)
        self._wanted = None if self.dns is None else frozenset(self.dns)
        self._rules = {
            EventServerConnected: self._server_connected,
            EventLinkConnected: self._link,
            EventLinkDisconnected: self._link,
            EventRegistered: self._registered,
            EventAddressInfo: self._address_info,
            EventUnregistered: self._unknown_again,
            EventDNOutOfService: self._unknown_again,
            EventError: self._error,
        }

    # -- the contract -------------------------------------------------------------------

    def handle_event(self, event: object, now: float) -> list[object]:
        """Take Connected, Received, Disconnected or Expired."""
        match event:
            case Connected():
                return self._connected(now)
            case Received(messages):
                return self._received(messages, now)
            case Disconnected():
                self._go_away()
                return []
            case Expired():
                self._forget(None)
                return []
        raise AssertionError(f"not an event of a feed session: {event!r}")

    def handle_timer(self, now: float) -> list[object]:
        """Ask whether the feed is there; hang up if it is not, or does not answer."""
        if now >= self._answer_by:
            return [self._hang_up(f"no EventServerConnected within {ANSWER_TIMEOUT:g} s")]
        actions = self.watch.handle_timer(now)
        if any(isinstance(action, Disconnect) for action in actions):
            self._go_away()
        elif now >= self._refresh_at:
            self._refresh_at, self._refreshed_at = inf, now
            actions += self._ask_for_all()
        return actions

    def next_deadline(self) -> float:
        """When to call :meth:`handle_timer` next; ``inf`` if never."""
        return min(self._answer_by, self._refresh_at, self.watch.next_deadline())

    # -- over a restart -----------------------------------------------------------------

    def memory(self) -> Memory:
        """What to :meth:`remember` after a restart of ours."""
        return Memory(self.after, tuple(sorted(self._known)), self._link_up)

    def remember(self, memory: Memory) -> None:
        """Go on like a session that was away for a moment; before the first connection."""
        assert self.state is State.AWAY
        self.after, self._link_up = memory.after, memory.link_up
        self._known = set(memory.known)

    # -- what happened ------------------------------------------------------------------

    def _connected(self, now: float) -> list[object]:
        assert self.state is State.AWAY
        self.state, self._hole = State.REGISTERING, False
        self._resuming = self.after is not None
        self._answer_by = now + ANSWER_TIMEOUT
        self.watch = Keepalive(self.keepalive, now)
        self._described, self._marks_out = True, 0
        self._queried.clear()
        return [Send(RegisterClient(ApplicationName=self.application, after=self.after))]

    def _received(self, messages: Sequence[Message], now: float) -> list[object]:
        if self._given_up():
            return []  # the rest of a connection that we have given up
        self._now = now
        self._actions = self.watch.handle_event(messages, now)
        before = self.after
        for message in messages:
            if isinstance(message, TEvent):
                self._event(message)
            else:
                self._other(message, now)
            if self._given_up():
                break
        self._flush()
        if not self._described and not self._is_asking():
            self._described = True
            self._actions.append(Described())
        if self.state is State.REGISTERING and self.after != before:
            self._answer_by = now + ANSWER_TIMEOUT  # a long resume is progress
        actions, self._actions = self._actions, []
        return actions

    def _event(self, event: TEvent) -> None:
        rule = self._rules.get(type(event))
        position = event.position
        if position is not None and type(event) is not EventServerConnected:
            if not self._advance(position):
                return
            if self._wanted is not None and event.this_dn and event.this_dn not in self._wanted:
                return  # resumed for everybody, and not ours
        if rule is None:
            self._batch.append(event)
        else:
            rule(event)

    def _other(self, message: Message, now: float) -> None:
        match message:
            case Unhandled(position=position):
                self.unhandled += 1
                if position is not None and self._advance(position):
                    self._batch.append(message)
            case PollRequest():
                self._actions += self.watch.handle_event(message, now)
            case PollReply(n=n):  # any sound is enough for the keepalive
                self._marks_out -= n == MARK and self._marks_out > 0
            case BadLine(kind, text):
                self._skip(kind, text)
            case _:
                self._skip("a request, and we are no feed", repr(message))

    def _advance(self, position: int) -> bool:
        """Note the position; False if it has been applied already."""
        after = self.after
        if after is not None:
            if position <= after:
                self.duplicates += 1
                return False
            registering = self.state is State.REGISTERING
            if position != after + 1 and (registering or self._wanted is None):
                self._gap(after, position)
        self.after = position
        return True

    def _gap(self, after: int, first: int) -> None:
        self.gaps += 1
        self._hole = True
        self._known.clear()  # no picture is sure to be exact any more
        if self.state is State.MONITORING:
            self._refresh_at = max(self._now, self._refreshed_at + REFRESH_INTERVAL)
        self._flush()
        self._actions.append(Gap(after, first))
        if self.marks and self._described and self.state is State.MONITORING:
            self._described = False
            self._actions.append(SnapshotsFollow())

    def _skip(self, kind: str, text: str) -> None:
        if kind not in self.skipped and len(self.skipped) >= SKIPPED_KINDS_MAX:
            kind = OTHER
        self.skipped[kind] += 1
        if self.skipped[kind] == 1:
            self._actions.append(Skipped(kind, text))

    def _flush(self) -> None:
        if self._batch:
            self._actions.append(Deliver(self._batch))
            self._batch = []

    def _hang_up(self, reason: str) -> Disconnect:
        self._go_away()
        return Disconnect(reason)

    def _go_away(self) -> None:
        self.state = State.AWAY
        self._answer_by = self._refresh_at = inf
        self.watch = Keepalive(0, 0)

    def _given_up(self) -> bool:
        return self.state is State.AWAY

    def _forget(self, after: int | None) -> None:
        """From here on there is no past."""
        self.after, self._link_up = after, None
        self._known.clear()

    # -- events with a rule of their own ------------------------------------------------

    def _server_connected(self, event: TEvent) -> None:
        assert isinstance(event, EventServerConnected)
        if self.state is not State.REGISTERING:
            self._batch.append(event)  # said again; the model decides what it means
            return
        if self.switch and event.switch and event.switch != self.switch:
            reason = f"this feed is of switch {event.switch}, not {self.switch}"
            self._flush()
            self._actions.append(self._hang_up(reason))
            return
        self._flush()
        self._actions.append(self._outcome(event))
        self.state, self._answer_by = State.MONITORING, inf
        self._described = not self.marks
        self._actions += self._ask_for_all()

    def _ask_for_all(self) -> list[object]:
        """Register, as often as we like: snapshots are the answer."""
        requests: list[object] = [RegisterAll()]
        if self.dns is not None:
            requests = [RegisterAddress(ThisDN=dn, ReferenceID=self._refer()) for dn in self.dns]
        if self.marks:
            self._marks_out += 1
            requests.append(PollRequest(n=MARK))
        return [Send(request) for request in requests]

    def _is_asking(self) -> bool:
        """Whether there are snapshots to come, or to be asked for."""
        return self._marks_out > 0 or bool(self._queried) or self._refresh_at < inf

    def _outcome(self, event: EventServerConnected) -> object:
        """What the position of the stream says about what we have."""
        after = self.after if self._resuming else None
        position = event.position
        if after is not None and position == after and not self._hole:
            return Resumed(position)
        if after is not None and position is not None and position > after:
            self._gap(after, position + 1)
        self._forget(position)
        self._batch.append(event)
        return Began(position) if after is None else Lost(position)

    def _link(self, event: TEvent) -> None:
        up = isinstance(event, EventLinkConnected)
        if event.position is not None or up is not self._link_up:
            self._link_up = up
            self._batch.append(event)
        if not up:
            self._known.clear()  # what the switch does now, only snapshots will tell

    def _registered(self, event: TEvent) -> None:
        assert isinstance(event, EventRegistered)
        if event.extensions is not None:
            self._snapshot(event)
        elif self._wanted is not None or event.this_dn not in self._known:
            reference = self._refer()
            self._queried[reference] = event
            query = QueryAddress(ThisDN=event.this_dn, ReferenceID=reference)
            self._actions.append(Send(query))

    def _address_info(self, event: TEvent) -> None:
        assert isinstance(event, EventAddressInfo)
        self._queried.pop(event.reference_id or 0, None)
        self._snapshot(event)

    def _snapshot(self, event: TEvent) -> None:
        listed = self._wanted is not None
        if listed or event.this_dn not in self._known or event.position is not None:
            self._known.add(event.this_dn)
            self._batch.append(event)

    def _unknown_again(self, event: TEvent) -> None:
        self._known.discard(event.this_dn)
        self._batch.append(event)

    def _error(self, event: TEvent) -> None:
        """A query that failed leaves the bare registration; others are for the model."""
        assert isinstance(event, EventError)
        bare = self._queried.pop(event.reference_id or 0, None)
        self._batch.append(event if bare is None else bare)

    def _refer(self) -> int:
        self._references += 1
        return self._references
