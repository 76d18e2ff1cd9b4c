"""Monitoring: whether we hear a DN at all, and what it does when we begin to.

::

    NotMonitored ── link and T-Server up ──> Monitored ── any word of the DN ──> its actions
         ↑                                                                          │
         └────── link lost, T-Server lost, unregistered, out of service ────────────┘

On a loss every durable action ends at once and nothing else is counted for it:
we did not see an end. When the DN is heard again, what the snapshot shows begins
at that moment, for we did not see its beginning either (t-events.md §1.4).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..tlib import events as e
from . import actions, mediation_dn, regular_dn, served_queues, snapshots
from .agent_state import (
    LOGGED_IN,
    NOT_READY,
    OFF_HOOK,
    ON_HOOK,
    WAIT,
    log_in,
    log_out,
    put,
    set_agent_state,
)
from .calls import Visit
from .nodes import LOGGED_OUT, MONITORED, NOT_MONITORED, DNNode, MediationDN, RegularDN
from .occurrences import NO_FACTS, Occurrence

if TYPE_CHECKING:
    from .world import World

WorldRule = Callable[["World", Any, int], None]
Rule = Callable[["World", Any, Any, int], None]

AGENT_STATES = {"ready": WAIT, "not ready": NOT_READY}


# -- losing a DN --------------------------------------------------------------------------


def lose(world: World, dn: DNNode, t: int) -> None:
    """We no longer hear the DN."""
    monitor = dn.state.get("monitor")
    if monitor is not None and monitor.action == NOT_MONITORED:
        return
    if isinstance(dn, RegularDN):
        for leg in list(dn.legs.values()):
            regular_dn.drop(world, dn, leg)
        dn.acw_pending = dn.before_dnd = None
        dn.acw_visits = ()
        dn.watching = ""
        served_queues.fall_silent(world, dn)
    elif isinstance(dn, MediationDN):
        for call in list(dn.calls):
            mediation_dn.drop(world, dn, call, t)
    for slot in list(dn.state):
        _end_quietly(world, dn, slot)
    _set_monitor(world, dn, NOT_MONITORED, t)
    world.refound[dn] = None
    world.chronicle.restatus(dn, t)


def _end_quietly(world: World, dn: DNNode, slot: str) -> None:
    """End what goes on in ``slot`` without anything that a real end would cause."""
    world.chronicle.ended(dn.state.pop(slot))


def _set_monitor(world: World, dn: DNNode, action: int, t: int) -> None:
    present = dn.state.get("monitor")
    if present is not None:
        world.chronicle.ended(present)
    occurrence = Occurrence(action, t, dn)
    dn.state["monitor"] = occurrence
    world.chronicle.began(occurrence)


# -- hearing a DN -------------------------------------------------------------------------


def expect(world: World, dn: DNNode, t: int) -> None:
    """Link and T-Server are there; the DN's own word is still to come."""
    if dn.state.get("monitor") is not None and dn.state["monitor"].action == NOT_MONITORED:
        _set_monitor(world, dn, MONITORED, t)
        world.refound[dn] = None
        world.chronicle.restatus(dn, t)


def hear(world: World, dn: DNNode, t: int) -> None:
    """The DN said something: it is monitored. Idle on the hook until it says otherwise."""
    monitor = dn.state.get("monitor")
    if monitor is None:
        return
    if isinstance(dn, MediationDN):
        if monitor.action == NOT_MONITORED:
            _set_monitor(world, dn, MONITORED, t)
            world.refound[dn] = None
        return
    world.refound[dn] = None
    _end_quietly(world, dn, "monitor")
    if "hook" not in dn.state:
        put_hook(world, dn, ON_HOOK, t)


def heard(world: World, dn: DNNode, t: int) -> None:
    """The first word of the DN is taken in: somebody is logged in there, or nobody is.

    An agent we knew there before a loss, and of whom it says nothing, still is.
    """
    if not isinstance(dn, RegularDN) or "monitor" in dn.state or "login" in dn.state:
        return
    put(world, dn, "login", LOGGED_OUT if dn.agent is None else LOGGED_IN, t)
    if dn.agent is not None:
        served_queues.refresh(world, dn, t)


def put_hook(world: World, dn: DNNode, action: int, t: int) -> None:
    """Let the receiver be up or down from ``t`` on."""
    assert isinstance(dn, RegularDN)
    if "hook" not in dn.state or dn.state["hook"].action != action:
        put(world, dn, "hook", action, t)


def snapshot(world: World, dn: DNNode, event: e.Snapshot, t: int) -> None:
    """Bring what we believe of the DN in line with what the T-Server says of it."""
    if isinstance(dn, MediationDN):
        hear(world, dn, t)
        seen = snapshots.read(event)
        if seen.tells_calls:
            _waiting_calls(world, dn, seen, t)
        return
    assert isinstance(dn, RegularDN)
    seen = snapshots.read(event)
    lost_sync = seen.agent_status == "ready" and seen.off_hook is True and not seen.calls
    if lost_sync and "monitor" in dn.state:
        # The switch says busy and names no call: only LoggedIn goes on, and so is the status.
        _end_quietly(world, dn, "monitor")
        log_in(world, dn, event.agent_id, "", t)
        return
    hear(world, dn, t)
    if seen.off_hook is not None:
        put_hook(world, dn, OFF_HOOK if seen.off_hook else ON_HOOK, t)
    if seen.tells_calls:
        _calls(world, dn, seen, t)
    _agent(world, dn, event.agent_id, seen, t)


