"""The store between two real engines, without a link: what is taken over, and when."""

import msgspec
import pytest
from ha_real import START, SWITCH, RealFeed, an_engine

from statserver_trio.ha.messages import Kind, Result
from statserver_trio.ha.store import InstallItems
from statserver_trio.server.ha.chunk_work import BEHIND_MS
from statserver_trio.server.ha.pair_store import PairStore
from statserver_trio.server.ha.shadow import IDLE_MS, LAG_MAX
from statserver_trio.stats.requests import StatisticRequest
from statserver_trio.stats.telling.notifications import Notification
from statserver_trio.tlib.codec import decode_line, encode
from statserver_trio.tlib.events import EventAgentLogin, EventAgentLogout


class Member:
    """A store, and what time it is there."""

    def __init__(self):
        self.engine = an_engine()
        self.now = START * 1000
        self.store = PairStore(self.engine, self.like_ours, lambda: self.now, self.engine.apply)

    def like_ours(self):
        """An engine with the same sources, and nothing in it."""
        engine = an_engine()
        for name, source in self.engine.sources.items():
            if name not in engine.sources:
                engine.add_source(name, source.switch)
        return engine

    def open_all(self):
        """Everything that two agents and a queue have."""
        types = self.engine.definitions.stat_types
        objects = {"Agent": ("a1", "a2"), "Queue": (f"8001@{SWITCH}",)}
        for name, stat_type in types.items():
            for object_type in sorted(stat_type.objects & objects.keys()):
                for object_id in objects[object_type]:
                    request = StatisticRequest(object_type, object_id, name)
                    self.store.opened(self.engine.open(request, self.now))
        return self.store.open_keys()

    def values(self):
        at = {s.ledger: (START + 100) * 1000 for s in self.engine.sources.values()}
        found = {key: self.store.statistic(key) for key in self.store.open_keys()}
        return {key: self.engine.value_at(s, at).value for key, s in found.items()}


class Pair:
    """Two members that hear the same, though not at the same time."""

    def __init__(self, pace=20):
        self.feed = RealFeed("s")
        self.one, self.other = Member(), Member()
        self.heard = {self.one: 0, self.other: 0}
        self.chunks = 0
        snapshots = self.feed.snapshots(0)
        for member in (self.one, self.other):
            member.store.begin_at("s", 0)
            member.store.apply("s", snapshots)
        for _ in range(3000):
            self.feed.say("", pace * len(self.feed.log))

    def hear(self, member, events):
        """Some more events."""
        lines = self.feed.log[self.heard[member] : self.heard[member] + events]
        self.heard[member] += events
        for position, line in lines:
            member.now = int(decode_line(line).time * 1000)
            member.store.apply("s", [(position, line)])

    def push(self, items=None, between=0):
        """All of one's, or these, to the other one; it hears so many events in between."""
        keys = self.one.store.open_keys()
        chunk = [self.one.store.cut(key) for key in keys] if items is None else items
        as_of = self.one.store.positions()
        self.chunks += 1
        self.other.store.begin_install(InstallItems(self.chunks, as_of, chunk))
        if between:
            self.hear(self.other, between)
        return self.results(between)

    def results(self, between=0):
        for _ in range(100_000):
            if not self.other.store.can_go_on:
                return None
            for done in self.other.store.go_on(4):
                return list(done.results)
            self.hear(self.other, min(between, 1))
        raise AssertionError("it never ends")

    def check(self):
        behind = self.heard[self.other] - self.heard[self.one]
        self.hear(self.one, max(0, behind))
        self.hear(self.other, max(0, -behind))
        assert self.one.values() == self.other.values()


def a_pair(ahead=0, pace=20):
    """The other one is so many events ahead, and has nothing open.

    Args:
        pace: 1024ths of a second between two events.
    """
    pair = Pair(pace)
    pair.hear(pair.one, 100)
    pair.one.open_all()
    pair.hear(pair.one, 300)
    pair.hear(pair.other, 400 + ahead)
    return pair


def test_at_the_same_position_items_are_taken_as_they_are():
    pair = a_pair()
    assert set(pair.push()) == {Result.OPENED}
    assert pair.other.store.shadow is None
    pair.check()


def test_behind_it_waits():
    pair = a_pair(ahead=-3)
    assert pair.push() is None
    pair.hear(pair.other, 2)
    assert pair.results() is None
    pair.hear(pair.other, 1)
    assert set(pair.results()) == {Result.OPENED}
    pair.check()


