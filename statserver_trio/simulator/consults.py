"""Talks with a second call: two-step transfer, conference, alternating; and the plain one.

Sequences: domain/t-events.md section 3, models 13, 14, 16 and 17. The held call
survives; the consultation disappears when it has served its purpose.
"""

from __future__ import annotations

from collections.abc import Generator

from attrs import frozen

from ..tlib.events import (
    EventAbandoned,
    EventDestinationBusy,
    EventDialing,
    EventEstablished,
    EventHeld,
    EventPartyAdded,
    EventPartyChanged,
    EventPartyDeleted,
    EventReleased,
    EventRetrieved,
    EventRinging,
)
from .agenda import Story
from .agent_day import after_call_work
from .floor import Floor
from .parties import Agent, Call

CONSULT_UNANSWERED = 0.15  # chance that the consulted agent lets it ring
EARLY_COMPLETION = 0.2  # chance that a transfer is completed while it rings (model 14)
LEAVES_FIRST = 0.5  # chance that the consulted agent leaves a conference before its end


@frozen
class Consultation:
    """A second call that reached somebody.

    Attributes:
        answered: False while it still rings at ``target``.
    """

    call: Call
    target: Agent
    answered: bool


def plain(floor: Floor, call: Call, agent: Agent) -> Story:
    """Nothing special, until one of them hangs up."""
    yield floor.about(floor.settings.talk / 2)
    finish(floor, call, agent)


def transfer(floor: Floor, call: Call, agent: Agent) -> Story:
    """Models 13 and 14: hold, consult, hand over."""
    consultation = yield from _consult(floor, call, agent, EARLY_COMPLETION)
    if consultation is None:
        yield from plain(floor, call, agent)
        return
    second, target = consultation.call, consultation.target
    call.transfers += 1
    _leave(floor, call, second, agent, target, "Transferred")
    floor.tell(EventReleased, agent.dn, call, call_state="Transferred", other_dn=call.ani)
    floor.agenda.start(after_call_work(floor, agent))
    call.this_queue = ""
    floor.tell(
        EventPartyChanged,
        target.dn,
        call,
        call_state="Transferred",
        previous_conn_id=second.conn_id,
        this_dn_role="Destination",
        other_dn=call.ani,
        third_party_dn=agent.dn,
        third_party_dn_role="TransferredBy",
    )
    if not consultation.answered:
        yield floor.about(floor.settings.ring)
        floor.tell(EventEstablished, target.dn, call, other_dn=call.ani)
    yield floor.about(floor.settings.talk / 2)
    release(floor, call, target)
    floor.free(target)


def conference(floor: Floor, call: Call, agent: Agent) -> Story:
    """Model 16: hold, consult, all together; now and then the third leaves first."""
    consultation = yield from _consult(floor, call, agent)
    if consultation is None:
        yield from plain(floor, call, agent)
        return
    second, target = consultation.call, consultation.target
    state = {"call_state": "Conferenced"}
    _leave(floor, call, second, agent, target, "Conferenced")
    floor.tell(EventRetrieved, agent.dn, call, other_dn=call.ani, **state)
    third = {"other_dn": target.dn, "other_dn_role": "NewParty"}
    by = {"third_party_dn": agent.dn, "third_party_dn_role": "AddedBy"}
    floor.tell(EventPartyAdded, agent.dn, call, **third, **by, **state)
    floor.tell(
        EventPartyChanged,
        target.dn,
        call,
        this_queue="",
        previous_conn_id=second.conn_id,
        this_dn_role="ConferenceMember",
        third_party_dn=agent.dn,
        third_party_dn_role="ConferencedBy",
        **state,
    )
    yield floor.about(floor.settings.talk / 3)
    floor.tell(EventReleased, target.dn, call, this_queue="", this_dn_role="ConferenceMember")
    floor.free(target)
    if floor.happens(LEAVES_FIRST):
        third = {"other_dn": target.dn, "other_dn_role": "DeletedParty"}
        by = {"third_party_dn": target.dn, "third_party_dn_role": "DeletedBy"}
        floor.tell(EventPartyDeleted, agent.dn, call, **third, **by)
        yield floor.about(floor.settings.talk / 6)
    finish(floor, call, agent)


