"""Pins: to know by how much a row has grown comes to the same as to open the statistic there."""

from contextlib import suppress

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


def pushed(ahead: int, between: int) -> tuple[Pair, list[Result]]:
    """Once for a shadow; what counts is the second chunk, which is as of where that stands."""
    pair = a_pair(ahead=1, pace=4000)
    pair.push()
    pair.hear(pair.one, pair.heard[pair.other] - pair.heard[pair.one])
    open_more(pair)
    one, store = pair.one.store, pair.other.store
    items = [one.cut(key) for key in one.open_keys()]
    store.begin_install(InstallItems(2, one.positions(), items))
    hear_quickly(pair, ahead)
    while not (done := store.go_on(150)):
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
    assert Result.LATE not in results
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
