"""What the simulated contact centre may never do, over many seeds."""

import itertools
import time
from collections import Counter, defaultdict
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statserver_trio.simulator.contact_centre import START, ContactCentre, generate
from statserver_trio.tlib.codec import Decoder, encode_all
from statserver_trio.tlib.events import (
    CallEvent,
    EventAbandoned,
    EventAgentLogin,
    EventAgentLogout,
    EventAgentNotReady,
    EventAgentReady,
    EventDialing,
    EventDiverted,
    EventPartyChanged,
    EventQueued,
    EventReleased,
    EventRinging,
    EventRouteUsed,
)

SEEDS = st.integers(0, 2**32)
ENDS = (EventReleased, EventAbandoned, EventDiverted)
BEGINS = (EventQueued, EventDialing, EventRinging, EventPartyChanged)

# Busier than life, so that a short run holds everything.
BUSY = {
    "agents": 6,
    "queues": 2,
    "rona": 0.1,
    "abandon_ringing": 0.1,
    "occupancy": 1.2,
    "shift": 3000.0,
    "off": 300.0,
    "between_breaks": 600.0,
    "second_queue": 0.3,
    "route_point": 0.3,
}


def whole_run(seed, count=1500, **options):
    """Some events, and then what it takes for the calls under way to end."""
    centre = ContactCentre(Random(seed), **{**BUSY, **options})
    events = centre.take(count)
    centre.close()
    return events + centre.advance(events[-1].time + 6 * 3600)


@given(SEEDS)
@settings(max_examples=25, deadline=None)
def test_positions_are_contiguous_and_times_never_go_back(seed):
    events = whole_run(seed)
    assert [event.position for event in events] == list(range(1, len(events) + 1))
    assert all(a.time <= b.time for a, b in itertools.pairwise(events))
    assert events[0].time >= START


@given(SEEDS)
@settings(max_examples=25, deadline=None)
def test_every_call_ends_on_every_dn_and_is_heard_of_no_more(seed):
    live, over = set(), set()
    for event in whole_run(seed):
        if not isinstance(event, CallEvent):
            continue
        key = (event.this_dn, event.conn_id)
        if isinstance(event, BEGINS):
            assert key not in live, event
            live.add(key)
            over.discard(key)  # a redirected call comes back to the queue
            if isinstance(event, EventPartyChanged):
                old = (event.this_dn, event.previous_conn_id)
                assert old in live
                live.discard(old)
                over.add(old)
        else:
            assert key in live, event
        if isinstance(event, ENDS):
            live.discard(key)
            over.add(key)
    assert not live


@given(SEEDS)
@settings(max_examples=25, deadline=None)
def test_an_agent_never_has_two_acd_calls(seed):
    has = {}
    for event in whole_run(seed):
        if not isinstance(event, CallEvent) or event.call_type != "Inbound":
            continue
        if isinstance(event, EventRinging):
            assert event.this_dn not in has, event
            has[event.this_dn] = event.conn_id
        elif isinstance(event, EventReleased | EventAbandoned):
            has.pop(event.this_dn, None)


@given(SEEDS)
@settings(max_examples=25, deadline=None)
def test_acd_calls_come_to_agents_who_are_ready_and_logged_in_on_the_queue(seed):
    queues, ready = defaultdict(set), set()
    for event in whole_run(seed):
        dn = event.this_dn
        match event:
            case EventAgentLogin(this_queue=queue):
                assert queue not in queues[dn]
                queues[dn].add(queue)
            case EventAgentLogout():
                del queues[dn]
                ready.discard(dn)
            case EventAgentReady():
                assert queues[dn]
                ready.add(dn)
            case EventAgentNotReady():
                assert queues[dn]
                ready.discard(dn)
            case EventRinging(this_queue=queue) if queue:
                assert dn in ready
                assert queue in queues[dn]