def alternate(floor: Floor, call: Call, agent: Agent) -> Story:
    """Model 17: from one call to the other and back, then reconnect."""
    consultation = yield from _consult(floor, call, agent)
    if consultation is None:
        yield from plain(floor, call, agent)
        return
    second, target = consultation.call, consultation.target
    for put_away, taken in ((second, call), (call, second)):
        floor.tell(EventHeld, agent.dn, put_away)
        floor.tell(EventRetrieved, agent.dn, taken)
        yield floor.about(floor.settings.talk / 10)
    _leave(floor, call, second, agent, target, "Ok")
    at_target = {"this_dn_role": "Destination", "other_dn": agent.dn}
    floor.tell(EventReleased, target.dn, second, previous_conn_id=call.conn_id, **at_target)
    floor.free(target)
    floor.tell(EventRetrieved, agent.dn, call, other_dn=call.ani)
    yield from plain(floor, call, agent)


def _consult(
    floor: Floor, call: Call, agent: Agent, completed_early: float = 0.0
) -> Generator[float, bool, Consultation | None]:
    """Hold the call and call a colleague; None where that came to nothing.

    The target is seized. ``completed_early`` is the chance that we do not wait
    for him to answer.
    """
    target = floor.free_agent()
    second = floor.new_call("Consult")
    previous = {"previous_conn_id": call.conn_id}
    floor.tell(EventHeld, agent.dn, call, other_dn=call.ani)
    if target is None:
        yield from _consult_busy(floor, call, second, agent)
        return None
    floor.seize(target)
    ours = {"this_dn_role": "Origination", "other_dn": target.dn, **previous}
    theirs = {"this_dn_role": "Destination", "other_dn": agent.dn, **previous}
    floor.tell(EventDialing, agent.dn, second, **ours)
    floor.tell(EventRinging, target.dn, second, **theirs)
    yield floor.about(floor.settings.ring)
    if floor.happens(CONSULT_UNANSWERED):
        floor.tell(EventReleased, agent.dn, second, **ours)
        floor.tell(EventAbandoned, target.dn, second, this_dn_role="Destination", other_dn=agent.dn)
        floor.free(target)
        floor.tell(EventRetrieved, agent.dn, call, other_dn=call.ani)
        return None
    if floor.happens(completed_early):
        return Consultation(second, target, answered=False)
    floor.tell(EventEstablished, target.dn, second, **theirs)
    floor.tell(EventEstablished, agent.dn, second, **ours)
    yield floor.about(floor.settings.talk / 5)
    return Consultation(second, target, answered=True)


def _consult_busy(floor: Floor, call: Call, second: Call, agent: Agent) -> Story:
    """Everybody is busy: hear the tone, and go back to the customer."""
    target = floor.rng.choice([other for other in floor.agents if other is not agent] or [agent])
    dialled = {"this_dn_role": "Origination", "other_dn": target.dn}
    floor.tell(EventDialing, agent.dn, second, previous_conn_id=call.conn_id, **dialled)
    yield floor.exactly(1)
    floor.tell(EventDestinationBusy, agent.dn, second, call_state="Busy", **dialled)
    yield floor.about(floor.settings.ring)
    floor.tell(EventReleased, agent.dn, second, previous_conn_id=call.conn_id, **dialled)
    floor.tell(EventRetrieved, agent.dn, call, other_dn=call.ani)


def _leave(floor: Floor, call: Call, second: Call, agent: Agent, target: Agent, state: str) -> None:
    """The agent is out of the consultation."""
    floor.tell(
        EventReleased,
        agent.dn,
        second,
        call_state=state,
        previous_conn_id=call.conn_id,
        other_dn=target.dn,
    )


def release(floor: Floor, call: Call, agent: Agent) -> None:
    """The call is over on the agent's DN; he stays seized."""
    at_agent = {"this_dn_role": "Destination", "other_dn": call.ani}
    floor.tell(EventReleased, agent.dn, call, **at_agent)


def finish(floor: Floor, call: Call, agent: Agent) -> None:
    """The ACD call is over, and the agent has something to write down."""
    release(floor, call, agent)
    floor.agenda.start(after_call_work(floor, agent))
