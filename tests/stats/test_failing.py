"""A bug in the reading of one statistic is that statistic's, and nobody else's."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from reloads import at, engine_of, happens, opened

from statserver_trio.model.world import World
from statserver_trio.stats import engine as engine_module
from statserver_trio.stats.engine import Engine
from statserver_trio.stats.failing import IN_A_ROW_MAX, NEWS_MAX, Failing, PassedOver
from statserver_trio.stats.telling.notifications import Mode, Notification
from statserver_trio.tlib import events as e

START = 1_700_006_400_000
pytestmark = pytest.mark.usefixtures("lenient")


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> set[Any]:
    """Statistics that raise when they are read."""
    found: set[Any] = set()
    read = engine_module.read_quickly

    def read_quickly(statistic: Any, clocks: Any) -> Any:
        if statistic in found:
            raise ZeroDivisionError("planted")
        return read(statistic, clocks)

    monkeypatch.setattr(engine_module, "read_quickly", read_quickly)
    return found


def talks(number: str, seconds: float) -> list[Any]:
    """Somebody is called, and answers."""
    return [at(each, seconds, number) for each in (e.EventRinging, e.EventEstablished)]


def told(engine: Engine, seconds: float) -> list[tuple[str, str, Any]]:
    """Who was told what: the object, and the value or the reason."""
    return [
        (n.subscription.statistic.object_id, n.kind, n.reason if n.value is None else n.value.value)
        for n in engine.notices(START + round(seconds * 1000))
    ]


@pytest.mark.parametrize("mode", [Mode.CHANGES_BASED, Mode.TIME_BASED])
def test_the_others_go_on(broken: set[Any], mode: Mode) -> None:
    engine = engine_of()
    one, other = opened(engine, "Now", "Agent:a1"), opened(engine, "Now", "Agent:a2")
    for statistic in (one, other):
        subscription = engine.subscribe(statistic, Notification(mode, frequency=1), object(), START)
        engine.value_for(subscription, START)
    broken.add(one)
    happens(engine, 1, *talks("7001", 1), *talks("7002", 1))
    assert told(engine, 1) == [
        ("a1", "Info", None),
        ("a2", "Info", 1),
        ("a1", "StatisticInvalid", "it cannot be computed: ZeroDivisionError: planted"),
    ]
    assert len(engine.failing) == 1
    [(failed, error)] = engine.failing.take_news()
    assert (failed, repr(error)) == (one, "ZeroDivisionError('planted')")
    assert engine.value(other, START + 1000).value == 1
    value = engine.value(one, START + 1000)
    assert (value.value, value.time, value.complete) == (None, START / 1000 + 1, False)

    broken.clear()
    happens(engine, 2, at(e.EventReleased, 2, "7001"))
    news = [each for each in told(engine, 2) if each[0] == "a1"]
    assert news == [("a1", "Info", 0), ("a1", "StatisticValid", "")]
    assert not engine.failing
    assert not engine.failing.take_news(), "each is named once"


def test_whoever_opens_one_that_fails_is_told_soon(broken: set[Any]) -> None:
    engine = engine_of()
    statistic = opened(engine, "Now", "Agent:a1")
    broken.add(statistic)
    subscription = engine.subscribe(statistic, Notification(), object(), START)
    assert engine.value_for(subscription, START).value is None
    assert engine.next_deadline(START) == START
    assert [kind for _, kind, _ in told(engine, 0)] == ["StatisticInvalid"]
    assert engine.next_deadline(START) > START


def test_what_is_closed_does_not_fail_any_more(broken: set[Any]) -> None:
    engine = engine_of()
    statistic = opened(engine, "Now", "Agent:a1")
    broken.add(statistic)
    engine.value(statistic, START)
    assert len(engine.failing) == 1
    engine.close_all([statistic], "")
    assert not engine.failing


@pytest.mark.parametrize("insensitivity", [0, 5])
@pytest.mark.parametrize("before", [7, 7.5])
def test_to_have_no_value_is_a_change(insensitivity: float, before: float) -> None:
    engine = engine_of()
    statistic = opened(engine, "Now", "Agent:a1")
    notification = Notification(Mode.CHANGES_BASED, insensitivity=insensitivity)
    subscription = engine.subscribe(statistic, notification, object(), START)
    subscription.last_sent = before
    assert subscription.worth_sending(None)
    subscription.last_sent = None
    assert subscription.worth_sending(before)
    assert not subscription.worth_sending(None)


def test_a_bug_that_concerns_a_million_names_a_few() -> None:
    failing = Failing()
    many: list[Any] = [object() for _ in range(NEWS_MAX + 5)]
    assert all(failing.failed(each, ValueError("x")) for each in many)
    assert not failing.failed(many[0], ValueError("x"))
    assert (len(failing), len(failing.take_news()), failing.untold) == (NEWS_MAX + 5, NEWS_MAX, 5)


# -- events that cannot be applied ---------------------------------------------------------


@pytest.fixture
def poisonous(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """DNs at which nothing can happen."""
    found: set[str] = set()
    apply = World.apply

    def raise_there(world: World, event: Any, t: int) -> Any:
        if event.this_dn in found:
            raise ZeroDivisionError("planted")
        return apply(world, event, t)

    monkeypatch.setattr(World, "apply", raise_there)
    return found


def test_an_event_that_cannot_be_applied_is_passed_over(poisonous: set[str]) -> None:
    engine = engine_of()
    one, other = opened(engine, "Now", "Agent:a1"), opened(engine, "Now", "Agent:a2")
    calls = opened(engine, "Calls", "Agent:a2")
    poisonous.add("7001")
    source = engine.sources["ts1"]
    before = source.events
    happens(engine, 1, *talks("7001", 1), *talks("7002", 1), *talks("7001", 1))
    assert [engine.value(each, START + 1000).value for each in (one, other)] == [0, 1]
    assert not engine.value(calls, START + 1000).complete
    assert (source.events - before, source.passed_over.total) == (6, 4)
    news = source.passed_over.take_news()
    assert [type(event).__name__ for event, _ in news] == ["EventRinging", "EventEstablished"] * 2
    assert {repr(error) for _, error in news} == {"ZeroDivisionError('planted')"}
    assert not source.passed_over.take_news(), "each is named once"
    poisonous.clear()
    happens(engine, 2, *talks("7001", 2))
    assert engine.value(one, START + 2000).value == 1


def test_the_position_of_what_is_passed_over_is_behind_us(poisonous: set[str]) -> None:
    """Or it would be told again, and again."""
    engine = engine_of()
    poisonous.add("7001")
    ringing = [msgspec.structs.replace(each, position=7) for each in talks("7001", 1)[:1]]
    happens(engine, 1, *ringing, *ringing)
    source = engine.sources["ts1"]
    assert (source.position, source.duplicates, source.passed_over.total) == (7, 1, 1)


def test_where_nothing_can_be_applied_any_more_it_is_raised(poisonous: set[str]) -> None:
    engine = engine_of()
    poisonous.add("7001")
    for _ in range(IN_A_ROW_MAX):
        happens(engine, 1, *talks("7001", 1), *talks("7002", 1))
    for _ in range(IN_A_ROW_MAX // 2 - 1):
        happens(engine, 1, *talks("7001", 1))
    with pytest.raises(ZeroDivisionError):
        happens(engine, 1, *talks("7001", 1), *talks("7001", 1))


def test_where_there_is_no_memory_it_is_raised_at_once() -> None:
    with pytest.raises(MemoryError):
        PassedOver().failed(None, MemoryError(), 1)
