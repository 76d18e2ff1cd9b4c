"""Supervision: who listens to whose call, and how; seen from both ends.

A supervisor who joins a call to listen is no party of the conversation. His DN
has a leg that *observes*; what goes on there, and at every party he observes,
depends on how he does it:

====================  ===============================  ===================
how (mode)            at the supervisor                at the agent
====================  ===============================  ===================
monitoring            CallObserving...                 CallObserved..., BeingMonitored
coaching              CallObserving...,                CallObserved..., BeingCoached
                      CoachingByIntrusionInitiated
coaching on request   CallObserving...,                CallObserved..., BeingCoached
                      CoachingByRequestInitiated
====================  ===============================  ===================

all durable, and typed by the call type of the leg where they go on. They begin
when both are there, and end when either leaves (statistics.md §4.3). Which
T-events that is: the role Observer in the supervisor's EventEstablished, or in
an EventPartyAdded at the agent, whose supervisor may sit at a DN that we do not
hear; EventListenDisconnected and EventListenReconnected on the supervisor's DN
interrupt it; EventMonitoringNextCall says beforehand whom he is going to observe
(t-events.md §2.4).

The public pages name these actions and hardly more, so the rest is our decision:

* how he observes is told in the Extensions, with the keys SIP switches use (:data:`WORDS`);
  where they say nothing, he monitors;
* one who speaks with everybody (``connect``) observes nobody: he is a party like the
  others, from the moment it is said;
* whom he observes: the party announced before, else the one named as OtherDN where
  that is a DN of ours, else everybody who talks;
* an observer has no conversation: none of its actions, no after-call work, and nothing
  reflected at the queue of the call; he is counted as no party of a conference either.
  That his telephone rings and is answered counts as it does for everybody;
* CoachingRequested happens at the agent's DN when the supervisor's leg begins;
* observing decides no status, as it is not in the table of priorities.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..tlib import events as e
from . import actions
from .actions import CODES
from .calls import Call, Leg, Observer, Phase
from .legs import begin, end, enter, find_leg, leave
from .nodes import RegularDN

if TYPE_CHECKING:
    from .world import World

Rule = Callable[["World", RegularDN, Any, int], None]

MONITORING, COACHING, ON_REQUEST = "monitoring", "coaching", "coaching on request"
CONNECTED = "connected"  # no observation at all: he takes part

# How -> what goes on besides CallObserving at the supervisor, and CallObserved at the agent.
MODES: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    MONITORING: ((), (CODES["BeingMonitored"],)),
    COACHING: ((CODES["CoachingByIntrusionInitiated"],), (CODES["BeingCoached"],)),
    ON_REQUEST: ((CODES["CoachingByRequestInitiated"],), (CODES["BeingCoached"],)),
}
# What Extensions say: key, value -> how. AssistMode is what the agent asked for.
WORDS: dict[tuple[str, str], str] = {
    ("MonitorMode", "normal"): MONITORING,
    ("MonitorMode", "mute"): MONITORING,
    ("MonitorMode", "coach"): COACHING,
    ("MonitorMode", "connect"): CONNECTED,
    ("AssistMode", "coach"): ON_REQUEST,
    ("AssistMode", "connect"): CONNECTED,
}
WORD_KEYS = tuple(dict.fromkeys(key for key, _ in WORDS))
OBSERVER = "Observer"

OF_SUPERVISION = frozenset(
    {*actions.OBSERVING.values(), *actions.OBSERVED.values()}
    | {code for at_both in MODES.values() for codes in at_both for code in codes}
)


# -- how and whom -------------------------------------------------------------------------


def _word(extensions: dict[str, Any] | None) -> str:
    """How he observes by the Extensions; empty where they do not say."""
    for key in WORD_KEYS if extensions else ():
        found = WORDS.get((key, str((extensions or {}).get(key, ""))))
        if found is not None:
            return found
    return ""


def mode_of(
    dn: RegularDN, call: Call | None, event: e.EventRinging | e.EventEstablished
) -> str | None:
    """How the party that ``event`` brings into the call observes it; None: it does not."""
    observers = None if call is None else call.observers
    if not observers and not event.extensions and event.this_dn_role != OBSERVER:
        return None  # as nearly always
    said = _word(event.extensions)
    known = observers.get(dn.key.number) if observers else None
    if said == CONNECTED:
        return None
    if known is not None and not known.left:
        return said or known.mode
    return said or (MONITORING if event.this_dn_role == OBSERVER else None)


def _watched(world: World, dn: RegularDN, other_dn: str) -> str:
    for number in (dn.watching, other_dn):
        if number != dn.key.number and isinstance(world.dn(number), RegularDN):
            return number
    return ""


# -- joining ------------------------------------------------------------------------------


def announce(world: World, mode: str, event: e.CallEvent) -> None:
    """A supervisor's leg begins; where an agent asked for it, he has asked now."""
    if mode != ON_REQUEST:
        return
    for number in (event.third_party_dn, event.other_dn):
        agent = world.dn(number)
        if isinstance(agent, RegularDN):
            call = world.calls[event.conn_id]
            world.chronicle.happened(agent, CODES["CoachingRequested"], 0, call)
            return