@given(SEEDS)
@settings(max_examples=10, deadline=None)
def test_the_same_seed_gives_the_same_events(seed):
    assert encode_all(whole_run(seed, 500)) == encode_all(whole_run(seed, 500))


@given(SEEDS, st.lists(st.floats(0, 400), max_size=20))
@settings(max_examples=25, deadline=None)
def test_how_it_is_asked_makes_no_difference(seed, waits):
    at_once = ContactCentre(Random(seed), **BUSY)
    bit_by_bit = ContactCentre(Random(seed), **BUSY)
    now, events = START, []
    for wait in waits:
        now += wait
        events += bit_by_bit.advance(now, limit=7)
    assert events == at_once.take(len(events))


@given(SEEDS)
@settings(max_examples=10, deadline=None)
def test_what_happens_survives_the_wire(seed):
    events = whole_run(seed, 300)
    assert Decoder().feed(encode_all(events)) == events


def test_everything_happens():
    events = whole_run(1, 20_000)
    kinds = Counter(type(event).__name__ for event in events)
    states = Counter((type(e).__name__, e.call_state) for e in events if isinstance(e, CallEvent))
    names = """
        EventAgentLogin EventAgentLogout EventAgentReady EventAgentNotReady EventOffHook EventOnHook
        EventQueued EventDiverted EventAbandoned EventRinging EventEstablished EventReleased
        EventDialing EventNetworkReached EventDestinationBusy EventHeld EventRetrieved
        EventPartyChanged EventPartyAdded EventPartyDeleted EventAttachedDataChanged
        EventRouteRequest EventRouteUsed EventTreatmentApplied
    """
    for kind in names.split():
        assert kinds[kind] > 0, kind
    for kind, state in [
        ("EventReleased", "Redirected"),
        ("EventQueued", "Redirected"),
        ("EventReleased", "Transferred"),
        ("EventReleased", "Conferenced"),
        ("EventRinging", "Transferred"),
        ("EventDiverted", "Cleared"),
        ("EventDestinationBusy", "Busy"),
    ]:
        assert states[kind, state] > 0, (kind, state)
    reasons = {e.extensions["ReasonCode"] for e in events if getattr(e, "extensions", None)}
    assert reasons == {"Lunch", "Coffee", "Training", "Meeting", "RONA"}
    assert {e.this_dn for e in events if isinstance(e, EventRouteUsed)} == {"9001"}
    assert {e.call_type for e in events if isinstance(e, CallEvent)} == {
        "Inbound",
        "Internal",
        "Outbound",
        "Consult",
    }


def test_the_seats():
    centre = ContactCentre(Random(1), agents=3, queues=3, groups=2)
    first, second, third = centre.seats()
    assert (first.agent, first.dn, first.place, first.group) == ("a1", "7001", "P1", "Sales")
    assert (second.group, third.group) == ("Support", "Sales")
    assert first.queues == ("8001", "8002")
    assert third.queues == ("8001", "8003")
    assert list(centre.dns) == [
        *("7001", "7002", "7003"),
        *("8001", "8002", "8003"),
        *("VQ_Sales", "9001"),
    ]


@pytest.mark.parametrize("agents", [1, 2])
def test_a_very_small_one(agents):
    events = whole_run(5, 1000, agents=agents, queues=1)
    assert len(events) >= 1000


def test_speed_shortens_what_happens():
    slow = ContactCentre(Random(1)).take(1000)
    fast = ContactCentre(Random(1), speed=10).take(1000)
    assert [type(event) for event in slow] == [type(event) for event in fast]
    lengths = [events[-1].time - START for events in (slow, fast)]
    assert lengths[0] == pytest.approx(10 * lengths[1], rel=1e-3)


def test_the_bulk_form_is_fast():
    began = time.perf_counter()
    events = generate(Random(1), events=20_000)
    assert len(events) == 20_000
    assert time.perf_counter() - began < 1.5, "200,000 are to take less than 15 s"