def test_behind_it_does_not_wait_for_ever():
    """The numbers may be old ones, of a T-Server that counts anew."""
    pair = a_pair(ahead=-3)
    assert pair.push() is None
    pair.other.now += BEHIND_MS - 1
    assert pair.results() is None
    pair.other.now += 1
    states = [k for k in pair.one.store.open_keys() if not pair.one.store.statistic(k).counts]
    results = pair.results()
    assert results.count(Result.LATE) == len(results) - len(states)
    pair.hear(pair.other, 3)
    pair.push()
    pair.check()


@pytest.fixture
def at_two_switches():
    """Of a second one the first member has heard five events, and so has the other one."""
    pair = Pair()
    for member in (pair.one, pair.other):
        member.engine.add_source("elsewhere", "sw9")
        member.store.begin_at("elsewhere", 5)
        pair.hear(member, 100)
    request = StatisticRequest("Agent", "a1", "Total_Login_Time")
    pair.one.store.opened(pair.one.engine.open(request, pair.one.now))
    [pair.key] = pair.one.store.open_keys()
    return pair


def hear_elsewhere(member, position, event, later):
    told = {"time": START + later, "agent_id": "a1", "this_dn": "7901", "position": position}
    member.store.apply("elsewhere", [(position, encode(event(**told)))])


def test_who_has_logged_in_at_another_switch_since_is_no_item_to_be_taken_as_it_is(
    at_two_switches,
):
    """It would begin there when the other member takes it, and not at the login (day 998778)."""
    pair = at_two_switches
    hear_elsewhere(pair.other, 6, EventAgentLogin, 20)
    assert pair.push() == [Result.LATE]
    hear_elsewhere(pair.one, 6, EventAgentLogin, 20)
    assert pair.push() == [Result.ADOPTED]
    pair.check()
    assert pair.one.store.coverage(pair.key) == pair.other.store.coverage(pair.key)


def test_nor_is_who_has_come_and_gone_there_if_anybody_remembers(at_two_switches):
    pair = at_two_switches
    for _ in pair.other.store.make_shadow():
        pass
    for position, event, later in ((6, EventAgentLogin, 20), (7, EventAgentLogout, 30)):
        hear_elsewhere(pair.other, position, event, later)
    assert pair.push() == [Result.OPENED]
    for position, event, later in ((6, EventAgentLogin, 20), (7, EventAgentLogout, 30)):
        hear_elsewhere(pair.one, position, event, later)
    pair.check()


def test_who_is_nowhere_else_is_taken_although_we_are_ahead_there(at_two_switches):
    """As long as the peer does not hear that switch, nothing better will come."""
    pair = at_two_switches
    told = {"time": START + 20, "agent_id": "a9", "this_dn": "7909", "position": 6}
    pair.other.store.apply("elsewhere", [(6, encode(EventAgentLogin(**told)))])
    assert pair.push() == [Result.OPENED]
    one, other = (member.store.statistic(pair.key) for member in (pair.one, pair.other))
    assert one.opened_at == other.opened_at
    pair.check()


def test_ahead_of_a_source_that_does_not_matter_it_takes_items_as_they_are():
    """Opened anew it would have a beginning of its own, and two beginnings cannot be compared."""
    pair = Pair()
    for member, position in ((pair.one, 5), (pair.other, 9)):
        member.engine.add_source("elsewhere", "sw9")
        member.store.begin_at("elsewhere", position)
        pair.hear(member, 100)
    request = StatisticRequest("Queue", f"8001@{SWITCH}", "Total_Calls_Entered")
    pair.one.store.opened(pair.one.engine.open(request, pair.one.now))
    assert pair.push() == [Result.OPENED]
    [key] = pair.one.store.open_keys()
    one, other = (member.store.statistic(key) for member in (pair.one, pair.other))
    assert one.opened_at == other.opened_at
    pair.check()


@pytest.mark.parametrize("between", [0, 1, 7])
def test_ahead_it_asks_once_more_and_then_has_a_shadow(between):
    pair = a_pair(ahead=3)
    states = {key for key in pair.one.store.open_keys() if pair.one.store.cut(key).payload == b""}
    first = pair.push(between=between)
    assert first.count(Result.LATE) == len(first) - len(states)
    pair.hear(pair.one, pair.heard[pair.other] - pair.heard[pair.one])
    pair.hear(pair.other, 2)  # ahead again, but not of the shadow
    again = pair.push(between=between)
    assert again.count(Result.ADOPTED) == len(first) - len(states)
    pair.check()
    # A second time it is there from the beginning, and has followed.
    pair.hear(pair.other, 5)
    for key in pair.other.store.open_keys():
        pair.other.store.close(key, "")
    assert set(pair.push()) == {Result.OPENED}
    pair.check()


