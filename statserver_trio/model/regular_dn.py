"""Calls on a regular DN: which T-event begins, ends and causes which action.

A leg goes through phases, and each phase is one durable action, typed by the
call type::

    EventDialing ──> DIALING ──┐
                               ├─ EventEstablished ──> TALKING ── EventReleased ──> gone
    EventRinging ──> RINGING ──┘                        │   ↑
                                              EventHeld └─> ┘ EventRetrieved

The conversation runs on while it is held; the hold is an action of its own.
What a leg's end *means* depends on its phase and on why the call was released,
and that is a table, :data:`ENDINGS`. Rules: statistics.md §4.3, t-events.md §2.4.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..tlib import events as e
from . import actions
from .actions import CODES
from .calls import Call, Leg, Phase, Visit, call_type_of
from .nodes import MediationDN, RegularDN
from .occurrences import Occurrence
from .reflections import reflect, reflect_ending

if TYPE_CHECKING:
    from .world import World

Rule = Callable[["World", RegularDN, Any, int], None]

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
ANSWERED = {Phase.DIALING: CODES["CallDialed"], Phase.RINGING: CODES["CallAnswered"]}

# Why a leg ended, in the words of CallState, reduced to what makes a difference.
CAUSES = {
    "Transferred": "transferred",
    "Conferenced": "conferenced",
    "Redirected": "forwarded",
    "Forwarded": "forwarded",
}

# What happens at the end of a leg besides the end of its actions: phase, cause -> actions,
# each with the time spent in that phase. ABANDONED is EventAbandoned, the rest EventReleased.
ENDINGS: dict[tuple[Phase, str], tuple[str, ...]] = {
    (Phase.DIALING, "released"): ("CallAbandonedFromDialing",),
    (Phase.DIALING, "abandoned"): ("CallAbandonedFromDialing",),
    (Phase.DIALING, "transferred"): ("CallDialTransferred",),
    (Phase.DIALING, "conferenced"): ("CallDialConferenced",),
    (Phase.DIALING, "forwarded"): (),
    (Phase.RINGING, "released"): ("CallMissed",),
    (Phase.RINGING, "abandoned"): ("CallAbandonedFromRinging", "CallMissed"),
    (Phase.RINGING, "transferred"): (),
    (Phase.RINGING, "conferenced"): (),
    (Phase.RINGING, "forwarded"): ("CallForwarded", "CallMissed"),
}
PARTY_CHANGED = {
    Phase.DIALING: "CallPartyChanged",
    Phase.RINGING: "CallRingingPartyChanged",
    Phase.TALKING: "CallPartyChanged",
}


# -- phases -------------------------------------------------------------------------------


def _enter(world: World, dn: RegularDN, leg: Leg, phase: Phase, t: int) -> None:
    """Begin the actions of a phase, and say that they started."""
    leg.phase, leg.since = phase, t
    _begin(world, dn, leg, PHASE_ACTION[phase][leg.call_type], t)
    world.chronicle.happened(dn, PHASE_STARTED[phase][leg.call_type], 0, leg.call.facts)
    if phase is Phase.TALKING:
        side = actions.ORIGINATED if leg.originated else actions.RECEIVED
        if leg.call_type in side:
            _begin(world, dn, leg, side[leg.call_type], t)


def _begin(world: World, dn: RegularDN, leg: Leg, action: int, t: int) -> None:
    occurrence = Occurrence(action, t, dn, leg.call)
    leg.going_on.append(occurrence)
    world.chronicle.began(occurrence)


def _leave(world: World, leg: Leg) -> None:
    """End every durable action of a leg."""
    for occurrence in leg.going_on:
        world.chronicle.ended(occurrence)
    leg.going_on.clear()
    leg.hold = None


def _new_leg(world: World, dn: RegularDN, event: e.CallEvent, originated: bool, t: int) -> Leg:
    call = world.call(event, t)
    stale = dn.legs.get(call.conn_id)
    if stale is not None:  # a second Ringing without an end of the first: the end was lost
        _remove(world, dn, stale)
    leg = Leg(call, call_type_of(event.call_type), originated, t)
    leg.is_transferred = event.third_party_dn_role == "TransferredBy"
    dn.legs[call.conn_id] = leg
    call.legs[dn] = leg
    return leg


def _remove(world: World, dn: RegularDN, leg: Leg) -> None:
    _leave(world, leg)
    del dn.legs[leg.call.conn_id]
    del leg.call.legs[dn]


def _leg(world: World, dn: RegularDN, event: e.CallEvent, t: int) -> Leg | None:
    """The leg an event is about, with what the event tells about the call taken over."""
    leg = dn.legs.get(event.conn_id)
    if leg is None:
        return None
    if leg.call.learn(event, t):
        world.chronicle.facts_changed(leg.call)
    call_type = call_type_of(event.call_type)
    if call_type != leg.call_type and event.call_type and call_type != "Unknown":
        _retype(world, dn, leg, call_type, t)
    return leg


def _retype(world: World, dn: RegularDN, leg: Leg, call_type: str, t: int) -> None:
    """A changed call type ends the typed actions and starts the others (our decision)."""
    held = leg.hold is not None
    _leave(world, leg)
    leg.call_type = call_type
    _enter(world, dn, leg, leg.phase, t)
    if held:
        _begin(world, dn, leg, actions.ON_HOLD[call_type], t)
        leg.hold = leg.going_on[-1]


# -- rules --------------------------------------------------------------------------------


def dialing(world: World, dn: RegularDN, event: e.EventDialing, t: int) -> None:
    """The DN calls somebody."""
    leg = _new_leg(world, dn, event, True, t)
    _enter(world, dn, leg, Phase.DIALING, t)


def ringing(world: World, dn: RegularDN, event: e.EventRinging, t: int) -> None:
    """The DN is called, perhaps by way of a queue."""
    leg = _new_leg(world, dn, event, event.this_dn_role == "Origination", t)
    leg.visits = _distributed_here(world, dn, leg.call, event.this_queue)
    _enter(world, dn, leg, Phase.RINGING, t)


def established(world: World, dn: RegularDN, event: e.EventEstablished, t: int) -> None:
    """The DN talks; a leg nobody told us about before begins right here."""
    leg = _leg(world, dn, event, t)
    if leg is None:
        leg = _new_leg(world, dn, event, event.this_dn_role == "Origination", t)
        leg.visits = _distributed_here(world, dn, leg.call, event.this_queue)
    elif leg.phase is Phase.TALKING:
        return
    else:
        _leave(world, leg)
        if not leg.visits:  # the switch may name the queue only now
            leg.visits = _distributed_here(world, dn, leg.call, event.this_queue)
        world.chronicle.happened(dn, ANSWERED[leg.phase], t - leg.since, leg.call.facts)
        if leg.is_transferred:
            world.chronicle.happened(
                dn, CODES["CallTransferTaken"], t - leg.started, leg.call.facts
            )
    reflect(world, leg, "CallAnswered", t)
    _enter(world, dn, leg, Phase.TALKING, t)


def released(world: World, dn: RegularDN, event: e.EventReleased, t: int) -> None:
    """The call is over on this DN."""
    leg = _leg(world, dn, event, t)
    if leg is not None:
        _end(world, dn, leg, CAUSES.get(event.call_state, "released"), t)


def abandoned(world: World, dn: RegularDN, event: e.EventAbandoned, t: int) -> None:
    """The far end hung up while the DN rang."""
    leg = _leg(world, dn, event, t)
    if leg is not None:
        _end(world, dn, leg, "abandoned", t)


def _end(world: World, dn: RegularDN, leg: Leg, cause: str, t: int) -> None:
    facts = leg.call.facts
    hold = leg.hold
    _leave(world, leg)
    happened = world.chronicle.happened
    if leg.phase is Phase.TALKING:
        if hold is not None:
            happened(dn, CODES["CallHeld"], t - hold.start, facts)
            if cause in ("released", "abandoned"):
                happened(dn, CODES["CallAbandonedFromHold"], t - hold.start, facts)
        happened(dn, actions.COMPLETED[leg.call_type], t - leg.since, facts)
        if cause == "transferred" and leg.call_type != "Consult":
            happened(dn, CODES["CallTransferMade"], t - leg.started, facts)
        if cause == "conferenced" and leg.call_type == "Consult":
            happened(dn, CODES["CallConferenceMade"], t - leg.started, facts)
    else:
        for name in ENDINGS[leg.phase, cause]:
            happened(dn, CODES[name], t - leg.since, facts)
    reflect_ending(world, dn, leg, cause, t)
    _remove(world, dn, leg)
    world.forget_if_over(leg.call)
    world.call_ended_at(dn, leg, t)


def held(world: World, dn: RegularDN, event: e.EventHeld, t: int) -> None:
    """The DN put the call on hold."""
    leg = _leg(world, dn, event, t)
    if leg is not None and leg.phase is Phase.TALKING and leg.hold is None:
        _begin(world, dn, leg, actions.ON_HOLD[leg.call_type], t)
        leg.hold = leg.going_on[-1]


def retrieved(world: World, dn: RegularDN, event: e.EventRetrieved, t: int) -> None:
    """The DN took the call back."""
    leg = _leg(world, dn, event, t)
    if leg is None or leg.hold is None:
        return
    hold, leg.hold = leg.hold, None
    leg.going_on.remove(hold)
    world.chronicle.ended(hold)
    for name in ("CallHeld", "CallRetrievedFromHold"):
        world.chronicle.happened(dn, CODES[name], t - hold.start, leg.call.facts)


def party_changed(world: World, dn: RegularDN, event: e.EventPartyChanged, t: int) -> None:
    """Another call or another party: the end of a transfer or conference, seen from here.

    Where the event names a former ConnID of this DN, the DN itself was brought
    in: its consultation is over and it talks (or still rings) in the main call.
    Else the DN stays and the party at the other end is a new one.
    """
    former = dn.legs.get(event.previous_conn_id) if event.previous_conn_id else None
    if former is not None and event.previous_conn_id != event.conn_id:
        _brought_in(world, dn, former, event, t)
        return
    leg = _leg(world, dn, event, t)
    if leg is None:
        return
    name = PARTY_CHANGED[leg.phase]
    if leg.phase is Phase.TALKING and event.call_state == "Transferred":
        name = "CallTransferPartyChanged"
    world.chronicle.happened(dn, CODES[name], t - leg.since, leg.call.facts)
    if leg.phase is Phase.RINGING:
        reflect(world, leg, name, t)


def _brought_in(
    world: World, dn: RegularDN, former: Leg, event: e.EventPartyChanged, t: int
) -> None:
    happened = world.chronicle.happened
    facts = former.call.facts
    phase, spent = former.phase, t - former.since
    _remove(world, dn, former)
    world.forget_if_over(former.call)
    leg = _new_leg(world, dn, event, False, t)
    if phase is Phase.TALKING:
        happened(dn, actions.COMPLETED[former.call_type], spent, facts)
        joined = event.call_state == "Conferenced"
        name = "CallConferenceJoined" if joined else "CallTransferTaken"
        happened(dn, CODES[name], t - former.started, leg.call.facts)
    else:  # transferred to us before we answered: we take it when we do
        leg.is_transferred = event.call_state == "Transferred"
        happened(dn, CODES["CallRingingPartyChanged"], spent, leg.call.facts)
        if phase is Phase.RINGING:
            reflect(world, former, "CallRingingPartyChanged", t)
    _enter(world, dn, leg, phase, t)


def party_added(world: World, dn: RegularDN, event: e.EventPartyAdded, t: int) -> None:
    """Somebody joined the call; the one who did it made a conference of it."""
    leg = _leg(world, dn, event, t)
    if leg is None:
        return
    names = ["CallConferencePartyAdded"]
    if event.third_party_dn == dn.key.number:
        names.append("CallConferenceOriginated")
    for name in names:
        world.chronicle.happened(dn, CODES[name], 0, leg.call.facts)


def party_deleted(world: World, dn: RegularDN, event: e.EventPartyDeleted, t: int) -> None:
    """Somebody left the conference; where it was this DN, its leg is over."""
    leg = _leg(world, dn, event, t)
    if leg is None:
        return
    world.chronicle.happened(dn, CODES["CallConferencePartyDeleted"], 0, leg.call.facts)
    if event.other_dn == dn.key.number and event.other_dn_role == "DeletedParty":
        _end(world, dn, leg, "released", t)


def told(world: World, dn: RegularDN, event: e.CallEvent, t: int) -> None:
    """Facts about the call: attached data, its type."""
    _leg(world, dn, event, t)


def user_event(world: World, dn: RegularDN, event: e.EventUserEvent, t: int) -> None:
    """A message for whoever listens to this DN."""
    world.chronicle.happened(dn, CODES["UserEvent"], 0, event.user_data or {})


# -- queues and the clean-up --------------------------------------------------------------


def _distributed_here(
    world: World, dn: RegularDN, call: Call, this_queue: str
) -> tuple[Visit, ...]:
    """The visits that brought the call to this DN.

    A switch reports Diverted on every queue a call waited in, so among ACD
    queues the one named by ThisQueue counts; virtual queues and route points
    are never named there, and those that chose this DN count all the same.
    """
    found = []
    for visit in call.visits.values():
        queue: MediationDN = visit.queue
        if queue.key.number == this_queue or (
            visit.target == dn.key.number and not (this_queue and queue.is_plain_queue)
        ):
            found.append(visit)
    return tuple(found)


def clean(world: World, dn: RegularDN, leg: Leg, t: int) -> None:
    """Remove a leg whose end was never told; no normal ending is counted for it."""
    duration, facts = t - leg.started, leg.call.facts
    _remove(world, dn, leg)
    world.chronicle.happened(dn, CODES["StuckCallCleaned"], duration, facts)
    if leg.phase is not Phase.TALKING:
        reflect(world, leg, "StuckCallCleanedWhileRinging", t)


def drop(world: World, dn: RegularDN, leg: Leg) -> None:
    """Let go of a leg because we can no longer hear the DN: no ending at all."""
    _remove(world, dn, leg)
    world.forget_if_over(leg.call)


def resume(
    world: World, dn: RegularDN, call: Call, call_type: str, phase: Phase, held: bool, t: int
) -> None:
    """A call found in a snapshot: it begins now, as far as we can know."""
    leg = Leg(call, call_type, phase is Phase.DIALING, t)
    dn.legs[call.conn_id] = leg
    call.legs[dn] = leg
    leg.phase = phase
    _begin(world, dn, leg, PHASE_ACTION[phase][call_type], t)
    if held:
        _begin(world, dn, leg, actions.ON_HOLD[call_type], t)
        leg.hold = leg.going_on[-1]


RULES: dict[type[e.TEvent], Rule] = {
    e.EventDialing: dialing,
    e.EventRinging: ringing,
    e.EventEstablished: established,
    e.EventReleased: released,
    e.EventAbandoned: abandoned,
    e.EventHeld: held,
    e.EventRetrieved: retrieved,
    e.EventPartyChanged: party_changed,
    e.EventPartyAdded: party_added,
    e.EventPartyDeleted: party_deleted,
    e.EventPartyInfo: told,
    e.EventCallInfoChanged: told,
    e.EventAttachedDataChanged: told,
    e.EventNetworkReached: told,
    e.EventDestinationBusy: told,
    e.EventUserEvent: user_event,
}
