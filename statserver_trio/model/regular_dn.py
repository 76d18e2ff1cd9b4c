"""Calls on a regular DN: which T-event begins, ends and causes which action.

A leg goes through phases, and each phase is one durable action, typed by the
call type::

    EventDialing ──> DIALING ──┐
                               ├─ EventEstablished ──> TALKING ── EventReleased ──> gone
    EventRinging ──> RINGING ──┘                        │   ↑
                                              EventHeld └─> ┘ EventRetrieved

A supervisor's leg observes instead of talking (:mod:`.supervision`).
The conversation runs on while it is held; the hold is an action of its own.
What a leg's end *means* depends on its phase and on why the call was released,
and that is a table, :data:`ENDINGS`. Rules: statistics.md §4.3, t-events.md §2.4.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..tlib import events as e
from . import actions, supervision
from .actions import CODES
from .active_switching import CAMPAIGN
from .calls import Call, Leg, Phase, Visit
from .legs import PHASE_ACTION, begin, end, engage, enter, find_leg, leave, new_leg, remove
from .nodes import MediationDN, RegularDN
from .reflections import reflect, reflect_ending

if TYPE_CHECKING:
    from .world import World

Rule = Callable[["World", RegularDN, Any, int], None]

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
    **{(Phase.OBSERVING, cause): () for cause in ("released", "abandoned", *set(CAUSES.values()))},
}
BROUGHT_IN = {"Transferred": "CallTransferTaken", "Conferenced": "CallConferenceJoined"}
PARTY_CHANGED = {
    Phase.DIALING: "CallPartyChanged",
    Phase.RINGING: "CallRingingPartyChanged",
    Phase.TALKING: "CallPartyChanged",
}


# -- rules --------------------------------------------------------------------------------


def dialing(world: World, dn: RegularDN, event: e.EventDialing, t: int) -> None:
    """The DN calls somebody."""
    leg = new_leg(world, dn, event, True, t)
    enter(world, dn, leg, Phase.DIALING, t)


def ringing(world: World, dn: RegularDN, event: e.EventRinging, t: int) -> None:
    """The DN is called, perhaps by way of a queue."""
    leg = new_leg(world, dn, event, event.this_dn_role == "Origination", t)
    mode = supervision.mode_of(dn, leg.call, event)
    if mode is None:
        leg.visits = _distributed_here(world, dn, leg.call, event.this_queue)
    else:
        supervision.announce(world, mode, event)
    enter(world, dn, leg, Phase.RINGING, t)


def established(world: World, dn: RegularDN, event: e.EventEstablished, t: int) -> None:
    """The DN talks, or observes; a leg nobody told us about before begins right here."""
    leg = find_leg(world, dn, event, t)
    mode = supervision.mode_of(dn, world.calls.get(event.conn_id), event)
    if leg is None:
        leg = new_leg(world, dn, event, event.this_dn_role == "Origination", t)
        if mode is not None:
            supervision.announce(world, mode, event)
    elif leg.phase not in ANSWERED:
        return
    else:
        leave(world, leg)
        world.chronicle.happened(dn, ANSWERED[leg.phase], t - leg.since, leg.call, leg.reasons)
        if leg.joins and mode is None:
            world.chronicle.happened(dn, CODES[leg.joins], t - leg.started, leg.call, leg.reasons)
    if mode is not None:
        supervision.join(world, dn, leg, mode, event.other_dn, t)
        return
    leg.call.observers.pop(dn.key.number, None)  # he takes part now, whatever he did before
    if not leg.visits:  # the switch may name the queue only now
        leg.visits = _distributed_here(world, dn, leg.call, event.this_queue)
    reflect(world, dn, leg, "CallAnswered", t)
    enter(world, dn, leg, Phase.TALKING, t)


def released(world: World, dn: RegularDN, event: e.EventReleased, t: int) -> None:
    """The call is over on this DN."""
    leg = find_leg(world, dn, event, t)
    if leg is not None:
        _end(world, dn, leg, CAUSES.get(event.call_state, "released"), t)


def diverted(world: World, dn: RegularDN, event: e.EventDiverted, t: int) -> None:
    """The call that rings here goes elsewhere. One that talks is told so in other words."""
    leg = find_leg(world, dn, event, t)
    if leg is not None and leg.phase is Phase.RINGING:
        _end(world, dn, leg, "forwarded", t)


def abandoned(world: World, dn: RegularDN, event: e.EventAbandoned, t: int) -> None:
    """The far end hung up while the DN rang."""
    leg = find_leg(world, dn, event, t)
    if leg is not None:
        _end(world, dn, leg, "abandoned", t)


def _end(world: World, dn: RegularDN, leg: Leg, cause: str, t: int) -> None:
    call, hold, reasons = leg.call, leg.hold, leg.reasons
    leave(world, leg)
    happened = world.chronicle.happened
    if leg.phase is Phase.TALKING:
        if hold is not None:
            happened(dn, CODES["CallHeld"], t - hold.start, call, reasons)
            if cause in ("released", "abandoned"):
                happened(dn, CODES["CallAbandonedFromHold"], t - hold.start, call, reasons)
        happened(dn, actions.COMPLETED[leg.call_type], t - leg.since, call, reasons)
        if cause == "transferred" and leg.call_type != "Consult":
            happened(dn, CODES["CallTransferMade"], t - leg.started, call, reasons)
        if cause == "conferenced" and leg.call_type == "Consult":
            happened(dn, CODES["CallConferenceMade"], t - leg.started, call, reasons)
    else:
        for name in ENDINGS[leg.phase, cause]:
            happened(dn, CODES[name], t - leg.since, call, reasons)
    reflect_ending(world, dn, leg, cause, t)
    remove(world, dn, leg)
    world.forget_if_over(call)
    world.call_ended_at(dn, leg, t)


def held(world: World, dn: RegularDN, event: e.EventHeld, t: int) -> None:
    """The DN put the call on hold."""
    leg = find_leg(world, dn, event, t)
    if leg is not None and leg.phase is Phase.TALKING and leg.hold is None:
        leg.hold = begin(world, dn, leg, actions.ON_HOLD[leg.call_type], t)


def retrieved(world: World, dn: RegularDN, event: e.EventRetrieved, t: int) -> None:
    """The DN took the call back."""
    leg = find_leg(world, dn, event, t)
    if leg is None or leg.hold is None:
        return
    hold, leg.hold = leg.hold, None
    end(world, leg, hold)
    for name in ("CallHeld", "CallRetrievedFromHold"):
        world.chronicle.happened(dn, CODES[name], t - hold.start, leg.call, leg.reasons)


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
    leg = find_leg(world, dn, event, t)
    if leg is None or leg.phase is Phase.OBSERVING:
        return
    name = PARTY_CHANGED[leg.phase]
    if leg.phase is Phase.TALKING and event.call_state == "Transferred":
        name = "CallTransferPartyChanged"
    world.chronicle.happened(dn, CODES[name], t - leg.since, leg.call, leg.reasons)
    if leg.phase is Phase.RINGING:
        reflect(world, dn, leg, name, t)


def _brought_in(
    world: World, dn: RegularDN, former: Leg, event: e.EventPartyChanged, t: int
) -> None:
    happened = world.chronicle.happened
    phase, spent, engaged = former.phase, t - former.since, former.asm is not None
    observer = former.call.observers.get(dn.key.number)
    remove(world, dn, former)
    world.forget_if_over(former.call)
    leg = new_leg(world, dn, event, False, t)
    if phase is Phase.OBSERVING:
        if observer is not None:
            supervision.move(world, dn, leg, observer, t)
        return
    if phase is Phase.TALKING:
        happened(dn, actions.COMPLETED[former.call_type], spent, former.call)
        leg.joins = ""
        # To join an engaged agent and his customer is the dialler's doing, and no transfer.
        name = BROUGHT_IN.get(event.call_state, "" if engaged else "CallTransferTaken")
        if name:
            happened(dn, CODES[name], t - former.started, leg.call, leg.reasons)
    else:  # brought in before we answered: it counts when we do
        leg.joins = BROUGHT_IN.get(event.call_state, "")
        happened(dn, CODES["CallRingingPartyChanged"], spent, leg.call, leg.reasons)
        if phase is Phase.RINGING:
            reflect(world, dn, former, "CallRingingPartyChanged", t)
    enter(world, dn, leg, phase, t)
    if engaged:
        engage(world, dn, leg, True, t)


def party_added(world: World, dn: RegularDN, event: e.EventPartyAdded, t: int) -> None:
    """Somebody joined the call; the one who did it made a conference of it."""
    leg = find_leg(world, dn, event, t)
    if leg is None or supervision.party_added(world, dn, leg, event):
        return
    names = ["CallConferencePartyAdded"]
    if event.third_party_dn == dn.key.number:
        names.append("CallConferenceOriginated")
    for name in names:
        world.chronicle.happened(dn, CODES[name], 0, leg.call, leg.reasons)


def party_deleted(world: World, dn: RegularDN, event: e.EventPartyDeleted, t: int) -> None:
    """Somebody left the conference; where it was this DN, its leg is over."""
    leg = find_leg(world, dn, event, t)
    if leg is None or supervision.party_deleted(world, leg, event):
        return
    world.chronicle.happened(dn, CODES["CallConferencePartyDeleted"], 0, leg.call, leg.reasons)
    if event.other_dn == dn.key.number and event.other_dn_role == "DeletedParty":
        _end(world, dn, leg, "released", t)


def told(world: World, dn: RegularDN, event: e.CallEvent, t: int) -> None:
    """Facts about the call: attached data, its type."""
    find_leg(world, dn, event, t)


def user_event(world: World, dn: RegularDN, event: e.EventUserEvent, t: int) -> None:
    """A message for whoever listens to this DN."""
    world.chronicle.happened(dn, CODES["UserEvent"], 0, reasons=event.user_data or {})


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
    duration = t - leg.started
    remove(world, dn, leg)
    world.chronicle.happened(dn, CODES["StuckCallCleaned"], duration, leg.call)
    if leg.phase is not Phase.TALKING:
        reflect(world, dn, leg, "StuckCallCleanedWhileRinging", t)


def drop(world: World, dn: RegularDN, leg: Leg) -> None:
    """Let go of a leg because we can no longer hear the DN: no ending at all."""
    remove(world, dn, leg)
    world.forget_if_over(leg.call)


def resume(
    world: World, dn: RegularDN, call: Call, call_type: str, phase: Phase, held: bool, t: int
) -> None:
    """A call found in a snapshot: it begins now, as far as we can know."""
    leg = Leg(call, call_type, phase is Phase.DIALING, t)
    dn.legs[call.conn_id] = leg
    call.legs[dn] = leg
    if phase is Phase.OBSERVING:
        supervision.join(world, dn, leg, supervision.MONITORING, "", t)
        return
    leg.phase = phase
    begin(world, dn, leg, PHASE_ACTION[phase][call_type], t)
    if phase is Phase.TALKING and CAMPAIGN in call.facts:
        engage(world, dn, leg, False, t)
    if held:
        leg.hold = begin(world, dn, leg, actions.ON_HOLD[call_type], t)
    if call.observers:
        world.parties_changed(call)


RULES: dict[type[e.TEvent], Rule] = {
    e.EventDialing: dialing,
    e.EventRinging: ringing,
    e.EventEstablished: established,
    e.EventReleased: released,
    e.EventAbandoned: abandoned,
    e.EventDiverted: diverted,
    e.EventHeld: held,
    e.EventRetrieved: retrieved,
    e.EventPartyChanged: party_changed,
    e.EventPartyAdded: party_added,
    e.EventPartyDeleted: party_deleted,
    e.EventCallInfoChanged: told,
    e.EventAttachedDataChanged: told,
    e.EventNetworkReached: told,
    e.EventDestinationBusy: told,
    e.EventUserEvent: user_event,
}
