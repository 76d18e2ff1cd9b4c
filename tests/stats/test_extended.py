"""Statistics of extensions as the engine sees them: values are pushed, nothing is counted."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statserver_trio.model.directory import Directory
from statserver_trio.stats.definitions import Definitions
from statserver_trio.stats.definitions.stat_types import parse_stat_type
from statserver_trio.stats.definitions.time_profiles import UTC, parse_time_profile
from statserver_trio.stats.engine import Engine
from statserver_trio.stats.extended.offers import Offer
from statserver_trio.stats.extended.registry import Closed, Opened, Reset
from statserver_trio.stats.requests import ExtensionMissing, StatisticError, StatisticRequest
from statserver_trio.stats.statistic import Statistic
from statserver_trio.stats.telling.notifications import Mode, Notification, Subscription
from statserver_trio.stats.transfer import definition_hash, request_of
from statserver_trio.tlib.events import EventQueued

T0 = 1_767_268_800_000  # 2026-01-01T12:00:00Z
MINUTE = 60_000
QUEUE = frozenset({"Queue"})
PROFILES = {
    "Five": parse_time_profile("Five,Growing", "0:00 +0:05", UTC),
    "Never": parse_time_profile("Never,Growing", "never", UTC),
}
OFFERS = (
    Offer("a.py", "Now", QUEUE),
    Offer("a.py", "Since", QUEUE, "historical"),
    Offer("a.py", "Tree", QUEUE, result="object"),
)


def engine(sources: int = 1) -> Engine:
    made = Engine(Definitions(time_profiles=PROFILES), Directory())
    for number in range(sources):
        made.add_source(f"ts{number}", f"sw{number}")
    made.extended.offer("a.py", OFFERS)
    return made


def opened(e: Engine, name: str, profile: str | None = None, at: int = T0) -> Statistic:
    return e.open(StatisticRequest("Queue", "q1", name, profile), at)


def wanted(e: Engine, statistic: Statistic, mode: Mode, **how: Any) -> Subscription:
    made = e.subscribe(statistic, Notification(mode, **how), None, T0)
    e.value_for(made, T0)
    return made


def told(e: Engine, now: int) -> list[Any]:
    return [n.value.value if n.value is not None else n.kind for n in e.notices(now)]


def test_a_server_without_any_feed_can_have_them() -> None:
    e = engine(sources=0)
    statistic = opened(e, "Now")
    e.extended.push(statistic, 3)
    assert e.value(statistic, T0 + 500).value == 3
    assert e.value(statistic, T0 + 500).time == (T0 + 500) / 1000


def test_events_have_nothing_to_do_with_them() -> None:
    e = engine()
    statistic = opened(e, "Since", "Five")
    wanted(e, statistic, Mode.CHANGES_BASED)
    e.extended.trouble(statistic, "", T0)
    e.notices(T0)
    # A feed whose clock is a year ahead passes no reset point of theirs.
    late = EventQueued(this_dn="q1", conn_id="c1", position=1, time=T0 / 1000 + 31_536_000)
    e.apply("ts0", [late], T0 + 1000)
    assert told(e, T0 + 1000) == []
    assert [type(each) for each in e.extended.take_actions()] == [Opened]
    assert e.next_deadline(T0 + 1000) == T0 + 5 * MINUTE


def test_validity_is_told_once() -> None:
    e = engine()
    statistic = opened(e, "Now")
    wanted(e, statistic, Mode.NO_NOTIFICATION)
    for reason in ("", "", "broken", "still broken", ""):
        e.extended.trouble(statistic, reason, T0)
    e.set_connected("ts0", False)  # a T-Server is no concern of theirs
    assert told(e, T0) == ["StatisticValid", "StatisticInvalid", "StatisticValid"]


def test_insensitivity_and_suspension() -> None:
    e = engine()
    statistic = opened(e, "Now")
    coarse = wanted(e, statistic, Mode.CHANGES_BASED, insensitivity=5)
    for value, expected in ((4, []), (5, [5]), (9, []), (10, [10])):
        e.extended.push(statistic, value)
        assert told(e, T0) == expected
    e.suspend(coarse, True)
    e.extended.push(statistic, 99)
    assert told(e, T0) == []


def test_after_a_long_silence_the_last_reset_point_is_told() -> None:
    e = engine()
    statistic = opened(e, "Since", "Five")
    wanted(e, statistic, Mode.RESET_BASED)
    e.extended.push(statistic, 7)
    (notice,) = e.notices(T0 + 17 * MINUTE)
    assert notice.value is not None
    assert (notice.value.value, notice.value.time) == (7, (T0 + 15 * MINUTE) / 1000)
    assert [type(each) for each in e.extended.take_actions()] == [Opened, Reset]
    assert e.next_deadline(T0 + 17 * MINUTE) == T0 + 20 * MINUTE


def test_a_profile_that_never_resets() -> None:
    e = engine()
    statistic = opened(e, "Since", "Never")
    assert e.value(statistic, T0 + 90 * MINUTE).interval == 90 * 60
    with pytest.raises(StatisticError, match="ResetBased"):
        wanted(e, statistic, Mode.RESET_BASED)


def test_what_was_missed_is_not_complete_until_the_interval_is_over() -> None:
    e = engine()
    statistic = opened(e, "Since", "Five")
    e.extended.trouble(statistic, "", T0)
    assert e.value(statistic, T0).complete
    e.extended.trouble(statistic, "broken", T0 + 4 * MINUTE)
    e.notices(T0 + 5 * MINUTE)
    assert not e.value(statistic, T0 + 5 * MINUTE).complete
    e.extended.trouble(statistic, "", T0 + 6 * MINUTE)
    assert not e.value(statistic, T0 + 9 * MINUTE).complete
    e.notices(T0 + 10 * MINUTE)
    assert e.value(statistic, T0 + 11 * MINUTE).complete


def test_only_the_definition_travels() -> None:
    e = engine()
    statistic = opened(e, "Since", "Five")
    assert not statistic.counts
    request = request_of(statistic)
    assert (request.stat_type, request.extension) == ("Since", "a.py:Since")
    other = Engine(Definitions(time_profiles=PROFILES), Directory())
    with pytest.raises(ExtensionMissing):
        other.open(request, T0)
    other.extended.offer("a.py", OFFERS)
    assert definition_hash(other.open(request, T0)) == definition_hash(statistic)


def test_both_spellings_mean_the_same() -> None:
    java = {"Objects": "Queue", "Category": "JavaCategory", "JavaSubCategory": "a.py:Now"}
    python = {"objects": "Queue", "category": "PYTHONcategory", "PythonSubCategory": "a.py : Now"}
    one, other = (parse_stat_type("X", options) for options in (java, python))
    assert one.extension == other.extension == "a.py:Now"
    assert one.category == other.category == "PythonCategory"


def test_two_of_the_same_name_and_one_goes() -> None:
    e = engine()
    e.extended.offer("0.py", [Offer("0.py", "Now", QUEUE)])
    assert e.extended.stat_types({})["Now"].extension == "0.py:Now"
    statistic = opened(e, "Now")
    assert list(e.extended.withdraw("0.py")) == [statistic]
    e.close_all([statistic], "gone")
    assert [type(each) for each in e.extended.take_actions()] == [Opened, Closed]
    assert e.extended.statistics == {}
    assert e.next_deadline(T0) == float("inf")
    assert e.extended.stat_types({})["Now"].extension == "a.py:Now"


STEPS = st.lists(
    st.tuples(st.integers(0, 4 * MINUTE), st.sampled_from(["push", "look", "tell"])), max_size=30
)


@given(STEPS)
def test_against_what_anybody_would_do(steps: list[tuple[int, str]]) -> None:
    """The last value pushed since the last reset point; whether or not somebody looked."""
    e = engine()
    statistic = opened(e, "Since", "Five")
    wanted(e, statistic, Mode.RESET_BASED)
    now, pushed, value = T0, T0, 0
    closings: dict[int, int] = {}
    heard: dict[int, int] = {}
    for number, (later, what) in enumerate(steps):
        for at in range((now // (5 * MINUTE) + 1) * 5 * MINUTE, now + later + 1, 5 * MINUTE):
            closings[at], value = value, 0
        now += later
        if what == "push":
            for notice in e.notices(now):  # as whoever pushes does before
                assert notice.value is not None
                heard[round(notice.value.time * 1000)] = notice.value.value
            value, pushed = number + 1, now
            e.extended.push(statistic, value)
        elif what == "tell":
            for notice in e.notices(now):
                assert notice.value is not None
                heard[round(notice.value.time * 1000)] = notice.value.value
        shown = e.value(statistic, now)
        since = max(T0, now // (5 * MINUTE) * 5 * MINUTE)
        assert (shown.value, shown.interval) == (value, (now - since) / 1000)
    assert pushed <= now
    for at, what_it_came_to in heard.items():  # each time the latest of those passed
        first = max((t for t in heard if t < at), default=T0)
        passed = [closings[t] for t in sorted(closings) if first < t <= at]
        assert what_it_came_to == passed[0]
