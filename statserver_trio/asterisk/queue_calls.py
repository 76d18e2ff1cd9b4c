"""Queue calls: a caller in a queue, the members that ring for him, the one who answers.

In Asterisk a caller stays in the queue while members ring, and a ring that is
not answered changes nothing for him. So EventDiverted is told when the call is
really given to a member or leaves in another way, never when a member is
called; else each ring without answer would let the call enter the queue anew::

    joined          queue: Queued
    rang            member: Ringing (several at once when all ring)
    not_answered    member: Released, CallState Redirected (counts as no answer)
    cancelled       member: Released, CallState Cleared (does not count)
    connected       queue: Diverted to the member; losers cancelled; member: Established
    completed       member: Released
    abandoned       ringing members cancelled; queue: Abandoned
    left            ringing members cancelled; queue: Diverted to nobody

The caller is named by his channel (``key``): one channel is in one queue at a
time. This module is told facts; what AMI leaves open is settled by
:mod:`.doubts` first.
"""

from __future__ import annotations

import enum
from collections import Counter

from attrs import define, field

from ..tlib.events import (
    CallEvent,
    EventAbandoned,
    EventDiverted,
    EventEstablished,
    EventHeld,
    EventQueued,
    EventReleased,
    EventRetrieved,
    EventRinging,
    KVList,
)
from .conn_id import conn_id
from .positions import Emitter

CALLERS_MAX = 100_000  # above it the oldest is forgotten: its end was lost
CALL_TYPE = "Inbound"  # who waits in a queue has called us


class Phase(enum.Enum):
    """What a member does in the call."""

    RINGING = "ringing"
    TALKING = "talking"
    HOLDING = "holding"


@define(eq=False)
class Leg:
    """A member in the call of one caller."""

    dn: str
    phase: Phase
    uniqueid: str = ""  # of the member's channel, where the source tells
    channel: str = ""


@define(eq=False)
class Caller:
    """One caller in or out of one queue, as long as anybody has to do with him."""

    key: str
    call_uuid: str
    queue: str
    entered: float
    ani: str = ""
    dnis: str = ""
    is_waiting: bool = True
    is_hanging_up: bool = False
    conn_id: str = ""
    legs: dict[str, Leg] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        self.conn_id = conn_id(self.call_uuid)

    def ringing(self) -> list[Leg]:
        """The members who ring at this moment."""
        return [leg for leg in self.legs.values() if leg.phase is Phase.RINGING]

    def talking(self) -> list[Leg]:
        """The members who have answered."""
        return [leg for leg in self.legs.values() if leg.phase is not Phase.RINGING]


