"""Legs: the steps every rule about a call on a regular DN is made of.

A leg enters a phase, its durable actions begin and end, and it is made and
removed again. What a T-event means is not said here but in the rule tables of
:mod:`.regular_dn` and :mod:`.supervision`, which both work with these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..tlib import events as e
from . import actions
from .actions import CODES
from .active_switching import CAMPAIGN, action_of, customer_of
from .calls import Leg, Phase, call_type_of
from .nodes import RegularDN
from .occurrences import NO_FACTS, Occurrence

if TYPE_CHECKING:
    from .world import World

PHASE_ACTION = {
    Phase.DIALING: actions.DIALING,
    Phase.RINGING: actions.RINGING,
    Phase.TALKING: actions.TALKING,
}
PHASE_STARTED = {
    Phase.DIALING: dict.fromkeys(actions.CALL_TYPES, CODES["CallDialingStarted"]),
    Phase.RINGING: dict.fromkeys(actions.CALL_TYPES, CODES["CallRingingStarted"]),
    Phase.TALKING: actions.STARTED,
}
# What somebody did who brought a call here -> what is counted when it is answered. That
# CallConferenceJoined waits for the answer as CallTransferTaken does is our decision.
JOINS = {
    "TransferredBy": "CallTransferTaken",
    "ConferencedBy": "CallConferenceJoined",
    "AddedBy": "CallConferenceJoined",
}


def enter(world: World, dn: RegularDN, leg: Leg, phase: Phase, t: int) -> None:
    """Begin the actions of a phase, and say that they started."""
    leg.phase, leg.since = phase, t
    if phase is Phase.OBSERVING:  # what goes on then depends on the other parties as well
        world.parties_changed(leg.call)
        return
    begin(world, dn, leg, PHASE_ACTION[phase][leg.call_type], t)
    started = PHASE_STARTED[phase][leg.call_type]
    world.chronicle.happened(dn, started, 0, leg.call, leg.reasons)
    if phase is Phase.TALKING:
        side = actions.ORIGINATED if leg.originated else actions.RECEIVED
        if leg.call_type in side:
            begin(world, dn, leg, side[leg.call_type], t)
        if CAMPAIGN in leg.call.facts:
            engage(world, dn, leg, False, t)
        if leg.call.observers:
            world.parties_changed(leg.call)


def begin(world: World, dn: RegularDN, leg: Leg, action: int, t: int) -> Occurrence:
    """Let one durable action of a leg begin."""
    occurrence = Occurrence(action, t, dn, leg.call, leg.reasons)
    leg.going_on.append(occurrence)
    world.chronicle.began(occurrence)
    return occurrence


def end(world: World, leg: Leg, occurrence: Occurrence) -> None:
    """Let one durable action of a leg end."""
    leg.going_on.remove(occurrence)
    world.chronicle.ended(occurrence)


def engage(world: World, dn: RegularDN, leg: Leg, engaged: bool, t: int) -> None:
    """Bring a talking leg in line with what its call says of a campaign.

    Args:
        engaged: Whether the agent was engaged in it until now.
    """
    facts = leg.call.facts
    action, customer = action_of(facts, engaged), customer_of(facts)
    present = leg.asm
    if action is None or (
        present is not None and present.action == action and leg.customer == customer
    ):
        return
    if present is not None:
        end(world, leg, present)
    leg.asm, leg.customer = begin(world, dn, leg, action, t), customer


def leave(world: World, leg: Leg) -> None:
    """End every durable action of a leg."""
    for occurrence in leg.going_on:
        world.chronicle.ended(occurrence)
    leg.going_on.clear()
    leg.hold = leg.asm = None


def new_leg(world: World, dn: RegularDN, event: e.CallEvent, originated: bool, t: int) -> Leg:
    """A party joins the call."""
    call = world.call(event, t)
    stale = dn.legs.get(call.conn_id)
    if stale is not None:  # a second Ringing without an end of the first: the end was lost
        remove(world, dn, stale)
    leg = Leg(call, call_type_of(event.call_type), originated, t)
    leg.joins = JOINS.get(event.third_party_dn_role, "")
    leg.reasons = event.reasons or NO_FACTS
    dn.legs[call.conn_id] = leg
    call.legs[dn] = leg
    return leg


def remove(world: World, dn: RegularDN, leg: Leg) -> None:
    """A party is gone, and with it what it observed or had observed."""
    leave(world, leg)
    call = leg.call
    del dn.legs[call.conn_id]
    del call.legs[dn]
    if call.observers:
        observer = call.observers.get(dn.key.number)
        if observer is not None:
            observer.left = True
        world.parties_changed(call)


def find_leg(world: World, dn: RegularDN, event: e.CallEvent, t: int) -> Leg | None:
    """The leg an event is about, with what the event tells about the call taken over."""
    leg = dn.legs.get(event.conn_id)
    if leg is None:
        return None
    leg.reasons = event.reasons or NO_FACTS
    if leg.call.learn(event, t):
        world.data_changed(leg.call)
    if event.call_type != leg.call_type and event.call_type:
        call_type = call_type_of(event.call_type)
        if call_type not in (leg.call_type, "Unknown"):
            retype(world, dn, leg, call_type, t)
    return leg


def retype(world: World, dn: RegularDN, leg: Leg, call_type: str, t: int) -> None:
    """A changed call type ends the typed actions and starts the others (our decision)."""
    held, engaged = leg.hold is not None, leg.asm is not None
    leave(world, leg)
    leg.call_type = call_type
    enter(world, dn, leg, leg.phase, t)
    if engaged:
        engage(world, dn, leg, True, t)
    if held:
        leg.hold = begin(world, dn, leg, actions.ON_HOLD[call_type], t)
