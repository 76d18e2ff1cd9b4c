"""What may become of a customer's call once an agent has answered it.

Sequences: domain/t-events.md section 3, models 12 and 15, and 2.6 for user
data; those with a second call are in :mod:`.consults`. Every story here has
the agent when it begins, and sees to it that he is freed.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from itertools import accumulate

from ..tlib.events import (
    EventAbandoned,
    EventAttachedDataChanged,
    EventEstablished,
    EventHeld,
    EventReleased,
    EventRetrieved,
    EventRinging,
)
from .agenda import Story
from .agent_day import after_call_work
from .consults import alternate, conference, finish, plain, release, transfer
from .floor import Floor
from .parties import Agent, Call, Queue

OUTCOMES = ("Sold", "Solved", "CallBack", "Complaint")
TRANSFERS_MAX = 1  # a call that was passed on once is not passed on again
HANGS_UP_ON_HOLD = 0.1  # chance
TURNS_GOLD = 0.3  # chance that the agent changes the segment when he notes the outcome

Talk = Callable[[Floor, Call, Agent], Generator[float, bool, Queue | None]]


def talk(floor: Floor, call: Call, agent: Agent) -> Generator[float, bool, Queue | None]:
    """From EventEstablished to the end of the call, whoever has it by then.

    Returns the queue where the agent sent it back to one.
    """
    talks = TALKS if call.transfers < TRANSFERS_MAX else SIMPLE_TALKS
    yield floor.about(floor.settings.talk / 2)
    (chosen,) = floor.rng.choices(list(talks), cum_weights=list(accumulate(talks.values())))
    return (yield from chosen(floor, call, agent))


def _hold(floor: Floor, call: Call, agent: Agent) -> Story:
    """Model 12; a customer who is held too long hangs up."""
    floor.tell(EventHeld, agent.dn, call, other_dn=call.ani)
    yield floor.about(floor.settings.talk / 6)
    if not floor.happens(HANGS_UP_ON_HOLD):
        floor.tell(EventRetrieved, agent.dn, call, other_dn=call.ani)
        yield floor.about(floor.settings.talk / 3)
    finish(floor, call, agent)


def _attach(floor: Floor, call: Call, agent: Agent) -> Story:
    """The agent notes the outcome, and may find out that the customer is worth more."""
    change: dict[str, object] = {"Outcome": floor.rng.choice(OUTCOMES)}
    if floor.happens(TURNS_GOLD):
        change["Segment"] = "gold"
    call.user_data = {**(call.user_data or {}), **change}
    floor.tell(EventAttachedDataChanged, agent.dn, call, third_party_dn=agent.dn)
    yield from plain(floor, call, agent)


def _blind(floor: Floor, call: Call, agent: Agent) -> Story:
    """Model 15: single-step transfer to whoever is free."""
    target = floor.free_agent()
    if target is None:
        yield from plain(floor, call, agent)
        return
    floor.seize(target)
    _send_away(floor, call, agent, target.dn)
    call.this_queue = ""
    at_target = {"this_dn_role": "Destination", "other_dn": call.ani}
    by = {"third_party_dn": agent.dn, "third_party_dn_role": "TransferredBy"}
    floor.tell(EventRinging, target.dn, call, call_state="Transferred", **at_target, **by)
    yield floor.about(floor.settings.ring)
    if floor.happens(floor.settings.abandon_ringing):
        floor.tell(EventAbandoned, target.dn, call, **at_target)
    else:
        floor.tell(EventEstablished, target.dn, call, **at_target)
        yield floor.about(floor.settings.talk / 2)
        release(floor, call, target)
    floor.free(target)


def _to_queue(floor: Floor, call: Call, agent: Agent) -> Generator[float, bool, Queue | None]:
    """Single-step transfer back to a queue."""
    yield floor.about(floor.settings.talk / 4)
    queue = floor.rng.choice(floor.queues)
    _send_away(floor, call, agent, queue.dn)
    return queue


def _send_away(floor: Floor, call: Call, agent: Agent, target: str) -> None:
    call.transfers += 1
    floor.tell(
        EventReleased,
        agent.dn,
        call,
        call_state="Transferred",
        other_dn=call.ani,
        third_party_dn=target,
        third_party_dn_role="Destination",
    )
    floor.agenda.start(after_call_work(floor, agent))


# How often each happens, out of a hundred.
SIMPLE_TALKS: dict[Talk, int] = {plain: 58, _hold: 12, _attach: 10}
TALKS: dict[Talk, int] = {
    **SIMPLE_TALKS,
    transfer: 6,
    conference: 4,
    alternate: 3,
    _blind: 4,
    _to_queue: 3,
}
