"""Days that somebody made up, on the parts of the simulation."""

from __future__ import annotations

from random import Random

import pytest
from attrs import evolve

from statserver_trio.ha.store import Abort, ApplyEvents

from .agenda import TICK
from .clients import OBJECTS, Client
from .day import Day
from .plan import Plan, make_plan
from .process import Process
from .site import Variant
from .switch import STRANGE


def a_plan() -> Plan:
    """An ordinary pair that both start at once; nothing happens to it by chance."""
    options = {"addp_timeout": 2.0, "addp_remote_timeout": 2.0, "addp_trace": "off"}
    return evolve(
        make_plan(Random(1), rough=False),
        variant=Variant(),
        kinds={},
        starts={"A": 0.0, "B": 0.0},
        statistics=1000,
        clients=2,
        reader_delay=TICK,
        work_delay=TICK,
        options={**options, "connect_timeout": 1.0, "chunk_size": 10, "join_timeout": 5.0},
    )


def open_all(client: Client, process: Process, object_type: str) -> int:
    """Ask for everything that there is of an object; how many that is."""
    client.come(process)
    client.day.agenda.run(client.day.agenda.now + 0.1)
    object_id = OBJECTS[object_type][0]
    names = [
        name
        for name, stat_type in process.hub.engine.definitions.stat_types.items()
        if object_type in stat_type.objects
    ]
    for name in names:
        what = {"objectId": object_id, "objectType": object_type}
        client.ask({"request": "OpenStatistic", "object": what, "metric": {"statisticType": name}})
    return len(names)


def test_hanging_up_drops_nothing_else_that_is_to_be_done() -> None:
    """The same moment may end the link and the patience with a hole."""
    day = Day(1, plan=a_plan())
    day.come_up()
    process, switch = day.processes["A"], day.switches["ts1"]
    switch.is_open = False
    day.agenda.run(day.agenda.now + 1)
    position = switch.position + 1
    event = (position, STRANGE % (position, switch.clock))
    process.member._perform([Abort("gone"), ApplyEvents("ts1", [event])])
    assert process.member.link is None
    assert process.store.positions() == {"ts1": position}


def test_what_is_deleted_and_created_again_begins_anew_and_clients_hear_of_it() -> None:
    with_it, without = (Variant(extras=frozenset(e)) for e in (["filters"], []))
    day = Day(1, plan=evolve(a_plan(), variant=with_it))
    day.come_up()
    for client, name in zip(day.clients, "AB", strict=True):
        client.come(day.processes[name])
    day.agenda.run(day.agenda.now + 1)
    ours, theirs = day.clients
    request = {
        "request": "OpenStatistic",
        "object": {"objectId": "a1", "objectType": "Agent"},
        "metric": {
            "statisticType": "Total_Login_Time",
            "filter": "Lunchtime",
            "timeProfile": "SinceStart",
        },
    }
    theirs.ask(request)
    day.agenda.run(day.agenda.now + 60)
    for variant in (without, with_it):
        day.processes["A"].reload(variant)
    ours.ask(request)
    day.agenda.run(day.agenda.now + 5)
    assert theirs.closings == ["deleted and created again"]
    [key] = day.processes["B"].store.open_keys()
    assert not day.processes["B"].peer.holds.ours(key)
    day.become_equal()
    assert not day.watch.violations


@pytest.mark.parametrize("first", ["A", "B"])
def test_of_two_that_were_opened_between_the_same_events_the_earlier_one_counts(first: str) -> None:
    day = Day(1, plan=a_plan())
    day.come_up()
    day.agenda.run(day.agenda.now + 60)
    for switch in day.switches.values():
        switch.is_open = False
    paths = [day.network.path(day.hosts[a], day.hosts[b]) for a, b in (("A", "B"), ("B", "A"))]
    for path in paths:
        path.blocked = True
    day.agenda.run(day.agenda.now + 10)
    other = {"A": "B", "B": "A"}[first]
    for client, name in zip(day.clients, (first, other), strict=True):
        opened = open_all(client, day.processes[name], "Agent")
        day.agenda.run(day.agenda.now + 7)
    earlier, later = day.processes[first], day.processes[other]
    texts = set(earlier.store.open_keys())
    assert all(day.truth.has_history(earlier, later, text) for text in texts)
    assert not any(day.truth.has_history(later, earlier, text) for text in texts)
    for path in paths:
        path.blocked = False
    day.network.heal()
    for switch in day.switches.values():
        switch.go_on()
    day.agenda.run(day.agenda.now + 60)
    day.become_equal()
    assert not day.watch.violations
    assert len(day.processes["A"].store.open_keys()) == opened > 30
    assert all(len(lives) == 2 for lives in day.oracle.lives.values()), "each was opened twice"


def test_who_was_greeted_and_has_not_registered_may_lack_what_happens_between() -> None:
    """Such a member is no replacement for the other one (day 778305)."""
    day = Day(1, plan=a_plan())
    day.come_up()
    process, switch = day.processes["A"], day.switches["ts1"]
    back = day.network.path(switch.host, process.host)
    back.delay = (3.0, 3.0)  # the greeting; RegisterAll takes a tick
    process.feeds["ts1"].cut()
    was_greeted = []
    while not (process.feeds["ts1"].connected and day.truth.is_exact(process)):
        day.agenda.run(day.agenda.now + TICK)
        wire = process.feeds["ts1"].wire
        if wire is not None and process.feeds["ts1"].connected:
            was_greeted.append(wire.is_told_all_after(switch.position))
    assert was_greeted[0] is False
    assert was_greeted[-1] is True