def test_the_shadow_follows_by_itself_and_is_given_up_when_nobody_needs_it():
    pair = a_pair(ahead=3)
    pair.push()
    store = pair.other.store
    pair.hear(pair.other, LAG_MAX)
    assert not store.can_go_on
    pair.hear(pair.other, 2)
    assert store.can_go_on
    assert store.go_on(1000) == []
    assert not store.can_go_on
    assert store.shadow is not None
    pair.hear(pair.other, 1)
    pair.other.now += IDLE_MS
    pair.other.store.apply("s", [pair.feed.log[pair.heard[pair.other]]])
    assert store.shadow is None


def test_what_is_not_part_of_the_stream_ends_the_shadow_and_nothing_else():
    pair = a_pair(ahead=3)
    pair.push()
    store = pair.other.store
    keys = pair.one.store.open_keys()
    pair.hear(pair.one, 3)
    pair.hear(pair.other, 1)
    items = [pair.one.store.cut(key) for key in keys]
    store.begin_install(InstallItems(9, pair.one.store.positions(), items))
    store.go_on(40)
    assert store.shadow is not None
    store.apply("s", pair.feed.snapshots(20))
    assert store.shadow is None
    assert Result.LATE in pair.results()


def spoilt(item, **changes):
    return msgspec.structs.replace(item, **changes)


# what is wrong with an item, what becomes of it
WRONG = [
    ({"payload": b"\xff"}, Result.ERROR),
    ({"payload": msgspec.msgpack.encode({"opened_at": 0})}, Result.ERROR),
    ({"payload": msgspec.msgpack.encode([1, 2])}, Result.ERROR),
    ({"definition": "{}"}, Result.ERROR),
    ({"definition": "["}, Result.ERROR),
    ({"key": "another"}, Result.UNRESOLVED),
    ({"hash": "another"}, Result.UNRESOLVED),
]


@pytest.mark.parametrize("ahead", [0, 3])
@pytest.mark.parametrize(("changes", "result"), WRONG)
def test_an_item_that_makes_no_sense_harms_no_other(changes, result, ahead):
    pair = a_pair()
    if ahead:
        pair.push()  # so that there is a shadow
        for key in pair.other.store.open_keys():
            pair.other.store.close(key, "")
        pair.hear(pair.other, ahead)
        pair.push()
        for key in pair.other.store.open_keys():
            pair.other.store.close(key, "")
        pair.hear(pair.one, ahead)
        pair.hear(pair.other, ahead)
    items = [pair.one.store.cut(key) for key in pair.one.store.open_keys()]
    items = [item for item in items if item.kind is Kind.OPEN]
    found = pair.push([spoilt(items[0], **changes), *items[1:]])
    assert found == [result] + [Result.OPENED] * (len(items) - 1)


def test_a_key_twice_in_a_chunk_is_a_mistake():
    pair = a_pair()
    [item] = [pair.one.store.cut(key) for key in list(pair.one.store.open_keys())[:1]]
    assert pair.push([item, item]) == [Result.OPENED, Result.ERROR]


def test_what_was_not_begun_is_forgotten_with_the_link():
    pair = a_pair(ahead=3)
    pair.push(items=[])
    store = pair.other.store
    items = [pair.one.store.cut(key) for key in pair.one.store.open_keys()]
    store.begin_install(InstallItems(5, pair.one.store.positions(), items))
    while store.shadow is None:
        store.go_on(1)
    store.forget_waiting()
    assert not store.can_go_on
    assert store.shadow is None  # half made, and nobody waits for it


def test_what_was_opened_by_a_chunk_that_is_forgotten_is_closed_unless_a_client_wants_it():
    """It comes again, if the peer has not deleted it; nobody has told us of it (day 913744)."""
    pair = a_pair()
    store, engine = pair.other.store, pair.other.engine
    before = set(store.open_keys())
    items = [pair.one.store.cut(key) for key in pair.one.store.open_keys()]
    store.begin_install(InstallItems(1, pair.one.store.positions(), items))
    while len(store.open_keys()) < len(before) + 3:
        assert store.go_on(1) == []
    wanted, *others = [key for key in store.open_keys() if key not in before]
    engine.subscribe(store.statistic(wanted), Notification(), None, pair.other.now)
    assert store.forget_waiting() == others
    assert set(store.open_keys()) == before | {wanted}
