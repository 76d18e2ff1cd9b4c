"""Pins: to know by how much a row has grown comes to the same as to open the statistic there."""

from contextlib import suppress

import msgspec
import pytest
from ha_real import SWITCH
from test_ha_store import Pair, a_pair

from statserver_trio.ha.messages import Result
from statserver_trio.ha.store import InstallItems
from statserver_trio.server.ha.pins import STEADY, Pins
from statserver_trio.stats.requests import StatisticError, StatisticRequest
from statserver_trio.stats.transfer import export_statistic

QUEUE = f"8001@{SWITCH}"


def exported(pair: Pair) -> dict:
    store = pair.other.store
    statistics = {key: store.statistic(key) for key in store.open_keys()}
    return {key: export_statistic(s) for key, s in statistics.items() if s.counts}


def open_more(pair: Pair) -> None:
    """Over all profiles, and by a clock of the sender that is ahead of the next events."""
    engine, now = pair.one.engine, pair.one.now + 10_000
    for stat_type in ("Total_Login_Time", "Total_Talk_Time", "ExpectedWaitTime"):
        objects = engine.definitions.stat_types[stat_type].objects
        object_type, object_id = ("Agent", "a1") if "Agent" in objects else ("Queue", QUEUE)
        for profile in engine.definitions.time_profiles:
            request = StatisticRequest(object_type, object_id, stat_type, profile)
            with suppress(StatisticError):  # not every profile goes with each
                pair.one.store.opened(engine.open(request, now))


def hear_quickly(pair: Pair, events: int) -> None:
    """The receiver hears of minutes in no time; an idle minute of its own is a shadow's end."""
    for position, line in pair.feed.log[pair.heard[pair.other] :][:events]:
        pair.other.store.apply("s", [(position, line)])
    pair.heard[pair.other] += events


def second_chunk(ahead: int) -> Pair:
    """The receiver has a shadow, is ahead, and is about to install."""
    pair = a_pair(ahead=1, pace=4000)
    pair.push()
    pair.hear(pair.one, pair.heard[pair.other] - pair.heard[pair.one])
    open_more(pair)
    one = pair.one.store
    items = [one.cut(key) for key in one.open_keys()]
    pair.other.store.begin_install(InstallItems(2, one.positions(), items))
    hear_quickly(pair, ahead)
    return pair


def pushed(ahead: int, between: int) -> tuple[Pair, list[Result]]:
    """Once for a shadow; what counts is the second chunk, which is as of where that stands."""
    pair = second_chunk(ahead)
    while not (done := pair.other.store.go_on(150)):
        hear_quickly(pair, between)
    return pair, list(done[0].results)


@pytest.fixture
def pinned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The object types of what was pinned."""
    found: list[str] = []
    of = Pins.of

    def noted(self, statistic):
        pins = of(self, statistic)
        if pins is not None:
            found.append(statistic.key.object_type)
        return pins

    monkeypatch.setattr(Pins, "of", noted)
    return found


@pytest.mark.parametrize(("ahead", "between"), [(1, 0), (3, 2), (40, 0), (500, 0), (1, 15)])
def test_it_comes_to_the_same_as_to_open_it_in_the_shadow(
    monkeypatch: pytest.MonkeyPatch, pinned: list[str], ahead: int, between: int
) -> None:
    """An event every four seconds: in 500 of them intervals end, growing and sliding ones."""
    pair, results = pushed(ahead, between)
    assert {"Agent", "Queue"} <= set(pinned) <= STEADY
    assert set(results) == {Result.OPENED, Result.ADOPTED, Result.KEPT}
    pair.check()
    monkeypatch.setattr(Pins, "of", lambda self, statistic: None)
    other, same_results = pushed(ahead, between)
    assert results == same_results
    other.check()
    if not between:  # else the two are taken over at other moments, and remember those
        assert exported(pair) == exported(other)
        hear_quickly(pair, 500)
        hear_quickly(other, 500)
        assert exported(pair) == exported(other)


def test_what_is_closed_before_it_has_got_its_numbers_is_asked_for_again() -> None:
    """And of the other statistics of the chunk none is concerned."""
    pair = second_chunk(ahead=3)
    store, keys = pair.other.store, pair.one.store.open_keys()
    here = set(store.open_keys())
    while not (new := set(store.open_keys()) - here):
        assert not store.go_on(1)
    (key,) = new
    store.close(key, "its stat type is gone")
    (done,) = store.go_on(100_000)
    late = [k for k, result in zip(keys, done.results, strict=True) if result is Result.LATE]
    assert late == [key]
    assert store.coverage(key) == {"s": [(404, 404)]}, "open again, and empty"


def test_other_members_than_there_are_brought_up_to_date_in_the_shadow(pinned: list[str]) -> None:
    """Whom we do not know has left, as of now; what he has counted stays."""
    pair = second_chunk(ahead=3)
    one, store = pair.one.store, pair.other.store
    key = list(one.open_keys())[-1]
    item = one.cut(key)
    told = msgspec.msgpack.decode(item.payload)
    told["parts"]["main"].append(told["parts"]["main"][0] | {"node": ["dn", "8999"]})
    payload = msgspec.msgpack.encode(told)
    store.forget_waiting()
    item = msgspec.structs.replace(item, payload=payload)
    store.begin_install(InstallItems(3, one.positions(), [item]))
    (done,) = store.go_on(100_000)
    assert done.results == [Result.OPENED]
    assert not pinned
    (former,) = export_statistic(store.statistic(key))["former"]["main"]
    assert former["node"] == ["dn", "8999"]


def test_a_role_that_is_not_told_is_an_error() -> None:
    pair = second_chunk(ahead=3)
    one, store = pair.one.store, pair.other.store
    item = one.cut(list(one.open_keys())[-1])
    told = msgspec.msgpack.decode(item.payload) | {"parts": {}}
    item = msgspec.structs.replace(item, payload=msgspec.msgpack.encode(told))
    store.forget_waiting()
    store.begin_install(InstallItems(3, one.positions(), [item]))
    (done,) = store.go_on(100_000)
    assert done.results == [Result.ERROR]
