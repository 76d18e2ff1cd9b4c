"""The other member of the pair, all of it behind the one contract.

Nothing is decided here. Each event goes to the machines that it concerns, what
one machine says to another is passed on, and the earliest of their deadlines is
ours:

    from the stream:  Connected, Heard, messages, Malformed, Disconnected, Knocked
    from the feeds:   SourceAdded, Restored, Arrived, SourceAt, SnapshotsFollow,
                      SourceDescribed, SourceAway, SourceResumed, Interrupted, PeerAbsent
    from the owner:   Started, WallTime, Opened, Closed, Released, Wanted,
                      ModeChanged, ConfigurationReloaded, OptionsChanged, Stop,
                      and the answers listed in store.py

The actions are those of store.py, besides ``Send`` and ``Disconnect``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from attrs import define, field, frozen

from ..machine import Connected, Disconnect, Disconnected, Send
from .addp import Addp, AddpOptions, AddpOptionsChanged, Heard
from .clock_offset import WallClock, WallTime
from .deletion import Deleted, Deletion, Recreated
from .door import Door, Knocked
from .feed_words import (
    Arrived,
    Interrupted,
    PeerAbsent,
    Restored,
    SnapshotsFollow,
    SourceAdded,
    SourceAt,
    SourceAway,
    SourceDescribed,
    SourceResumed,
)
from .greeting import Identity
from .holds import Holds, Released, Wanted
from .installation import Installation
from .intake import Intake
from .intake_options import IntakeOptions
from .messages import (
    OPEN_NOW,
    Bye,
    Chunk,
    ChunkAck,
    Config,
    ConfigAck,
    Delete,
    DeleteAck,
    Gone,
    Hello,
    Ignored,
    JoinRequest,
    JoinState,
    Journal,
    JournalRequest,
    Message,
    Mode,
    Poll,
    Reject,
    Release,
    ReleaseAck,
    Reply,
    Result,
    Want,
    Welcome,
)
from .replication import Replication
from .replication_words import Closed, ConfigurationChanged, Opened, ReplicationOptions
from .roles import ConfigurationReloaded, ModeChanged, Roles
from .session import Progress, Session, SessionOptions, State
from .store import (
    Abort,
    Admit,
    ChunkBuilt,
    Installed,
    Log,
    OpenKeys,
    PeerMode,
    SessionExpired,
    SessionLost,
    SessionOpened,
    WorldBuilt,
)


@frozen
class PeerOptions:
    """Everything of ``[ha]`` that concerns the machines; seconds."""

    addp: AddpOptions = field(factory=AddpOptions)
    session: SessionOptions = field(factory=SessionOptions)
    replication: ReplicationOptions = field(factory=ReplicationOptions)
    intake: IntakeOptions = field(factory=IntakeOptions)


@frozen
class Started:
    """Event: the first of all; joining begins."""


@frozen
class OptionsChanged:
    """Event: other options are in force, at once."""

    options: PeerOptions


@frozen
class Malformed:
    """Event: the decoder could not make sense of the stream."""

    text: str


@frozen
class Stop:
    """Event: we are about to stop; say goodbye, so that the peer knows it was planned."""

    reason: str = "shutdown"


# To whom an event goes besides the handlers below.
GREETINGS = (Hello, Welcome, Reject, Bye)
ROUTES: dict[type, str] = {
    **dict.fromkeys((Config, ConfigAck, Poll, Reply), "addp"),
    **dict.fromkeys(GREETINGS, "session"),
    **dict.fromkeys((Chunk, Installed), "installation"),
    **dict.fromkeys((ChunkAck, Want, ChunkBuilt, OpenKeys), "replication"),
    **dict.fromkeys((Delete, DeleteAck), "deletion"),
    **dict.fromkeys((JournalRequest, Journal, JoinRequest, JoinState, WorldBuilt), "intake"),
    **dict.fromkeys((SourceAdded, Restored, Arrived, SourceAt, SnapshotsFollow), "intake"),
    **dict.fromkeys(
        (SourceDescribed, SourceAway, SourceResumed, Interrupted, PeerAbsent), "intake"
    ),
    **dict.fromkeys((Release, ReleaseAck, Released, Wanted), "holds"),
    **dict.fromkeys((Mode, ModeChanged, ConfigurationReloaded), "roles"),
    Knocked: "door",
}
# What may be heard although no session is open.
BEFORE_THE_SESSION = (Config, ConfigAck, Poll, Reply, *GREETINGS)


@define
class Peer:
    """The pair as one of its members sees it.

    Args:
        boot_id: Of this start of the process.
        new_id: Makes ids that are never the same twice, not even after a restart.
    """

    identity: Identity
    boot_id: str
    new_id: Callable[[], str]
    options: PeerOptions = field(factory=PeerOptions)
    wall: WallClock = field(factory=WallClock, init=False)
    progress: Progress = field(factory=Progress, init=False)
    addp: Addp = field(init=False)
    session: Session = field(init=False)
    door: Door = field(init=False)
    deletion: Deletion = field(init=False)
    replication: Replication = field(init=False)
    installation: Installation = field(init=False)
    intake: Intake = field(init=False)
    holds: Holds = field(factory=Holds, init=False)
    roles: Roles = field(init=False)
    malformed: int = field(default=0, init=False)
    _parked_for: str = field(default="", init=False)  # the peer's configuration

    def __attrs_post_init__(self) -> None:
        me, options, progress, wall = self.identity, self.options, self.progress, self.wall
        self.addp = Addp(me.dials, options.addp)
        self.session = Session(me, self.boot_id, self.new_id, progress, wall, options.session)
        self.door = Door(self.session, self.addp)
        self.deletion = Deletion(options.session.expiration_timeout)
        parts = progress, wall, self.deletion
        self.replication = Replication(*parts, self.holds, options.replication)
        self.installation = Installation(*parts)
        self.intake = Intake(not me.dials, self.new_id, wall, options.intake)
        self.roles = Roles("backup" if me.dials else "primary")

    # -- the contract ----------------------------------------------------------------

    def handle_event(self, event: object, now: float) -> list[object]:
        """Pass on what happened."""
        self._before()
        match event:
            case Message() if not self._may_be_heard(event):
                text = f"{type(event).__name__} while the session is {self.session.state.value}"
                actions: list[object] = [Disconnect(text)]
            case _ if type(event) in ROUTES:
                actions = self._routed(event, now)
            case _:
                actions = self._told(event, now)
        return self._passed_on(actions, now)

    def handle_timer(self, now: float) -> list[object]:
        """Wake whoever wanted to be woken; ADDP first, since it may end the link."""
        self._before()
        actions: list[object] = []
        for machine in self._clocks():
            if now >= machine.next_deadline():
                actions += machine.handle_timer(now)
        return self._passed_on(actions, now)

    def next_deadline(self) -> float:
        """The earliest of all deadlines."""
        self._before()
        return min(float(machine.next_deadline()) for machine in self._clocks())

    def _clocks(self) -> tuple[Any, ...]:
        return (
            self.addp,
            self.door,
            self.session,
            self.deletion,
            self.intake,
            self.replication,
            self.holds,
        )

    # -- what one machine must know of another ---------------------------------------

    def _before(self) -> None:
        session, intake, roles = self.session, self.intake, self.roles
        self.installation.held = intake.is_joining or intake.hopes
        self.replication.positions = self.installation.positions = intake.positions
        self.replication.held = intake.is_joining or intake.hopes or intake.owes_state
        session.mode, session.fingerprint = roles.mode, roles.fingerprint
        session.joining, session.standings = intake.is_fresh, intake.standings

    def _may_be_heard(self, message: Message) -> bool:
        return self.session.state is State.OPEN or isinstance(message, BEFORE_THE_SESSION)

    def _routed(self, event: object, now: float) -> list[object]:
        machine = getattr(self, ROUTES[type(event)])
        before: list[object] = []
        match event:
            case Installed():
                self._note_results(self.installation.items_of(event), now)
            case Release(_, keys):
                self.holds.early(self.installation.under_way() & set(keys))
            case OpenKeys(keys):
                self.deletion.opened(keys)
            case ChunkAck() if event.seq == self.progress.acknowledged + 1:
                wall = self.wall.at(now)
                times = (event.chunk_wall, event.received_wall, event.wall, wall)
                before = self.session.offset.sample(*times)
                self.intake.peer_at(event.positions, now)
            case Chunk():
                self.intake.peer_at(event.as_of, now)
                self.replication.coming(item.key for item in event.items)
            case DeleteAck(results):
                kept = [key for key, _, outcome in results if outcome is Gone.STILL_OPEN]
                before = self.holds.release(kept)
            case ConfigurationReloaded():
                self.installation.reconfigured()
                before = self.replication.handle_event(ConfigurationChanged(), now)
        actions: list[object] = machine.handle_event(event, now)
        match event:
            case ConfigurationReloaded(_, deleted):
                actions += [*self._deleted(deleted, now), *self._agree()]
            case Delete():
                doomed = [key for key, _ in event.keys if self.deletion.is_doomed(key)]
                actions += [*self.replication.lost(doomed, now), *self._agree()]
        return [*before, *actions]

    def _agree(self) -> list[object]:
        return self.deletion.agree() if self.roles.agree else []

    def _deleted(self, keys: Sequence[str], now: float) -> list[object]:
        self._forget(keys, now)
        self.holds.deleted(keys)
        return self.deletion.handle_event(Deleted(keys), now)

    def _note_results(self, results: Iterable[tuple[Any, Result]], now: float) -> None:
        for item, result in results:
            self.replication.installed(item.key, result)
            if result in OPEN_NOW:
                self.holds.installed(item, now, is_late=result is Result.LATE)

    def _told(self, event: object, now: float) -> list[object]:
        match event:
            case Connected():
                return self._to(event, now, self.door, self.addp, self.session)
            case Disconnected():
                return self._to(event, now, self.door, self.addp, self.session)
            case Heard():
                return self._to(event, now, self.addp, self.door)
            case Opened(keys):
                self.holds.opened(keys)
                self.deletion.handle_event(Recreated(keys), now)
                return self.replication.handle_event(event, now)
            case Closed(keys):
                self._forget(keys, now)
                return self.holds.closed(keys)
            case WallTime(wall):
                self.wall.set(wall, now)
                return []
            case Started():
                self.intake.start(now)
                return []
            case OptionsChanged(options):
                return self._change(options, now)
            case Malformed(text):
                self.malformed += 1
                return [Disconnect(f"protocol-error: {text}")]
            case Ignored(name):
                return [Log("warning", f"the peer sent {name}, which is newer than we are")]
            case Stop(reason):
                is_open = self.session.state is State.OPEN
                return [Send(Bye(reason)), Disconnect(reason)] if is_open else []
        return [Disconnect(f"nobody knows what to do with {type(event).__name__}")]

    def _to(self, event: object, now: float, *machines: Any) -> list[object]:
        return [action for machine in machines for action in machine.handle_event(event, now)]

    def _forget(self, keys: Iterable[str], now: float) -> None:
        keys = tuple(keys)
        self.replication.handle_event(Closed(keys), now)
        self.deletion.closed(keys)

    def _change(self, options: PeerOptions, now: float) -> list[object]:
        self.options = options
        self.session.change(options.session, now)
        self.deletion.patience = options.session.expiration_timeout
        self.replication.change(options.replication)
        self.intake.change(options.intake, now)
        return self.addp.handle_event(AddpOptionsChanged(options.addp), now)

    def _passed_on(self, actions: list[object], now: float) -> list[object]:
        """What the session says concerns everybody; the owner hears of it first."""
        result = self._spread(actions, now)
        self.installation.held = self.intake.is_joining or self.intake.hopes
        return [*result, *self.installation.go_on()]

    def _spread(self, actions: list[object], now: float) -> list[object]:
        result: list[object] = []
        for action in actions:
            result.append(action)
            match action:
                case SessionOpened(session, restored):
                    result += self._opened(session, restored, now)
                case SessionLost():
                    result += self._lost(now)
                case SessionExpired():
                    self.replication.forget()
                    self.holds.forget()
                case Send(DeleteAck(results)):
                    kept = [key for key, _, outcome in results if outcome is Gone.STILL_OPEN]
                    self.replication.offer(kept, now)
                case PeerMode(_, fingerprint):
                    result += self._spread(self._agree(), now)
                    result += self._configured(fingerprint, now)
                case Abort(reason) | Disconnect(reason) | Admit(_, reason):
                    self.session.why = self.session.why or reason
        return result

    def _configured(self, fingerprint: str, now: float) -> list[object]:
        """The peer's configuration; if it is another one, what was parked may be possible."""
        if fingerprint == self._parked_for:
            return []
        self._parked_for = fingerprint
        return self.replication.handle_event(ConfigurationChanged(), now)

    def _opened(self, session: str, restored: bool, now: float) -> list[object]:
        peer = self.session.peer
        assert peer is not None
        begin = self.replication.resume if restored else self.replication.start
        return [
            *self.roles.linked(peer.mode, peer.fingerprint, self.session.greeted),
            *self.deletion.linked(now),
            *self.intake.open(dict(peer.standings), peer.joining, now),
            *self.installation.open(session, restored),
            *self.holds.linked(not restored, now),
            *begin(session, now),
            *self._configured(peer.fingerprint, now),
        ]

    def _lost(self, now: float) -> list[object]:
        self.replication.pause()
        self.installation.pause()
        self.deletion.unlinked()
        self.holds.unlinked(now)
        self.roles.unlinked()
        return self.intake.close(now)
