"""Doubts: what AMI says before it is clear what it means.

Three AMI events cannot be told at once:

* **QueueCallerAbandon** (trap 1). Asterisk raises it for whoever leaves without
  a member: the caller who hung up, but also timeout, empty queue, withdrawal.
  Decided by what follows on his channel. Hangup: abandoned. Any sign that the
  channel goes on (the dialplan runs, another queue, a QUEUESTATUS, a bridge):
  diverted. A hang-up request from the far end (HangupRequest) that came *before*
  leaves no doubt at all.
* **QueueCallerLeave** alone. Asterisk raises it when a member takes the call
  (AgentConnect follows), and for the exit key, which raises nothing else.
* **The hang-up of a ringing member's channel.** Somebody else answered, or the
  member refused (AgentRingNoAnswer follows, and it counts as no answer).

A doubt ends at the latest after :data:`SECONDS_MAX` of the stream's time or
:data:`MESSAGES_MAX` messages: a hang-up comes within milliseconds, so whoever
has not hung up by then has gone on. At the end of the stream an abandon that is
still open is taken at its word. Whatever is decided happened when the doubt
arose, so it is told with that time, although younger events were told already.
"""

from __future__ import annotations

import enum

from attrs import define

from .queue_calls import QueueCalls

SECONDS_MAX = 2.0
MESSAGES_MAX = 5000


class About(enum.Enum):
    """What a doubt is about."""

    ABANDON = "the caller left, perhaps hung up"
    LEAVE = "the caller left, perhaps for a member"
    RING = "a member stopped ringing, perhaps refused"


@define
class Doubt:
    """Something that was said and is not decided."""

    about: About
    at: float
    heard: int  # the number of the message that said it


class Doubts:
    """All doubts of one stream. Each method is told what was heard at that moment."""

    def __init__(self, calls: QueueCalls) -> None:
        self._calls = calls
        self._callers: dict[str, Doubt] = {}  # by the caller's channel
        self._rings: dict[tuple[str, str], Doubt] = {}  # by the caller's channel and the member
        self._heard = 0

    def forget(self) -> None:
        """The link is gone; call :meth:`finish` first."""
        self._callers.clear()
        self._rings.clear()

    def hear(self, now: float) -> None:
        """One more message, at ``now``: whatever waited too long is decided."""
        self._heard += 1
        if not self._callers and not self._rings:
            return
        for key in [k for k, d in self._callers.items() if self._is_overdue(d, now, k)]:
            self.went_on(key)
        for ring in [k for k, d in self._rings.items() if self._is_overdue(d, now)]:
            self._ring_cancelled(ring)

    def finish(self) -> None:
        """Nothing more will come: decide everything."""
        for key, doubt in list(self._callers.items()):
            if doubt.about is About.ABANDON:
                self.hung_up(key, doubt.at)
            else:
                self.went_on(key)
        for ring in list(self._rings):
            self._ring_cancelled(ring)

    # -- what raises a doubt -----------------------------------------------------------

    def abandon_told(self, key: str, at: float) -> None:
        """QueueCallerAbandon."""
        caller = self._calls.caller(key)
        if caller is None or not caller.is_waiting:
            return
        self._settle_rings(key)
        if caller.is_hanging_up:
            self._callers.pop(key, None)
            self._calls.abandoned(key, at)
        else:
            self._callers[key] = Doubt(About.ABANDON, at, self._heard)

    def leave_told(self, key: str, at: float) -> None:
        """QueueCallerLeave."""
        caller = self._calls.caller(key)
        if caller is not None and caller.is_waiting and key not in self._callers:
            self._callers[key] = Doubt(About.LEAVE, at, self._heard)

    def ring_ended(self, key: str, dn: str, at: float) -> None:
        """The channel of a ringing member is gone."""
        self._rings.setdefault((key, dn), Doubt(About.RING, at, self._heard))

    # -- what ends a doubt -------------------------------------------------------------

    def hang_up_requested(self, key: str) -> None:
        """Somebody wants the caller's channel to end; he is about to leave."""
        caller = self._calls.caller(key)
        if caller is not None and key not in self._callers:
            caller.is_hanging_up = True

    def hung_up(self, key: str, at: float) -> None:
        """The channel of a caller in a queue is gone.

        Without QueueCallerAbandon he left by the exit key, unless a member was
        about to take his call.
        """
        doubt = self._callers.pop(key, None)
        is_exit = doubt is not None and doubt.about is About.LEAVE and not self._has_live_ring(key)
        self._settle_rings(key)
        when = doubt.at if doubt is not None else at
        if is_exit:
            self._calls.left(key, when, "Cleared")
        else:
            self._calls.abandoned(key, when)

    def talks(self, key: str) -> None:
        """The caller's channel is in a bridge: he has not hung up.

        No sign where he left for a member: that is the bridge to him.
        """
        doubt = self._callers.get(key)
        if doubt is not None and doubt.about is About.ABANDON:
            self.went_on(key)

    def went_on(self, key: str, call_state: str = "Cleared") -> None:
        """The caller's channel does something else now."""
        doubt = self._callers.pop(key, None)
        if doubt is not None:
            self._settle_rings(key)
            self._calls.left(key, doubt.at, call_state)

    def answered(self, key: str, dn: str) -> None:
        """``dn`` took the call: that is what the caller left for."""
        self._callers.pop(key, None)
        self._rings.pop((key, dn), None)
        self._settle_rings(key)

    def refused(self, key: str, dn: str) -> None:
        """AgentRingNoAnswer says why the member stopped ringing."""
        self._rings.pop((key, dn), None)

    def ring_begins(self, key: str, dn: str) -> None:
        """The member is called (again), so the ring before is over."""
        if (key, dn) in self._rings:
            self._ring_cancelled((key, dn))

    # -- how it is done ----------------------------------------------------------------

    def _is_overdue(self, doubt: Doubt, now: float, key: str = "") -> bool:
        if self._heard - doubt.heard > MESSAGES_MAX:
            return True
        if doubt.about is About.LEAVE and self._has_live_ring(key):
            return False  # a member who took the call may be briefed before he is connected
        return now - doubt.at > SECONDS_MAX

    def _has_live_ring(self, key: str) -> bool:
        caller = self._calls.caller(key)
        ringing = caller.ringing() if caller else []
        return any((key, leg.dn) not in self._rings for leg in ringing)

    def _settle_rings(self, key: str) -> None:
        for ring in [ring for ring in self._rings if ring[0] == key]:
            self._ring_cancelled(ring)

    def _ring_cancelled(self, ring: tuple[str, str]) -> None:
        doubt = self._rings.pop(ring)
        caller = self._calls.caller(ring[0])
        if caller is not None and ring[1] in caller.legs:
            self._calls.cancelled(*ring, doubt.at, 0.0)
