"""The store: what the statistics that are open contain, and what they lack."""

from __future__ import annotations

import msgspec
import pytest
from attrs import evolve
from msgspec import structs
from stores import NEVER, NOW, a_store, an_event, opened

from statserver_trio.expressions.memberships import parse_membership
from statserver_trio.ha.messages import Result
from statserver_trio.ha.store import InstallItems
from statserver_trio.stats.definitions import Definitions
from statserver_trio.stats.definitions.stat_types import parse_stat_type
from statserver_trio.stats.reconfigure import reconfigure
from statserver_trio.stats.requests import StatisticRequest


def test_what_was_counted_on_a_picture_that_is_replaced_is_in_doubt() -> None:
    """Alone from 10 on, the peer's picture is adopted at 13."""
    store, peer = a_store(), a_store()
    peer.begin_at("s", 0)
    peer.apply("s", [an_event(position) for position in range(1, 14)])
    early = opened(store, "7001")
    store.begin_at("s", 10)
    store.apply("s", [an_event(11)])
    late = opened(store, "7002")
    assert not store.lacking()
    store.adopt_world({"s": 13}, peer.world(["s"]), {"s": 10})
    assert store.coverage(early) == {"s": [(10, 10)]}
    assert store.lacking() == [early, late], "both may be had from the peer"
    assert not store.lacking([opened(store, "7003")])
    store.apply("s", [an_event(14)])
    assert store.coverage(late) == {"s": [(11, 11), (14, 14)]}


def test_what_was_got_for_a_picture_that_is_replaced_is_got_again() -> None:
    """Our own picture began at 13, from snapshots; the peer's comes at 13, too (day 101902)."""
    store, peer = a_store(), a_store()
    peer.begin_at("s", 0)
    key = opened(peer, "7001")
    peer.apply("s", [an_event(position) for position in range(1, 14)])
    store.begin_at("s", 13)
    item = peer.cut(key)
    assert item is not None
    store.begin_install(InstallItems(1, {"s": 13}, [item]))
    assert store.go_on(100)
    assert store.coverage(key) == {"s": [(0, 13)]}
    store.adopt_world({"s": 13}, peer.world(["s"]), {"s": 13})
    assert store.coverage(key) == {"s": [(0, 12)]}
    assert store.lacking() == [key]


def test_what_the_peer_opened_for_a_picture_that_is_replaced_is_compared_again() -> None:
    """It lacks no event, but on our picture its group had other members (day 709334)."""
    store, peer = a_store(), a_store()
    peer.begin_at("s", 0)
    peer.apply("s", [an_event(position) for position in range(1, 14)])
    store.begin_at("s", 11)
    store.apply("s", [an_event(12), an_event(13)])
    key = opened(peer, "7001")
    item = peer.cut(key)
    assert item is not None
    store.begin_install(InstallItems(1, {"s": 13}, [item]))
    assert store.go_on(100)
    store.adopt_world({"s": 13}, peer.world(["s"]), {"s": 11})
    assert store.coverage(key) == peer.coverage(key) == {"s": [(13, 13)]}
    assert store.lacking() == [key]
    store.begin_install(InstallItems(2, {"s": 13}, [item]))
    (answer,) = store.go_on(100)
    assert answer.results == [Result.ADOPTED]
    assert not store.lacking()


def test_a_hole_up_to_where_the_peer_stood_is_a_hole() -> None:
    """The peer had just adopted a picture, and has counted nothing since."""
    store, peer = a_store(), a_store()
    for each in (store, peer):
        each.begin_at("s", 0)
    key = opened(peer, "7001")
    events = [an_event(position) for position in range(1, 10)]
    store.apply("s", events)
    peer.adopt_world({"s": 9}, store.world(["s"]), {"s": 0})
    item = peer.cut(key)
    assert item is not None
    assert item.coverage == {"s": [(0, 0)]}
    store.begin_install(InstallItems(1, {"s": 9}, [item]))
    assert store.go_on(100)
    assert store.coverage(key) == {"s": [(0, 0), (9, 9)]}
    assert store.lacking() == [key]
    assert not store.take_doubtful()  # whoever has told it has nothing more (day 762961)


def test_what_was_open_before_the_first_picture_lacks_nothing() -> None:
    store, peer = a_store(), a_store()
    peer.begin_at("s", 7)
    early = opened(store, "7001")
    assert msgspec.msgpack.decode(peer.world(["s"]))["s"]["position"] == 7
    store.adopt_world({"s": 7}, peer.world(["s"]), {})
    assert store.coverage(early) == {"s": [(7, 7)]}
    assert not store.lacking()


