"""Is anybody there? Keepalive of the feed session, in the manner of ADDP.

Whoever sends bytes lives, whatever they say, so a busy feed is never asked.
After ``timeout`` seconds of silence we ask; if another ``timeout`` passes in
silence, the feed is lost (design/protocols.md section 1).

A process that was itself asleep (a stopped virtual machine, a blocked loop)
must not take its own sleep for the feed's silence: what the feed said meanwhile
is still unread in the socket. A timer that comes much too late therefore asks
again instead of giving up. That is the stall guard, and our decision.
"""

from __future__ import annotations

import enum
from math import inf

from attrs import define, field

from ..machine import Disconnect, Send
from .codec import PollReply, PollRequest

STALL_SHARE = 0.5  # of the timeout: a timer later than this proves that we were asleep


class State(enum.Enum):
    """What we believe about the other side."""

    ALIVE = "alive"  # heard less than one timeout ago
    ASKED = "asked"  # silent; our poll is on its way
    LOST = "lost"  # silent for too long; for good


@define
class Keepalive:
    """The watch over one connection.

    Args:
        timeout: Seconds of silence before we ask, and again before we give up;
            0 switches the watch off, and polls are still answered.
        now: When the connection came up.
    """

    timeout: float
    now: float
    state: State = field(default=State.ALIVE, init=False)
    polls_sent: int = field(default=0, init=False)
    polls_received: int = field(default=0, init=False)
    _alarm: float = field(default=inf, init=False)

    def __attrs_post_init__(self) -> None:
        assert self.timeout >= 0
        self._wind(self.now)

    def handle_event(self, event: object, now: float) -> list[object]:
        """Note that ``event`` was heard: a piece of bytes or a message, it is all life."""
        if self.state is State.LOST:
            return []
        self.state = State.ALIVE
        self._wind(now)
        if not isinstance(event, PollRequest):
            return []
        self.polls_received += 1
        return [Send(PollReply(n=event.n))]

    def handle_timer(self, now: float) -> list[object]:
        """Ask after one timeout of silence, give up after the second."""
        if now < self._alarm:
            return []
        stalled = now - self._alarm > self.timeout * STALL_SHARE
        if self.state is State.ALIVE or stalled:
            self.state = State.ASKED
            self._wind(now)
            self.polls_sent += 1
            return [Send(PollRequest(n=self.polls_sent))]
        self.state, self._alarm = State.LOST, inf
        return [Disconnect(f"no sound for {2 * self.timeout:g} s, and no answer to a poll")]

    def next_deadline(self) -> float:
        """When to call :meth:`handle_timer` next; ``inf`` if never."""
        return self._alarm

    def _wind(self, now: float) -> None:
        self._alarm = now + self.timeout if self.timeout else inf
