"""Calls on a mediation DN: entering, waiting, treatment, leaving.

A call that enters waits (CallWait) until it is diverted, abandoned or released;
how it left says which retrospective action is counted, with the time it spent
here. What becomes of it afterwards is in :mod:`.reflections`. Rules:
statistics.md §4.4, t-events.md §2.5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..tlib import events as e
from . import actions
from .actions import CODES
from .calls import Call, Visit, call_type_of
from .nodes import MediationDN
from .occurrences import NO_FACTS, Facts, Occurrence

if TYPE_CHECKING:
    from .world import World

Rule = Callable[["World", MediationDN, Any, int], None]


def queued(world: World, queue: MediationDN, event: e.CallEvent, t: int) -> None:
    """The call enters. A call that already waits here is the same visit."""
    call = world.call(event, t)
    if call in queue.calls:
        return
    wait = Occurrence(actions.WAITING[call_type_of(event.call_type)], t, queue, call)
    queue.calls[call] = wait
    call.visits[queue] = Visit(queue, t, wait)
    world.chronicle.happened(queue, CODES["CallEntered"], 0, call)
    world.chronicle.began(wait)


def diverted(world: World, queue: MediationDN, event: e.EventDiverted, t: int) -> None:
    """The call leaves for somewhere, or is taken out (a virtual queue that is cleared)."""
    call = _told(world, event, t)
    visit = call.visits.get(queue) if call is not None else None
    if call is None or visit is None or visit.wait is None:
        return
    target = event.third_party_dn
    if event.call_state == "Cleared" or not target:
        name = "CallCleared"
    elif world.is_mediation_dn(target):
        name = "CallDistributedToQueue"
    else:
        name = "CallDistributed"
    _leave(world, queue, call, visit, name, t)
    if name == "CallDistributed":
        visit.target = target
        # The phone may ring, even talk, before the queue says so.
        world.distributed(call, visit, t)
    else:
        _settle(world, call, queue)


def abandoned(world: World, queue: MediationDN, event: e.EventAbandoned, t: int) -> None:
    """The caller hung up while he waited."""
    _left(world, queue, event, "CallAbandoned", t)


def released(world: World, queue: MediationDN, event: e.EventReleased, t: int) -> None:
    """The call ended here without a result."""
    _left(world, queue, event, "CallCleared", t)


def _left(world: World, queue: MediationDN, event: e.CallEvent, name: str, t: int) -> None:
    call = _told(world, event, t)
    visit = call.visits.get(queue) if call is not None else None
    if call is not None and visit is not None and visit.wait is not None:
        _leave(world, queue, call, visit, name, t)
        _settle(world, call, queue)


def _leave(world: World, queue: MediationDN, call: Call, visit: Visit, name: str, t: int) -> None:
    assert visit.wait is not None
    world.chronicle.ended(visit.wait)
    visit.wait = None
    del queue.calls[call]
    world.chronicle.happened(queue, CODES[name], t - visit.entered, call)


def _settle(world: World, call: Call, queue: MediationDN) -> None:
    del call.visits[queue]
    world.forget_if_over(call)


def _told(world: World, event: e.CallEvent, t: int) -> Call | None:
    call = world.calls.get(event.conn_id)
    if call is not None and call.learn(event, t):
        world.data_changed(call)
    return call


def told(world: World, queue: MediationDN, event: e.CallEvent, t: int) -> None:
    """Facts about a waiting call."""
    _told(world, event, t)


def party_changed(world: World, queue: MediationDN, event: e.EventPartyChanged, t: int) -> None:
    """The waiting call goes on under another ConnID.

    Normally that is a new call here, whose durations start anew; with
    ``vq-use-alt-enter-time`` a virtual queue keeps the original enter time.
    """
    former = world.calls.get(event.previous_conn_id)
    visit = former.visits.get(queue) if former is not None else None
    if former is None or visit is None or visit.wait is None:
        return
    entered, spent = visit.entered, t - visit.entered
    world.chronicle.ended(visit.wait)
    del queue.calls[former]
    _settle(world, former, queue)
    queued(world, queue, event, t)
    call = world.calls[event.conn_id]
    if world.keeps_enter_time(queue):
        call.visits[queue].entered = entered
    world.chronicle.happened(queue, CODES["CallPartyChanged"], spent, call)


def treatment_applied(
    world: World, queue: MediationDN, event: e.EventTreatmentApplied, t: int
) -> None:
    """Music or an announcement begins."""
    call = _told(world, event, t)
    visit = call.visits.get(queue) if call is not None else None
    if visit is not None:
        visit.treatment_since = t
    told = _treatment(event.treatment_type)
    world.chronicle.happened(queue, CODES["CallTreatmentStarted"], 0, call, told)


def treatment_not_applied(
    world: World, queue: MediationDN, event: e.EventTreatmentNotApplied, t: int
) -> None:
    """The treatment could not begin."""
    call, told = _told(world, event, t), _treatment(event.treatment_type)
    world.chronicle.happened(queue, CODES["CallTreatmentNotStarted"], 0, call, told)


def treatment_end(world: World, queue: MediationDN, event: e.EventTreatmentEnd, t: int) -> None:
    """The treatment is over."""
    call = _told(world, event, t)
    visit = call.visits.get(queue) if call is not None else None
    if call is None or visit is None or visit.treatment_since is None:
        return
    since, visit.treatment_since = visit.treatment_since, None
    told = _treatment(event.treatment_type)
    world.chronicle.happened(queue, CODES["CallTreatmentCompleted"], t - since, call, told)


def _treatment(kind: str) -> Facts:
    return {"TreatmentType": kind} if kind else NO_FACTS


def user_event(world: World, queue: MediationDN, event: e.EventUserEvent, t: int) -> None:
    """A message for whoever listens to this DN."""
    for name in ("UserEvent", "UserEventReceived"):
        world.chronicle.happened(queue, CODES[name], 0, reasons=event.user_data or {})


def clean(world: World, call: Call, visit: Visit, t: int) -> None:
    """Remove a waiting call whose end was never told."""
    if visit.wait is not None:
        _leave(world, visit.queue, call, visit, "StuckCallCleaned", t)
    call.visits.pop(visit.queue, None)


def drop(world: World, queue: MediationDN, call: Call, t: int) -> None:
    """Let go of a waiting call because we can no longer hear the DN."""
    visit = call.visits.pop(queue)
    if visit.wait is not None:
        world.chronicle.ended(visit.wait)
        del queue.calls[call]
    world.forget_if_over(call)


RULES: dict[type[e.TEvent], Rule] = {
    e.EventQueued: queued,
    e.EventRouteRequest: queued,
    e.EventDiverted: diverted,
    e.EventAbandoned: abandoned,
    e.EventReleased: released,
    e.EventPartyChanged: party_changed,
    e.EventRouteUsed: told,
    e.EventAttachedDataChanged: told,
    e.EventCallInfoChanged: told,
    e.EventPartyInfo: told,
    e.EventTreatmentRequired: told,
    e.EventTreatmentApplied: treatment_applied,
    e.EventTreatmentNotApplied: treatment_not_applied,
    e.EventTreatmentEnd: treatment_end,
    e.EventUserEvent: user_event,
}