def test_what_is_closed_before_its_chunk_is_installed_is_not_here() -> None:
    """Our configuration lost it in between: to call it open would promise the peer a replica."""
    store, peer = a_store(), a_store()
    for each in (store, peer):
        each.begin_at("s", 0)
    items = [peer.cut(opened(peer, dn)) for dn in ("7001", "7002")]
    chunk = [item for item in items if item is not None]
    store.begin_install(InstallItems(1, {"s": 0}, chunk))
    assert not store.go_on(1)
    store.close(chunk[0].key, "its stat type is gone")
    (answer,) = store.go_on(100)
    assert answer.results == [Result.UNRESOLVED, Result.OPENED]
    assert [store.statistic(item.key) is not None for item in chunk] == [False, True]


def test_the_clock_of_a_source_that_is_silent_goes_on_at_the_joiner() -> None:
    """Its last event came 50 s before the peer's picture is served."""
    store, peer = a_store(), a_store()
    peer.begin_at("s", 0)
    peer.apply("s", [an_event(1)])
    peer.now_ms = lambda: NOW + 50_000
    store.adopt_world({"s": 1}, peer.world(["s"]), {})
    there, here = (each.engine.sources["s"] for each in (peer, store))
    assert here.clock(NOW) == there.clock(NOW + 50_000)


@pytest.mark.parametrize(
    ("later_by", "result"),
    [(-1000, Result.ADOPTED), (0, Result.KEPT), (1000, Result.KEPT_MORE)],
)
def test_of_two_openings_at_the_same_events_the_earlier_one_is_kept(
    later_by: int, result: Result
) -> None:
    """By the clock of any source: between two events members know it only roughly (day 201839)."""
    store, peer = a_store(), a_store()
    for each in (store, peer):
        each.begin_at("s", 0)
        each.apply("s", [an_event(1)])
        key = opened(each, "7001")
    item = peer.cut(key)
    assert item is not None
    data = msgspec.msgpack.decode(item.payload)
    data["parts"]["main"][0]["opened_at"] += later_by
    item = msgspec.structs.replace(item, payload=msgspec.msgpack.encode(data))
    store.begin_install(InstallItems(1, {"s": 1}, [item]))
    assert [done.results for done in store.go_on(100)] == [[result]]


@pytest.mark.parametrize("ahead", [-120_000, 0, 120_000])
def test_what_has_a_hole_says_so_whatever_our_clock_says(ahead: int) -> None:
    """Ours need not be the T-Server's (day 203206)."""
    store, peer = a_store(NOW + ahead), a_store()
    peer.begin_at("s", 0)
    peer.apply("s", [an_event(position) for position in range(1, 4)])
    store.begin_at("s", 1)
    store.apply("s", [an_event(2)])
    statistic = store.statistic(opened(store, "7001"))
    assert statistic is not None
    assert store.engine.value(statistic, NOW + ahead).complete
    store.adopt_world({"s": 3}, peer.world(["s"]), {"s": 1})
    assert not store.engine.value(statistic, NOW + ahead).complete


def test_where_both_counted_anew_the_copy_of_the_better_picture_counts() -> None:
    """Each ended what went on by its own clock, so the same came to two values (day 1085)."""
    store, peer = a_store(), a_store()
    for each in (store, peer):
        each.begin_at("s", 0)
        key = opened(each, "7001")
        each.apply("s", [an_event(1)])
        each.begin_at("s", 0)
    mine, theirs = store.cut(key), peer.cut(key)
    assert mine is not None
    assert theirs is not None
    store.adopt_world({"s": 0}, peer.world(["s"]), {"s": 0})
    for one, item, result in ((store, theirs, Result.ADOPTED), (peer, mine, Result.KEPT)):
        one.begin_install(InstallItems(1, {"s": 0}, [item]))
        assert [done.results for done in one.go_on(100)] == [[result]]
    again = peer.cut(key)
    assert again is not None
    store.begin_install(InstallItems(2, {"s": 0}, [again]))
    assert [done.results for done in store.go_on(100)] == [[Result.KEPT]], "once is enough"


def test_what_makes_no_sense_is_not_left_open() -> None:
    """Nobody here asked for it, and it would have no place among what is replicated."""
    store, peer = a_store(), a_store()
    for each in (store, peer):
        each.begin_at("s", 0)
    key = opened(peer, "7001")
    item = peer.cut(key)
    assert item is not None
    told = msgspec.msgpack.decode(item.payload) | {"parts": {}}
    broken = structs.replace(item, payload=msgspec.msgpack.encode(told))
    store.begin_install(InstallItems(1, {"s": 0}, [broken]))
    (answer,) = store.go_on(100)
    assert answer.results == [Result.ERROR]
    assert store.statistic(key) is None