class QueueCalls:
    """All queue calls of one switch."""

    def __init__(self, emitter: Emitter, bad: Counter[str]) -> None:
        self._emitter = emitter
        self._bad = bad
        self._callers: dict[str, Caller] = {}
        self._by_channel: dict[str, tuple[Caller, Leg]] = {}  # by the member's Uniqueid
        self._by_call: dict[str, dict[str, Caller]] = {}  # by call_uuid, then key
        self._latest: dict[str, float] = {}  # by member: the time of his latest event

    def forget(self) -> None:
        """The link is gone, and with it everything we knew."""
        self._callers.clear()
        self._by_channel.clear()
        self._by_call.clear()
        self._latest.clear()

    @property
    def is_empty(self) -> bool:
        """Nobody waits and nobody talks."""
        return not self._callers

    def caller(self, key: str) -> Caller | None:
        """The caller on the channel ``key``."""
        return self._callers.get(key)

    def of_call(self, call_uuid: str) -> list[Caller]:
        """Everybody who has to do with a queue in this call."""
        return list(self._by_call.get(call_uuid, {}).values())

    def held_by(self, dn: str) -> str:
        """The ConnID of the call that ``dn`` has on hold; empty where there is none."""
        for caller in self._callers.values():
            leg = caller.legs.get(dn)
            if leg is not None and leg.phase is Phase.HOLDING:
                return caller.conn_id
        return ""

    def leg_of_channel(self, uniqueid: str) -> tuple[Caller, Leg] | None:
        """The member's leg on the channel ``uniqueid``."""
        return self._by_channel.get(uniqueid)

    def waiting(self, queue: str) -> list[KVList]:
        """The calls in ``queue``, as a snapshot lists them."""
        return [
            {"ConnID": caller.conn_id, "CallType": CALL_TYPE, "state": "Queued"}
            for caller in self._callers.values()
            if caller.is_waiting and caller.queue == queue
        ]

    # -- the caller --------------------------------------------------------------------

    def joined(self, caller: Caller, is_told: bool = True) -> None:
        """The caller entered his queue; with ``is_told`` false a snapshot tells it instead."""
        before = self._callers.get(caller.key)
        if before is not None:
            self.left(before.key, caller.entered, "Overflowed")
            self._end_legs(list(before.legs.values()), before, caller.entered, "Ok")
            self._drop(before)
        self._keep(caller)
        if is_told:
            self._on_queue(EventQueued, caller, caller.entered)

    def abandoned(self, key: str, at: float) -> None:
        """The caller hung up while he waited."""
        caller = self._leave(key, at)
        if caller is not None:
            self._on_queue(EventAbandoned, caller, at)

    def left(self, key: str, at: float, call_state: str) -> None:
        """The caller went on without a member: timeout, empty queue, exit key, withdrawn."""
        caller = self._leave(key, at)
        if caller is not None:
            self._on_queue(EventDiverted, caller, at, call_state=call_state)

    # -- the members -------------------------------------------------------------------

    def found(self, caller: Caller, leg: Leg) -> None:
        """A call in progress that a snapshot tells; its end will be told by us."""
        self.joined(caller, is_told=False)
        caller.legs[leg.dn] = leg
        self._by_channel[leg.uniqueid] = (caller, leg)

    def rang(self, key: str, dn: str, at: float, uniqueid: str = "", channel: str = "") -> None:
        """``dn`` rings for the caller since ``at``, or as soon after as is possible.

        queue_log tells the length of a ring at its end, in whole seconds for
        those answered, so that the start may seem to lie before the caller's
        entry or before the end of the member's previous call.
        """
        caller = self._callers.get(key)
        if caller is None or dn in caller.legs:
            self._bad["ring without caller" if caller is None else "ring repeated"] += 1
            return
        leg = caller.legs[dn] = Leg(dn, Phase.RINGING, uniqueid, channel)
        if uniqueid:
            self._by_channel[uniqueid] = (caller, leg)
        at = max(at, caller.entered, self._latest.get(dn, 0.0))
        self._at_member(EventRinging, caller, leg, at)

    def connected(self, caller: Caller, dn: str, at: float, ring: float) -> None:
        """``dn`` talks to the caller now, after having rung for ``ring`` seconds.

        ``caller`` is used where we do not know him: he entered before we listened.
        """
        known = self._callers.get(caller.key)
        if known is None or known.queue != caller.queue:
            caller.is_waiting = False
            self.joined(caller, is_told=False)
            known = caller
        if dn not in known.legs:
            self.rang(known.key, dn, at - ring)
        leg = known.legs[dn]
        if leg.phase is not Phase.RINGING:
            self._bad["answer repeated"] += 1
            return
        if known.is_waiting:
            known.is_waiting = False
            self._on_queue(EventDiverted, known, at, third_party_dn=dn)
        self._end_legs([lost for lost in known.ringing() if lost is not leg], known, at, "Cleared")
        leg.phase = Phase.TALKING
        self._at_member(EventEstablished, known, leg, at)

    def not_answered(self, key: str, dn: str, at: float, ring: float) -> None:
        """``dn`` rang for ``ring`` seconds and nobody answered, or he refused."""
        self._end_ring(key, dn, at, ring, "Redirected")

    def cancelled(self, key: str, dn: str, at: float, ring: float) -> None:
        """The ring at ``dn`` ended for a reason that is not his."""
        self._end_ring(key, dn, at, ring, "Cleared")

    def completed(
        self, key: str, dn: str, at: float, call_state: str = "Ok", target: str = ""
    ) -> None:
        """The member no longer talks to the caller; ``target`` is whom he gave him to."""
        caller = self._callers.get(key)
        leg = caller.legs.get(dn) if caller else None
        if caller is None or leg is None:
            self._bad["end of a call unknown"] += 1
            return
        self._end_legs([leg], caller, at, call_state, target)

    def held(self, caller: Caller, leg: Leg, at: float) -> None:
        """The member put the caller on hold."""
        if leg.phase is Phase.TALKING:
            leg.phase = Phase.HOLDING
            self._at_member(EventHeld, caller, leg, at)

    def retrieved(self, caller: Caller, leg: Leg, at: float) -> None:
        """The member took the caller back."""
        if leg.phase is Phase.HOLDING:
            leg.phase = Phase.TALKING
            self._at_member(EventRetrieved, caller, leg, at)

    # -- how it is done ----------------------------------------------------------------

    def _end_ring(self, key: str, dn: str, at: float, ring: float, call_state: str) -> None:
        caller = self._callers.get(key)
        if caller is None:
            self._bad["ring without caller"] += 1
            return
        if dn not in caller.legs:
            self.rang(key, dn, at - ring)
        if caller.legs[dn].phase is Phase.RINGING:
            self._end_legs([caller.legs[dn]], caller, at, call_state)

    def _end_legs(
        self, legs: list[Leg], caller: Caller, at: float, call_state: str, target: str = ""
    ) -> None:
        for leg in legs:
            del caller.legs[leg.dn]
            self._by_channel.pop(leg.uniqueid, None)
            self._at_member(
                EventReleased, caller, leg, at, call_state=call_state, third_party_dn=target
            )
        if not caller.is_waiting and not caller.legs:
            self._drop(caller)

    def _leave(self, key: str, at: float) -> Caller | None:
        """Take the caller out of his queue; None where he is in none."""
        caller = self._callers.get(key)
        if caller is None or not caller.is_waiting:
            return None
        caller.is_waiting = False
        self._end_legs(caller.ringing(), caller, at, "Cleared")
        if not caller.legs:
            self._drop(caller)
        return caller

    def _keep(self, caller: Caller) -> None:
        if len(self._callers) >= CALLERS_MAX:
            self._bad["too many callers"] += 1
            self._drop(next(iter(self._callers.values())))
        self._callers[caller.key] = caller
        self._by_call.setdefault(caller.call_uuid, {})[caller.key] = caller

    def _drop(self, caller: Caller) -> None:
        if self._callers.get(caller.key) is not caller:
            return
        del self._callers[caller.key]
        for leg in caller.legs.values():
            self._by_channel.pop(leg.uniqueid, None)
        others = self._by_call[caller.call_uuid]
        del others[caller.key]
        if not others:
            del self._by_call[caller.call_uuid]

    def _on_queue(
        self,
        event: type[CallEvent],
        caller: Caller,
        at: float,
        call_state: str = "Ok",
        third_party_dn: str = "",
    ) -> None:
        self._tell(event, caller.queue, caller, at, call_state, third_party_dn)

    def _at_member(
        self,
        event: type[CallEvent],
        caller: Caller,
        leg: Leg,
        at: float,
        call_state: str = "Ok",
        third_party_dn: str = "",
    ) -> None:
        if len(self._latest) >= CALLERS_MAX:
            self._latest.clear()  # it only guards against starts that seem too early
        self._latest[leg.dn] = max(at, self._latest.get(leg.dn, 0.0))
        self._tell(event, leg.dn, caller, at, call_state, third_party_dn)

    def _tell(
        self,
        event: type[CallEvent],
        this_dn: str,
        caller: Caller,
        at: float,
        call_state: str,
        third_party_dn: str,
    ) -> None:
        self._emitter.emit(
            event,
            at,
            this_dn,
            conn_id=caller.conn_id,
            call_uuid=caller.call_uuid,
            call_type=CALL_TYPE,
            call_state=call_state,
            this_queue=caller.queue,
            other_dn=caller.ani,
            ani=caller.ani,
            dnis=caller.dnis,
            this_dn_role="Destination",
            third_party_dn=third_party_dn,
            third_party_dn_role="Destination" if third_party_dn else "",
        )
