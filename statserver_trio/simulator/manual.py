"""Calls that agents make themselves: to each other, and to the world outside.

Sequences: domain/t-events.md section 3, models 1 to 4 and 18.
"""

from __future__ import annotations

from ..tlib.events import (
    EventAbandoned,
    EventDestinationBusy,
    EventDialing,
    EventEstablished,
    EventNetworkReached,
    EventOffHook,
    EventOnHook,
    EventReleased,
    EventRinging,
)
from .agenda import Story
from .floor import Floor
from .parties import Agent

GIVES_UP_RINGING = 0.1  # chance that the caller hangs up first
GIVES_UP_DIALING = 0.05  # chance that the caller thinks better of it (model 3)
NOBODY_HOME = 0.25  # chance that an outbound call is not answered
TRIES_BUSY = 0.15  # chance that a busy colleague is called


def internal_call(floor: Floor, caller: Agent) -> Story:
    """An agent calls a colleague: models 1 to 4."""
    floor.seize(caller)
    busy = floor.happens(TRIES_BUSY)
    called = floor.busy_agent() if busy else floor.free_agent()
    if called is None or called is caller:
        floor.free(caller)
        return
    call = floor.new_call("Internal")
    ours = {"this_dn_role": "Origination", "other_dn": called.dn}
    theirs = {"this_dn_role": "Destination", "other_dn": caller.dn}
    floor.tell(EventDialing, caller.dn, call, **ours)
    if floor.happens(GIVES_UP_DIALING):
        yield floor.exactly(2)
    elif busy:
        yield floor.exactly(1)
        floor.tell(EventDestinationBusy, caller.dn, call, call_state="Busy", **ours)
        yield floor.about(floor.settings.ring)
    else:
        floor.seize(called)
        floor.tell(EventRinging, called.dn, call, **theirs)
        yield floor.about(floor.settings.ring)
        answered = not floor.happens(GIVES_UP_RINGING)
        if answered:
            floor.tell(EventEstablished, called.dn, call, **theirs)
            floor.tell(EventEstablished, caller.dn, call, **ours)
            yield floor.about(floor.settings.manual_talk)
        floor.tell(EventReleased, caller.dn, call, **ours)
        floor.tell(EventReleased if answered else EventAbandoned, called.dn, call, **theirs)
        floor.free(called)
        floor.free(caller)
        return
    floor.tell(EventReleased, caller.dn, call, **ours)
    floor.free(caller)


def outbound_call(floor: Floor, caller: Agent) -> Story:
    """An agent calls a customer: model 18."""
    floor.seize(caller)
    call = floor.new_call("Outbound", user_data={"Campaign": "Renewals"})
    ours = {"this_dn_role": "Origination", "other_dn": f"555{floor.rng.randrange(10_000):04d}"}
    floor.say(EventOffHook(this_dn=caller.dn))
    yield floor.exactly(1)
    floor.tell(EventDialing, caller.dn, call, **ours)
    yield floor.exactly(3)
    floor.tell(EventNetworkReached, caller.dn, call, **ours)
    yield floor.about(floor.settings.ring)
    if not floor.happens(NOBODY_HOME):
        floor.tell(EventEstablished, caller.dn, call, **ours)
        yield floor.about(floor.settings.manual_talk)
    floor.tell(EventReleased, caller.dn, call, **ours)
    floor.say(EventOnHook(this_dn=caller.dn))
    floor.free(caller)