def join(world: World, dn: RegularDN, leg: Leg, mode: str, other_dn: str, t: int) -> None:
    """The leg, in which nothing goes on any more, observes from now on."""
    observer = leg.call.observers.get(dn.key.number)
    if observer is None or observer.left:
        observer = Observer(mode, _watched(world, dn, other_dn))
        leg.call.observers[dn.key.number] = observer
    observer.mode = mode
    leg.visits = ()
    enter(world, dn, leg, Phase.OBSERVING, t)


def party_added(world: World, dn: RegularDN, leg: Leg, event: e.EventPartyAdded) -> bool:
    """Whether the new party only observes; then it observes this DN."""
    if event.other_dn_role != OBSERVER:
        return False
    mode = _word(event.extensions) or MONITORING
    observers = leg.call.observers
    if mode != CONNECTED and event.other_dn and event.other_dn not in observers:
        observers[event.other_dn] = Observer(mode, dn.key.number)
        refresh(world, leg.call)
    return mode != CONNECTED


def party_deleted(world: World, leg: Leg, event: e.EventPartyDeleted) -> bool:
    """Whether the party that left only observed."""
    if leg.call.observers.pop(event.other_dn, None) is None:
        return False
    refresh(world, leg.call)
    return True


def move(world: World, dn: RegularDN, leg: Leg, observer: Observer, t: int) -> None:
    """The observed call goes on under another ConnID."""
    observer.seen = observer.left = False  # the party he observes may come after him
    leg.call.observers[dn.key.number] = observer
    enter(world, dn, leg, Phase.OBSERVING, t)


# -- what goes on -------------------------------------------------------------------------


def refresh(world: World, call: Call) -> None:
    """Bring what goes on at every party in line with who observes whom.

    In the order of the DNs, not in that of their joining: a pair must agree.
    """
    legs = sorted(call.legs.items(), key=lambda pair: pair[0].key)
    wanted: dict[RegularDN, dict[int, None]] = {dn: {} for dn, _ in legs}
    talking = [
        (dn, leg)
        for dn, leg in legs
        if leg.phase is Phase.TALKING and dn.key.number not in call.observers
    ]
    for number, observer in call.observers.items():
        observed = [(dn, leg) for dn, leg in talking if observer.watches in ("", dn.key.number)]
        is_over = observer.seen and not observed
        observer.seen = observer.seen or bool(observed)
        if observer.deaf or observer.left or is_over:
            continue
        at_supervisor, at_agent = MODES[observer.mode]
        for dn, leg in observed:
            wanted[dn] |= dict.fromkeys((actions.OBSERVED[leg.call_type], *at_agent))
        for dn, leg in legs:
            if dn.key.number == number and leg.phase is Phase.OBSERVING:
                wanted[dn] |= dict.fromkeys((actions.OBSERVING[leg.call_type], *at_supervisor))
    for dn, codes in wanted.items():
        _change(world, dn, call.legs[dn], codes)


def _change(world: World, dn: RegularDN, leg: Leg, wanted: dict[int, None]) -> None:
    present = [each for each in leg.going_on if each.action in OF_SUPERVISION]
    for occurrence in present:
        if occurrence.action not in wanted:
            end(world, leg, occurrence)
    going_on = {each.action for each in present}
    for action in wanted:
        if action not in going_on:
            begin(world, dn, leg, action, world.now)


# -- rules --------------------------------------------------------------------------------


def party_info(world: World, dn: RegularDN, event: e.EventPartyInfo, t: int) -> None:
    """Facts about the call; among them that a supervisor goes on in another way."""
    leg = find_leg(world, dn, event, t)
    said = _word(event.extensions)
    if leg is None or not said:
        return
    if leg.phase is Phase.OBSERVING and said == CONNECTED:
        leg.call.observers.pop(dn.key.number, None)
        leave(world, leg)
        enter(world, dn, leg, Phase.TALKING, t)
    elif leg.phase is Phase.OBSERVING:
        observer = leg.call.observers.get(dn.key.number)
        if observer is not None:
            observer.mode = said
            refresh(world, leg.call)
    elif leg.phase is Phase.TALKING and said != CONNECTED:
        leave(world, leg)
        completed = actions.COMPLETED[leg.call_type]
        world.chronicle.happened(dn, completed, t - leg.since, leg.call)
        join(world, dn, leg, said, event.other_dn, t)


def _hears(deaf: bool) -> Rule:
    def rule(world: World, dn: RegularDN, event: e.CallEvent, t: int) -> None:
        leg = find_leg(world, dn, event, t)
        observer = leg.call.observers.get(dn.key.number) if leg is not None else None
        if leg is not None and observer is not None:
            observer.deaf = deaf
            refresh(world, leg.call)

    return rule


def monitoring_next_call(
    world: World, dn: RegularDN, event: e.EventMonitoringNextCall, t: int
) -> None:
    """The supervisor at this DN will observe the calls of the other one."""
    dn.watching = event.other_dn


def monitoring_cancelled(
    world: World, dn: RegularDN, event: e.EventMonitoringCancelled, t: int
) -> None:
    """He will not. What he observes already ends with his leg."""
    dn.watching = ""


RULES: dict[type[e.TEvent], Rule] = {
    e.EventPartyInfo: party_info,
    e.EventListenDisconnected: _hears(deaf=True),
    e.EventListenReconnected: _hears(deaf=False),
    e.EventMonitoringNextCall: monitoring_next_call,
    e.EventMonitoringCancelled: monitoring_cancelled,
}
