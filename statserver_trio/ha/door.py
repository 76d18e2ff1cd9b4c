"""The door: what happens when somebody knocks while we already have company.

The accepting side lets a new connection say its ``Hello`` before anything is
done to the present one, because the newcomer may be anybody:

    a stranger                       -> refused; the pair does not notice
    nobody is here                   -> admitted
    the same process as the one here -> admitted: the old link is half-open
    another process of that name     -> the one here is asked whether it lives;
                                        a sound within 2 s: refused as a duplicate,
                                        none: admitted

At most one newcomer a second is admitted, and one at a time is looked at; the
others are refused and may try again (hot-standby.md 4.2, scenario 30).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from attrs import define, field, frozen

from ..machine import Connected, Disconnected
from .addp import Addp, Heard
from .greeting import Refusal
from .greeting import check as check_greeting
from .messages import Hello, Message, Reject
from .session import Session, State
from .store import Admit, Refuse

PROBE_TIMEOUT = 2.0  # seconds for the present peer to make a sound
ADMISSION_INTERVAL = 1.0  # seconds between two admissions while there is a link
SUPERSEDED = "superseded"


@frozen
class Knocked:
    """Event: an accepted connection has said its Hello.

    Attributes:
        connection: Whatever the owner knows it by.
        messages: All that it said, the Hello last. More than a handful before the
            Hello, or none within 5 s: the owner closes it without asking.
    """

    connection: object
    messages: Sequence[Message]


@define
class Door:
    """Decides about newcomers; needs to know who is inside."""

    session: Session
    addp: Addp
    refused: int = field(default=0, init=False)
    _linked: bool = field(default=False, init=False)
    _waiting: object | None = field(default=None, init=False)
    _until: float = field(default=inf, init=False)
    _admitted_at: float = field(default=-inf, init=False)

    def handle_event(self, event: object, now: float) -> list[object]:
        """A knock, or something about the present link."""
        match event:
            case Connected():
                self._linked = True
            case Disconnected():
                self._linked = False
                return self._admit_waiting(now)
            case Heard() if self._waiting is not None:
                return self._refuse_waiting(now)
            case Knocked():
                return self._knocked(event, now)
        return []

    def handle_timer(self, now: float) -> list[object]:
        """The one inside has not answered."""
        return self._admit_waiting(now) if now >= self._until else []

    def next_deadline(self) -> float:
        """Until when the one inside may prove that it lives."""
        return self._until

    def _knocked(self, event: Knocked, now: float) -> list[object]:
        hello = event.messages[-1] if event.messages else None
        if not isinstance(hello, Hello) or self.session.identity.dials:
            return self._refuse(event.connection, Reject(Refusal.NOT_MY_PEER.value), now)
        stranger = check_greeting(self.session.identity, self.session.boot_id, hello)
        if stranger is not None:
            return self._refuse(event.connection, stranger, now)
        if not self._linked:
            self._admitted_at = now
            return [Admit(event.connection)]
        if now - self._admitted_at < ADMISSION_INTERVAL or self._waiting is not None:
            return self._refuse(event.connection, Reject(Refusal.BUSY.value, "try again"), now)
        here = self.session.peer
        if self.session.state is not State.OPEN or here is None or here.boot_id == hello.boot_id:
            self._admitted_at = now
            return [Admit(event.connection, SUPERSEDED)]
        self._waiting, self._until = event.connection, now + PROBE_TIMEOUT
        return self.addp.ask(now)

    def _admit_waiting(self, now: float) -> list[object]:
        if self._waiting is None:
            return []
        connection, self._waiting, self._until = self._waiting, None, inf
        self._admitted_at = now
        return [Admit(connection, SUPERSEDED if self._linked else "")]

    def _refuse_waiting(self, now: float) -> list[object]:
        connection, self._waiting, self._until = self._waiting, None, inf
        text = "another process of that name is connected, and it answers"
        return self._refuse(connection, Reject(Refusal.DUPLICATE.value, text), now)

    def _refuse(self, connection: object, reject: Reject, now: float) -> list[object]:
        self.refused += 1
        note = self.session.refusals.note("refused by us", reject, now)
        return [*note, Refuse(connection, reject)]
