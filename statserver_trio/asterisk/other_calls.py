"""Other calls: what members do on the telephone outside of their queues.

AMI shows channels, not parties, and does not say which device is an extension
and which is a trunk. It is safe where a **member's own device** dials or is
dialled outside of any queue call, and only that is told: two members make an
Internal call, a member who dials somebody else an Outbound one, somebody else
who dials a member an Inbound one, and a member who dials with a call on hold a
Consult one. Parties that are no members get no events.

All channels of a queue call share its Linkedid, so while members ring or talk
there, everything under that Linkedid belongs to the queue (the legs behind a
Local channel, for example). Once the member has given the call away, dialling
under it is the transfer to its target.
"""

from __future__ import annotations

import enum
from collections import Counter

from attrs import define

from ..tlib.events import (
    CallEvent,
    EventAbandoned,
    EventDestinationBusy,
    EventDialing,
    EventEstablished,
    EventHeld,
    EventReleased,
    EventRetrieved,
    EventRinging,
)
from .ami import AmiMessage
from .channels import device_of, is_local, number
from .conn_id import conn_id
from .members import Members
from .positions import Emitter

PARTIES_MAX = 100_000

# Why a ring ended, by DialStatus. Asterisk has more; the rest is Cleared.
RING_ENDS = {"BUSY": "Busy", "NOANSWER": "NoAnswer", "CANCEL": "Cleared"}


class Phase(enum.Enum):
    """What a party does."""

    DIALING = "dialing"
    RINGING = "ringing"
    TALKING = "talking"
    HOLDING = "holding"


@define(eq=False)
class Party:
    """A member's device in a call, known by its channel."""

    dn: str
    call_uuid: str
    call_type: str
    phase: Phase
    other_dn: str
    ani: str = ""
    dnis: str = ""
    previous: str = ""  # the ConnID of the call on hold, in a consultation


class OtherCalls:
    """The parties of all calls outside of queues, by their channels' Uniqueid."""

    def __init__(self, emitter: Emitter, members: Members, bad: Counter[str]) -> None:
        self._emitter = emitter
        self._members = members
        self._bad = bad
        self._parties: dict[str, Party] = {}

    def forget(self) -> None:
        """The link is gone, and with it everything we knew."""
        self._parties.clear()

    def party(self, uniqueid: str) -> Party | None:
        """The party on that channel."""
        return self._parties.get(uniqueid)

    def dial_begun(self, message: AmiMessage, held: str, at: float) -> None:
        """DialBegin: one channel calls another. ``held`` is what the caller has on hold."""
        source, target = message.get("Channel"), message.get("DestChannel")
        call = message.get("Linkedid") or message.get("Uniqueid")
        if not (source and target and call) or (is_local(source) and is_local(target)):
            return
        source_dn, target_dn = self._dn(source), self._dn(target)
        if not source_dn and not target_dn:
            return
        call_type = _call_type(bool(source_dn), bool(target_dn), held)
        ani, dnis = number(message.get("CallerIDNum")), message.get("Exten")
        if source_dn and message.get("Uniqueid") not in self._parties:
            party = Party(source_dn, call, call_type, Phase.DIALING, target_dn or dnis)
            party.previous, party.dnis = held, dnis
            self._begin(EventDialing, message.get("Uniqueid"), party, at)
        if target_dn and message.get("DestUniqueid") not in self._parties:
            party = Party(target_dn, call, call_type, Phase.RINGING, source_dn or ani, ani, dnis)
            self._begin(EventRinging, message.get("DestUniqueid"), party, at)

    def dial_ended(self, message: AmiMessage, at: float) -> None:
        """DialEnd: answered, or why not."""
        status = message.get("DialStatus")
        dialing = self._parties.get(message.get("Uniqueid"))
        ringing = self._parties.get(message.get("DestUniqueid"))
        if status == "ANSWER":
            for party in (ringing, dialing):
                if party is not None and party.phase in (Phase.RINGING, Phase.DIALING):
                    party.phase = Phase.TALKING
                    self._tell(EventEstablished, party, at)
            return
        if status == "BUSY" and dialing is not None and dialing.phase is Phase.DIALING:
            self._tell(EventDestinationBusy, dialing, at)
        if ringing is not None and ringing.phase is Phase.RINGING:
            del self._parties[message.get("DestUniqueid")]
            gave_up = status == "CANCEL" and ringing.call_type == "Inbound"
            event = EventAbandoned if gave_up else EventReleased
            state = "Ok" if gave_up else RING_ENDS.get(status, "Cleared")
            self._tell(event, ringing, at, state)

    def held(self, uniqueid: str, is_held: bool, at: float) -> None:
        """Hold and Unhold."""
        party = self._parties.get(uniqueid)
        before, after = Phase.TALKING, Phase.HOLDING
        if not is_held:
            before, after = after, before
        if party is not None and party.phase is before:
            party.phase = after
            self._tell(EventHeld if is_held else EventRetrieved, party, at)

    def held_by(self, dn: str) -> str:
        """The ConnID of what ``dn`` has on hold; empty where it has nothing."""
        for party in self._parties.values():
            if party.dn == dn and party.phase is Phase.HOLDING:
                return conn_id(party.call_uuid)
        return ""

    def ended(self, uniqueid: str, at: float, call_state: str = "Ok", target: str = "") -> None:
        """The party's channel is gone, or the party has given the call to ``target``."""
        party = self._parties.pop(uniqueid, None)
        if party is not None:
            self._tell(EventReleased, party, at, call_state, target)

    def _dn(self, channel: str) -> str:
        member = self._members.find(device_of(channel))
        return member.dn if member else ""

    def _begin(self, event: type[CallEvent], uniqueid: str, party: Party, at: float) -> None:
        if not uniqueid:
            self._bad["dial without channel"] += 1
            return
        if len(self._parties) >= PARTIES_MAX:
            self._bad["too many parties"] += 1
            del self._parties[next(iter(self._parties))]
        self._parties[uniqueid] = party
        self._tell(event, party, at)

    def _tell(
        self,
        event: type[CallEvent],
        party: Party,
        at: float,
        call_state: str = "Ok",
        target: str = "",
    ) -> None:
        previous = {"previous_conn_id": party.previous} if event is EventDialing else {}
        self._emitter.emit(
            event,
            at,
            party.dn,
            conn_id=conn_id(party.call_uuid),
            call_uuid=party.call_uuid,
            call_type=party.call_type,
            call_state=call_state,
            other_dn=party.other_dn,
            ani=party.ani,
            dnis=party.dnis,
            this_dn_role="Destination" if party.ani or not party.dnis else "Origination",
            third_party_dn=target,
            **previous,
        )


def _call_type(is_source_member: bool, is_target_member: bool, held: str) -> str:
    if is_source_member and held:
        return "Consult"
    if is_source_member:
        return "Internal" if is_target_member else "Outbound"
    return "Inbound"
