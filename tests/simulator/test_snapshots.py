"""A snapshot says what the events before it say."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statserver_trio.simulator.contact_centre import ContactCentre
from statserver_trio.simulator.snapshots import Snapshots
from statserver_trio.tlib.events import (
    EventAgentLogin,
    EventAgentLogout,
    EventAgentNotReady,
    EventAgentReady,
    EventDialing,
    EventDiverted,
    EventEstablished,
    EventHeld,
    EventPartyChanged,
    EventQueued,
    EventReleased,
    EventRinging,
)

LOGIN = EventAgentLogin(this_dn="7001", agent_id="a1", this_queue="8001", place="P1")
CALL = {"this_dn": "7001", "conn_id": "c1", "call_type": "Inbound"}
CONSULT = {"this_dn": "7001", "conn_id": "c2", "call_type": "Consult"}
IDLE = {"calls": [], "AgentStatus": "LoggedOut"}


def ready(*calls):
    calls = [dict(zip(("ConnID", "CallType", "state"), c, strict=True)) for c in calls]
    return {"calls": calls, "AgentStatus": "LoggedOut"}


STORIES = {
    "nothing": ([], IDLE),
    "logged in on a queue": (
        [LOGIN],
        {"calls": [], "AgentStatus": "LoggedIn", "queue-1": "8001"},
    ),
    "ready": (
        [LOGIN, EventAgentReady(this_dn="7001")],
        {"calls": [], "AgentStatus": "Ready", "queue-1": "8001"},
    ),
    "at lunch": (
        [LOGIN, EventAgentNotReady(this_dn="7001", extensions={"ReasonCode": "Lunch"})],
        {"calls": [], "AgentStatus": "NotReady", "ReasonCode": "Lunch", "queue-1": "8001"},
    ),
    "after a call": (
        [LOGIN, EventAgentNotReady(this_dn="7001", work_mode="AfterCallWork")],
        {"calls": [], "AgentStatus": "AfterCallWork", "queue-1": "8001"},
    ),
    "gone home": ([LOGIN, EventAgentLogout(this_dn="7001")], IDLE),
    "ringing": ([EventRinging(**CALL)], ready(("c1", "Inbound", "Alerting"))),
    "talking": (
        [EventRinging(**CALL), EventEstablished(**CALL)],
        ready(("c1", "Inbound", "Connected")),
    ),
    "consulting": (
        [EventEstablished(**CALL), EventHeld(**CALL), EventDialing(**CONSULT)],
        ready(("c1", "Inbound", "Held"), ("c2", "Consult", "Dialing")),
    ),
    "transferred to us": (
        [EventEstablished(**CONSULT), EventPartyChanged(**CALL, previous_conn_id="c2")],
        ready(("c1", "Inbound", "Connected")),
    ),
    "released": ([EventEstablished(**CALL), EventReleased(**CALL)], IDLE),
    "another DN": ([EventQueued(this_dn="8001", conn_id="c1")], IDLE),
}


@pytest.mark.parametrize(("events", "extensions"), STORIES.values(), ids=STORIES)
def test_snapshot(events, extensions):
    snapshots = Snapshots({"7001": "DN"})
    for event in events:
        snapshots.apply(event)
    snapshot = snapshots.take("7001")
    assert snapshot.extensions == extensions
    assert snapshot.address_type == "DN"
    assert snapshot.agent_id == ("a1" if "queue-1" in extensions else "")


def test_a_queue():
    snapshots = Snapshots({"8001": "Queue"})
    waiting = {"this_dn": "8001", "conn_id": "c1", "call_type": "Inbound"}
    snapshots.apply(EventQueued(**waiting))
    call = {"ConnID": "c1", "CallType": "Inbound", "state": "Queued"}
    assert snapshots.take("8001").extensions == {"calls": [call]}
    snapshots.apply(EventDiverted(**waiting))
    assert snapshots.take("8001").extensions == {"calls": []}


def test_no_such_dn():
    assert Snapshots({"7001": "DN"}).take("7002") is None


@given(st.integers(0, 2**32))
@settings(max_examples=20, deadline=None)
def test_when_all_is_quiet_nobody_has_a_call(seed):
    centre = ContactCentre(Random(seed), agents=5)
    last = centre.take(500)[-1]
    centre.close()
    centre.advance(last.time + 6 * 3600)
    assert all(centre.snapshot(dn).extensions["calls"] == [] for dn in centre.dns)
