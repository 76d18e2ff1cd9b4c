"""A customer calls: through an ACD queue, two at once, or a route point with a virtual queue.

Sequences: domain/t-events.md section 3, models 5 to 11.
"""

from __future__ import annotations

import enum
from collections.abc import Generator

from ..tlib.events import (
    EventAbandoned,
    EventDiverted,
    EventEstablished,
    EventQueued,
    EventReleased,
    EventRinging,
    EventRouteRequest,
    EventRouteUsed,
    EventTreatmentApplied,
)
from .agenda import Story
from .agent_day import not_answering
from .floor import Floor
from .parties import Agent, Call, Queue
from .settings import ROUTE_POINT
from .talks import talk

SEGMENTS = ("gold", "silver", "bronze")
LANGUAGES = ("English", "Spanish", "German")


class Rang(enum.Enum):
    """How ringing at an agent ended."""

    ANSWERED = "answered"
    GAVE_UP = "gave up"  # the customer did
    REDIRECTED = "redirected"  # the agent did not answer; the switch took the call back


def customer(floor: Floor) -> tuple[Call, Story]:
    """A customer who calls now."""
    rng, settings = floor.rng, floor.settings
    via_route_point = floor.happens(settings.route_point)
    queue = rng.choice(floor.queues)
    call = floor.new_call(
        "Inbound",
        ani=f"555{rng.randrange(10_000):04d}",
        dnis=ROUTE_POINT if via_route_point else queue.dn,
        user_data={"Segment": rng.choice(SEGMENTS), "Language": rng.choice(LANGUAGES)},
    )
    if via_route_point:
        return call, routed(floor, call)
    second = rng.choice(floor.queues)
    both = second is not queue and floor.happens(settings.second_queue)
    return call, acd(floor, call, (queue, second) if both else (queue,))


def acd(floor: Floor, call: Call, queues: tuple[Queue, ...], state: str = "Ok") -> Story:
    """Wait, ring, and talk.

    An agent who does not answer sends the call back (model 8), and one who does
    may pass it on to a queue.
    """
    while True:
        agent = yield from _wait(floor, call, queues, state)
        if agent is None:
            return
        rang = yield from ring(floor, call, agent)
        if rang is Rang.GAVE_UP:
            return
        state = "Redirected"
        if rang is Rang.ANSWERED:
            queue = yield from talk(floor, call, agent)
            if queue is None:
                return
            queues, state = (queue,), "Ok"


def _wait(
    floor: Floor, call: Call, queues: tuple[Queue, ...], state: str
) -> Generator[float, bool, Agent | None]:
    """Wait in the queues; the agent who takes the call, None where the customer gave up."""
    call.this_queue = ""
    for queue in queues:
        floor.tell(EventQueued, queue.dn, call, call_state=state, **_at_queue(call, queue))
    floor.join(call, queues)
    if call.agent is None:
        yield floor.about(floor.settings.patience)
    if call.agent is None:
        floor.leave(call)
        for queue in queues:
            floor.tell(EventAbandoned, queue.dn, call, **_at_queue(call, queue))
        return None
    agent = call.agent
    call.this_queue = next(queue.dn for queue in queues if queue in agent.queues)
    for queue in queues:
        target = {"third_party_dn": agent.dn, "third_party_dn_role": "Destination"}
        floor.tell(EventDiverted, queue.dn, call, **_at_queue(call, queue), **target)
    return agent


def _at_queue(call: Call, queue: Queue) -> dict[str, str]:
    return {"this_queue": queue.dn, "this_dn_role": "Destination", "other_dn": call.ani}


def ring(floor: Floor, call: Call, agent: Agent) -> Generator[float, bool, Rang]:
    """Ring at an agent whom this story has seized."""
    settings = floor.settings
    who = {"this_dn_role": "Destination", "other_dn": call.ani}
    floor.tell(EventRinging, agent.dn, call, **who)
    if floor.happens(settings.rona):
        yield floor.exactly(settings.ring_max)
        floor.tell(EventReleased, agent.dn, call, call_state="Redirected", **who)
        floor.agenda.start(not_answering(floor, agent))
        return Rang.REDIRECTED
    yield min(floor.about(settings.ring), floor.exactly(settings.ring_max))
    if floor.happens(settings.abandon_ringing):
        floor.tell(EventAbandoned, agent.dn, call, **who)
        floor.free(agent)
        return Rang.GAVE_UP
    floor.tell(EventEstablished, agent.dn, call, **who)
    return Rang.ANSWERED


def routed(floor: Floor, call: Call) -> Story:
    """Models 10 and 11: the router waits in the virtual queue for a target.

    Where it finds none in time, it takes the call off the virtual queue and
    sends it to an ACD queue.
    """
    virtual = floor.virtual_queue
    at_point = {"this_dn_role": "Destination", "other_dn": call.ani}
    floor.tell(EventQueued, ROUTE_POINT, call, **at_point)
    floor.tell(EventRouteRequest, ROUTE_POINT, call, **at_point)
    yield floor.exactly(1)
    floor.tell(EventTreatmentApplied, ROUTE_POINT, call, treatment_type="Music")
    floor.tell(EventQueued, virtual.dn, call, **_at_queue(call, virtual))
    floor.join(call, (virtual,))
    patience, route_max = floor.about(floor.settings.patience), floor.settings.route_max
    if call.agent is None:
        yield min(patience, floor.exactly(route_max))
    if call.agent is not None:
        yield from _route_to_agent(floor, call, call.agent)
        return
    floor.leave(call)
    if patience < floor.exactly(route_max):
        floor.tell(EventAbandoned, virtual.dn, call, **_at_queue(call, virtual))
        floor.tell(EventAbandoned, ROUTE_POINT, call, **at_point)
        return
    queue = floor.rng.choice(floor.queues)
    _leave_point(floor, call, queue.dn)
    at_virtual = _at_queue(call, virtual)
    floor.tell(EventDiverted, virtual.dn, call, call_state="Cleared", **at_virtual)
    yield from acd(floor, call, (queue,))


def _route_to_agent(floor: Floor, call: Call, agent: Agent) -> Story:
    _leave_point(floor, call, agent.dn)
    chosen = {"RTargetAgentSelected": agent.name, "RTargetPlaceSelected": agent.place}
    call.user_data = {**(call.user_data or {}), **chosen}
    target = {"third_party_dn": agent.dn, "third_party_dn_role": "Destination"}
    virtual = floor.virtual_queue
    floor.tell(EventDiverted, virtual.dn, call, **_at_queue(call, virtual), **target)
    rang = yield from ring(floor, call, agent)
    if rang is Rang.ANSWERED:
        queue = yield from talk(floor, call, agent)
        if queue is not None:
            yield from acd(floor, call, (queue,))
    elif rang is Rang.REDIRECTED:
        yield from acd(floor, call, (floor.rng.choice(floor.queues),), "Redirected")


def _leave_point(floor: Floor, call: Call, target: str) -> None:
    for kind in (EventRouteUsed, EventDiverted):
        floor.tell(kind, ROUTE_POINT, call, third_party_dn=target, other_dn=call.ani)