def _agent(world: World, dn: RegularDN, agent_id: str, seen: snapshots.Seen, t: int) -> None:
    if seen.agent_status == "logged out" or (seen.tells_calls and not agent_id):
        if dn.agent is not None:
            log_out(world, dn, t)
        return
    if not agent_id:
        return
    log_in(world, dn, agent_id, "", t)
    facts = dict(seen.reasons) if seen.reasons else None
    present = dn.state.get("agent")
    behind_dnd = False
    if seen.agent_status in AGENT_STATES:
        action = AGENT_STATES[seen.agent_status]
        behind_dnd = action == WAIT and seen.dnd and world.options.dnd_means_not_ready
        action = NOT_READY if behind_dnd else action
    elif seen.agent_status == "after-call work":
        action = actions.AFTER_CALL_WORK[dn.acw_call_type]
    else:
        return
    if present is None or present.action != action:
        set_agent_state(world, dn, action, t, facts or NO_FACTS)
    if behind_dnd:
        dn.before_dnd = facts or NO_FACTS
    served_queues.refresh(world, dn, t)


def _calls(world: World, dn: RegularDN, seen: snapshots.Seen, t: int) -> None:
    listed = {call.conn_id: call for call in seen.calls if call.phase is not None}
    for conn_id in [conn_id for conn_id in dn.legs if conn_id not in listed]:
        regular_dn.drop(world, dn, dn.legs[conn_id])
    for conn_id, found in listed.items():
        if conn_id not in dn.legs:
            call = world.call_by_id(conn_id, t)
            assert found.phase is not None
            regular_dn.resume(world, dn, call, found.call_type, found.phase, found.held, t)


def _waiting_calls(world: World, queue: MediationDN, seen: snapshots.Seen, t: int) -> None:
    listed = {call.conn_id: call for call in seen.calls}
    for call in [call for call in queue.calls if call.conn_id not in listed]:
        mediation_dn.drop(world, queue, call, t)
    for conn_id, found in listed.items():
        call = world.call_by_id(conn_id, t)
        if call not in queue.calls:
            wait = Occurrence(actions.WAITING[found.call_type], t, queue, call)
            queue.calls[call] = wait
            call.visits[queue] = Visit(queue, t, wait)
            world.chronicle.began(wait)


def out_of_service(world: World, dn: DNNode, event: e.TEvent, t: int) -> None:
    """The switch lost the device: as good as not hearing it (our decision)."""
    if not isinstance(dn, RegularDN):
        lose(world, dn, t)
        return
    dn.before_outage = dn.state.get("agent", dn.before_outage)
    before_dnd = dn.before_dnd
    lose(world, dn, t)
    dn.before_dnd = before_dnd


def back_in_service(world: World, dn: DNNode, event: e.TEvent, t: int) -> None:
    """The device is back; nobody repeats the agent's state, so what it was goes on."""
    hear(world, dn, t)
    if isinstance(dn, RegularDN) and dn.agent is not None:
        put(world, dn, "login", LOGGED_IN, t)
        before, dn.before_outage = dn.before_outage, None
        before_dnd = dn.before_dnd
        if before is not None:
            set_agent_state(world, dn, before.action, t, before.reasons)
        dn.before_dnd = before_dnd
        served_queues.refresh(world, dn, t)


def unregistered(world: World, dn: DNNode, event: e.TEvent, t: int) -> None:
    """We are no longer told about the DN; without configuration it has no agent either."""
    forget(world, dn, t)


def forget(world: World, dn: DNNode, t: int) -> None:
    """Lose a DN that serves no queue from now on."""
    if isinstance(dn, RegularDN):
        served_queues.leave_all(world, dn)
    lose(world, dn, t)


# -- the whole source ---------------------------------------------------------------------


def source_up(world: World, event: e.TEvent, t: int) -> None:
    """The switch can be heard: every DN is waited for."""
    for dn in world.dns():
        expect(world, dn, t)


def source_down(world: World, event: e.TEvent, t: int) -> None:
    """Nothing can be heard any more."""
    for dn in world.dns():
        lose(world, dn, t)


def nothing(world: World, event: e.TEvent, t: int) -> None:
    """The session's own affairs; no object is concerned."""


WORLD_RULES: dict[type[e.TEvent], WorldRule] = {
    e.EventServerConnected: nothing,
    e.EventServerDisconnected: source_down,
    e.EventLinkConnected: source_up,
    e.EventLinkDisconnected: source_down,
    e.EventPrimaryChanged: nothing,
    e.EventError: nothing,
}

DN_RULES: dict[type[e.TEvent], Rule] = {
    e.EventRegistered: snapshot,
    e.EventAddressInfo: snapshot,
    e.EventUnregistered: unregistered,
    e.EventDNOutOfService: out_of_service,
    e.EventDNBackInService: back_in_service,
}
