"""The session: what lets two members survive a lost connection.

A session outlives the connections it is made of. While it lives each side
remembers what the other already has, so that after a reconnect only the news are
replicated; once it is gone, everything is.

The configured backup knocks with ``Hello`` and what it remembers. The configured
primary answers ``Welcome``, and alone decides whether that session is restored
or a new one begins, so the two can never disagree:

    CLOSED ----Connected----> OPENING --greeting accepted--> OPEN
      ^                       |     ^                          |
      |              Disconnected   +-----Connected---------+  | Disconnected
      |   (nothing to restore)|                             |  v
      +-----------------------+----<---expired---------- SUSPENDED

Restored means that neither process was restarted (the boot ids), that the
session was not away for too long, and that the numbers of the last chunks make
sense together. Each side measures "too long" on its own monotonic clock from its
own loss of the link; wall clocks have no say.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from math import floor, inf
from typing import Any

from attrs import define, field, frozen

from ..machine import Connected, Disconnect, Disconnected, Send
from .clock_offset import ClockOffset, WallClock
from .greeting import Identity, RefusalLog, check
from .messages import (
    PROTOCOL_MAJOR,
    PROTOCOL_MINOR,
    Bye,
    Greeting,
    Hello,
    Memory,
    Reject,
    Standing,
    Welcome,
)
from .store import Greeted, Log, SessionExpired, SessionLost, SessionOpened

GREETING_TIMEOUT = 5.0  # seconds for the whole greeting; then we hang up (scenario 34)


@frozen
class SessionOptions:
    """Seconds.

    Attributes:
        expiration_timeout: How long after the loss of the link a session can be restored.
        expiration_period: How often we look for one that cannot.
    """

    expiration_timeout: float = 600.0
    expiration_period: float = 60.0


class State(enum.Enum):
    """Where the session stands."""

    CLOSED = "closed"  # no link, and nothing to restore
    OPENING = "opening"  # the greeting is under way
    OPEN = "open"  # greeted; replication runs
    SUSPENDED = "suspended"  # no link, still restorable


# Anything that is not listed comes from a peer that breaks the rules.
EXPECTED: dict[State, tuple[type, ...]] = {
    State.CLOSED: (Connected, Disconnected),
    State.OPENING: (Hello, Welcome, Reject, Bye, Disconnected),
    State.OPEN: (Bye, Disconnected),
    State.SUSPENDED: (Connected, Disconnected),
}


@define
class Progress:
    """Numbers of chunks that the session remembers; replication moves them on.

    Attributes:
        received: Of the last chunk that was installed here.
        acknowledged: Of our last chunk that the peer acknowledged.
        peer_received: Of our last chunk that the peer has installed, as it said
            in its latest greeting.
    """

    received: int = 0
    acknowledged: int = 0
    peer_received: int = 0


@define
class Session:
    """One side's view.

    Args:
        boot_id: Of this start of the process.
        new_id: Makes ids that are never the same twice, not even after a restart.

    Attributes:
        mode, fingerprint, joining, standings: What the greeting says of us.
        clients: Likewise: the ws:// or wss:// URL at which clients connect to us, which
            the owner sets; whom the peer's clients are told about is ``peer.clients``.
            Empty: there is none to tell.
        management: The same for operators: http:// or https://.
        greeted: The mode and the fingerprint that our last greeting told.
        peer: The peer's greeting; None until there was one.
        minor: The minor version both understand.
        why: The reason for the next loss of the link, if somebody knows it.
    """

    identity: Identity
    boot_id: str
    new_id: Callable[[], str]
    progress: Progress
    wall: WallClock
    options: SessionOptions = field(factory=SessionOptions)
    mode: str = "primary"
    fingerprint: str = ""
    joining: bool = False
    standings: dict[str, Standing] = field(factory=dict)
    clients: str = ""
    management: str = ""
    greeted: tuple[str, str] = ("", "")
    state: State = field(default=State.CLOSED, init=False)
    id: str | None = field(default=None, init=False)
    peer: Hello | Welcome | None = field(default=None, init=False)
    minor: int = field(default=PROTOCOL_MINOR, init=False)
    offset: ClockOffset = field(factory=ClockOffset, init=False)
    refusals: RefusalLog = field(factory=RefusalLog, init=False)
    refused: int = field(default=0, init=False)
    restored: int = field(default=0, init=False)
    new: int = field(default=0, init=False)
    lost: int = field(default=0, init=False)
    expired: bool = field(default=False, init=False)  # the latest one was given up
    why: str = field(default="", init=False)
    _peer_boot_id: str = field(default="", init=False)
    _lost_at: float = field(default=inf, init=False)
    _deadline: float = field(default=inf, init=False)
    _hello_wall: float = field(default=0.0, init=False)
    _planned: bool = field(default=False, init=False)

    def handle_event(self, event: object, now: float) -> list[object]:
        """Move on in the greeting, or into suspension."""
        if type(event) not in EXPECTED[self.state]:
            return [Disconnect(f"{type(event).__name__} while {self.state.value}")]
        match event:
            case Connected():
                return self._knock(now)
            case Disconnected():
                return self._disconnected(now)
            case Hello() if not self.identity.dials:
                return self._let_in(event, now)
            case Welcome() if self.identity.dials:
                return self._come_in(event, now)
            case Reject():
                note = self.refusals.note("refused by the peer", event, now)
                return [*note, Disconnect(f"the peer refused us: {event.code}")]
            case Bye(reason):
                self._planned, self.why = True, reason
                return [Disconnect(f"the peer said goodbye: {reason}")]
        return [Disconnect(f"{type(event).__name__} from the wrong side")]

    def handle_timer(self, now: float) -> list[object]:
        """Hang up on a greeting that takes too long, let go of a session that is gone."""
        if now < self._deadline:
            return []
        if self.state is State.OPENING:
            self._deadline = inf
            return [Disconnect(f"no greeting within {GREETING_TIMEOUT:g} s")]
        self._deadline = self._next_sweep(now)
        if not self._is_expired(now):
            return []
        return self._expire()

    def next_deadline(self) -> float:
        """When the greeting takes too long, or when we look for an expired session."""
        return self._deadline

    def change(self, options: SessionOptions, now: float) -> None:
        """New options, in effect at once."""
        self.options = options
        if self.state is State.SUSPENDED:
            self._deadline = self._next_sweep(now)

    # -- the greeting ----------------------------------------------------------------

    def _knock(self, now: float) -> list[object]:
        """A link is there. No sweep until the greeting is over (scenario 8)."""
        self.state, self._deadline = State.OPENING, now + GREETING_TIMEOUT
        self._planned, self.why = False, ""
        if not self.identity.dials:
            return []
        memory = None
        if self.id is not None and not self._is_expired(now):
            progress = self.progress
            memory = Memory(self.id, self._peer_boot_id, progress.received, progress.acknowledged)
        self._hello_wall = self.wall.at(now)
        return [Send(Hello(**self._greeting(now), memory=memory))]

    def _greeting(self, now: float) -> dict[str, Any]:
        """What both sides say of themselves: the fields of a greeting."""
        me, self.greeted = self.identity, (self.mode, self.fingerprint)
        return {
            "major": PROTOCOL_MAJOR,
            "minor": PROTOCOL_MINOR,
            "product": me.product,
            "application": me.application,
            "other": me.peer,
            "redundancy": me.redundancy,
            "boot_id": self.boot_id,
            "fingerprint": self.fingerprint,
            "wall": self.wall.at(now),
            "mode": self.mode,
            "joining": self.joining,
            "standings": dict(self.standings),
            "clients": self.clients,
            "management": self.management,
        }

    def _let_in(self, hello: Hello, now: float) -> list[object]:
        """The accepting side: refuse, restore, or begin anew."""
        refused = self._refuse(hello, now)
        if refused:
            return refused
        memory = hello.memory
        restored = memory is not None and self._can_restore(memory, hello.boot_id, now)
        if restored:
            assert memory is not None
            self.progress.peer_received = memory.received
        else:
            self._begin(self.new_id())
        assert self.id is not None
        welcome = Welcome(
            **self._greeting(now),
            session=self.id,
            restored=restored,
            received=self.progress.received,
            hello_wall=hello.wall,
        )
        return [Send(welcome), *self._open(hello, restored)]

    def _can_restore(self, memory: Memory, peer_boot_id: str, now: float) -> bool:
        """Neither restarted, not expired, and what each acknowledged the other received."""
        progress = self.progress
        return (
            memory.id == self.id
            and not self._is_expired(now)
            and peer_boot_id == self._peer_boot_id
            and memory.peer_boot_id == self.boot_id
            and memory.acknowledged <= progress.received <= memory.acknowledged + 1
            and progress.acknowledged <= memory.received <= progress.acknowledged + 1
        )

    def _come_in(self, welcome: Welcome, now: float) -> list[object]:
        """The dialling side: do as the other one decided."""
        refused = self._refuse(welcome, now)
        if refused:
            return refused
        if welcome.restored:
            acknowledged = self.progress.acknowledged
            if (
                welcome.session != self.id
                or welcome.boot_id != self._peer_boot_id
                or not acknowledged <= welcome.received <= acknowledged + 1
            ):
                self.id = None  # so that the next greeting cannot go wrong in the same way
                return [Disconnect("protocol-error: the peer restored what we do not remember")]
            self.progress.peer_received = welcome.received
        else:
            self._begin(welcome.session)
        told = self.offset.sample(self._hello_wall, welcome.wall, welcome.wall, self.wall.at(now))
        return [*told, *self._open(welcome, welcome.restored)]

    def _refuse(self, greeting: Greeting, now: float) -> list[object]:
        reject = check(self.identity, self.boot_id, greeting)
        if reject is None:
            return []
        self.refused += 1
        note = self.refusals.note("refused by us", reject, now)
        return [*note, Send(reject), Disconnect(f"refused: {reject.code}")]

    def _begin(self, session_id: str) -> None:
        self.id = session_id
        progress = self.progress
        progress.received = progress.acknowledged = progress.peer_received = 0

    def _open(self, peer: Hello | Welcome, restored: bool) -> list[object]:
        assert self.id is not None
        self.state, self._lost_at, self._deadline = State.OPEN, inf, inf
        self.expired = False
        self.peer, self._peer_boot_id = peer, peer.boot_id
        self.minor = min(PROTOCOL_MINOR, peer.minor)
        self.restored += restored
        self.new += not restored
        differs: list[object] = []
        if peer.fingerprint != self.fingerprint:
            differs = [Log("warning", "the configurations of the pair differ")]
        return [*differs, Greeted(), SessionOpened(self.id, restored, peer.application)]

    # -- the loss --------------------------------------------------------------------

    def _disconnected(self, now: float) -> list[object]:
        was = self.state
        self.offset.forget()
        if was in (State.CLOSED, State.SUSPENDED):
            return []
        if self.id is None:
            self.state, self._deadline = State.CLOSED, inf
            return []
        self.state = State.SUSPENDED
        # A greeting that was cut short does not buy the session any time.
        self._lost_at = min(self._lost_at, now)
        self._deadline = self._next_sweep(now)
        if was is not State.OPEN:
            return []
        self.lost += 1
        return [SessionLost(self.why or "the stream was closed", self._planned)]

    def _is_expired(self, now: float) -> bool:
        return now - self._lost_at >= self.options.expiration_timeout

    def _next_sweep(self, now: float) -> float:
        """The next whole multiple of the period since the loss."""
        period = self.options.expiration_period
        due = self._lost_at + (floor((now - self._lost_at) / period) + 1) * period
        return due if due > now else due + period  # the division may have rounded

    def _expire(self) -> list[object]:
        self.state, self.id = State.CLOSED, None
        self._lost_at = self._deadline = inf
        self.expired = True
        return [SessionExpired()]