def test_a_group_without_members_has_seen_that_nobody_was_there() -> None:
    """Or of two that were opened at different times the later one may be taken (day 712744)."""
    times = parse_stat_type(
        "Ready",
        {
            "Objects": "GroupAgents",
            "Category": "TotalTime",
            "Subject": "AgentStatus",
            "MainMask": "WaitForNextCall",
        },
    )
    stores = []
    for position in (3, 7):
        store = a_store()
        groups = {"Nobody": parse_membership('LoggedIn("8001@sw1")')}
        directory = evolve(store.engine.directory, virtual_agent_groups=groups)
        reconfigure(
            store.engine, Definitions({"Ready": times}, {"Never": NEVER}), directory, store.now_ms()
        )
        store.begin_at("s", 0)
        store.apply("s", [an_event(each) for each in range(1, position + 1)])
        request = StatisticRequest("GroupAgents", "Nobody", times, NEVER)
        key = store.opened(store.engine.open(request, store.now_ms()))
        store.apply("s", [an_event(each) for each in range(position + 1, 9)])
        stores.append(store)
    early, late = stores
    assert early.coverage(key) == {"s": [(3, 8)]}
    item = late.cut(key)
    assert item is not None
    early.begin_install(InstallItems(1, {"s": 8}, [item]))
    (answer,) = early.go_on(100)
    assert answer.results == [Result.KEPT_MORE]


def test_where_both_have_the_same_hole_the_copy_of_the_better_picture_counts() -> None:
    """What went on ended at the hole by the clock of each member (rough day 22)."""
    store, peer = a_store(), a_store()
    for each in (store, peer):
        each.begin_at("s", 0)
        early = opened(each, "7001")
        each.apply("s", [an_event(1)])
        each.leave_hole("s", 2, 4)
        late = opened(each, "7002")
    items = [peer.cut(early), peer.cut(late)]
    assert None not in items
    store.adopt_world({"s": 4}, peer.world(["s"]), {"s": 4})
    assert early in store.lacking()
    store.begin_install(InstallItems(1, {"s": 4}, [item for item in items if item is not None]))
    assert [done.results for done in store.go_on(100)] == [[Result.ADOPTED, Result.KEPT]]


def test_what_was_held_while_a_hole_was_waited_for_is_counted_when_it_happened() -> None:
    """And not when the hole was given up, perhaps behind a reset (rough day 734)."""
    store = a_store()
    store.begin_at("s", 0)
    store.apply("s", [an_event(1)])
    world = store.engine.sources["s"].world
    began = world(NOW).now
    store.now_ms = lambda: NOW + 10_000
    store.leave_hole("s", 2, 3, waited=7.0)
    assert store.engine.sources["s"].world(NOW + 3_000).now == began + 3_000


def test_what_was_opened_where_nothing_is_heard_counts_from_now_where_something_is() -> None:
    """Its beginning was told by a machine whose clock may be anything (rough day 2299)."""
    deaf, peer = a_store(NOW + 3_600_000), a_store()
    key = opened(deaf, "7001")
    peer.begin_at("s", 0)
    peer.apply("s", [an_event(1)])
    item = deaf.cut(key)
    assert item is not None
    peer.begin_install(InstallItems(1, deaf.positions(), [item]))
    assert [done.results for done in peer.go_on(100)] == [[Result.OPENED]]
    statistic = peer.statistic(key)
    assert statistic is not None
    assert statistic.opened_at == NOW


def test_what_was_opened_before_any_picture_came_is_compared_when_the_peers_does() -> None:
    """The peer has been told of it, and has counted (rough day 3303)."""
    deaf, peer = a_store(), a_store()
    for each in (deaf, peer):
        key = opened(each, "7001")
    assert deaf.cut(key) is not None
    peer.begin_at("s", 0)
    peer.apply("s", [an_event(1), an_event(2)])
    deaf.adopt_world({"s": 2}, peer.world(["s"]), {})
    assert deaf.lacking() == [key]
    item = peer.cut(key)
    assert item is not None
    deaf.begin_install(InstallItems(1, {"s": 2}, [item]))
    assert [done.results for done in deaf.go_on(100)] == [[Result.ADOPTED]]
    assert deaf.coverage(key) == {"s": [(0, 2)]}
    assert not deaf.lacking()
