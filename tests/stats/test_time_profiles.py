"""Time profiles: where they reset, and where their windows begin."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statserver_trio.stats.definitions.time_profiles import (
    DEFAULT_PROFILE,
    TimeProfile,
    default_profile,
    parse_time_profile,
    parse_zone,
)

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")
MINUTE = 60_000
HOUR = 60 * MINUTE


def growing(value: str, zone: tzinfo = UTC) -> TimeProfile:
    return parse_time_profile("P,Growing", value, zone)


def ms(text: str, zone: tzinfo = UTC, fold: int = 0) -> int:
    moment = datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold)
    return int(moment.timestamp()) * 1000


def clock(points: tuple[int, ...]) -> str:
    return " ".join(f"{point // 60}:{point % 60:02}" for point in points)


def scan(profile: TimeProfile, low: int, high: int) -> list[int]:
    """Every reset in ``[low, high)``, found by watching the wall clock minute by minute.

    A point fires when the clock shows it or a later time for the first time.
    """
    fired: list[int] = []
    latest = None
    for at in range(low, high, MINUTE):
        wall = datetime.fromtimestamp(at / 1000, profile.zone).replace(tzinfo=None)
        if latest is None:
            latest = wall
            if wall.hour * 60 + wall.minute in profile.points:
                fired.append(at)
            continue
        passed = []
        while latest < wall:
            latest += timedelta(minutes=1)
            passed.append(latest.hour * 60 + latest.minute)
        if not set(profile.points).isdisjoint(passed):
            fired.append(at)
    return fired


@pytest.mark.parametrize(
    ("value", "points"),
    [
        ("0:00", "0:00"),
        ("00:00", "0:00"),
        ("7:00, 15:00, 23:00", "7:00 15:00 23:00"),
        ("7:00 15:00 23:00", "7:00 15:00 23:00"),
        ("23:00,7:00,15:00", "7:00 15:00 23:00"),
        # V24
        ("9:00 +1:00, 18:00", "9:00 10:00 11:00 12:00 13:00 14:00 15:00 16:00 17:00 18:00"),
        ("9:00+1:00,18:00", "9:00 10:00 11:00 12:00 13:00 14:00 15:00 16:00 17:00 18:00"),
        ("0:00 + 8:00", "0:00 8:00 16:00"),
        ("6:00 +5:00", "2:00 6:00 11:00 16:00 21:00"),  # round midnight, until 6:00 again
        ("20:00 +3:00, 1:00", "1:00 20:00 23:00"),
        ("", ""),
        ("  ", ""),
        ("Never", ""),
    ],
)
def test_points_of_a_growing_profile(value: str, points: str) -> None:
    assert clock(growing(value).points) == points


def test_half_hours_are_48_points_a_day() -> None:
    assert len(growing("0:00 +0:30").points) == 48  # V24


def test_resets_of_a_working_day_and_the_night_after_it() -> None:
    profile = growing("9:00 +1:00, 18:00")  # V24
    assert profile.next_reset(ms("2026-01-05T17:00")) == ms("2026-01-05T18:00")
    assert profile.next_reset(ms("2026-01-05T18:00")) == ms("2026-01-06T09:00")
    assert profile.last_reset(ms("2026-01-05T18:00")) == ms("2026-01-05T18:00")
    assert profile.last_reset(ms("2026-01-05T18:00") - 1) == ms("2026-01-05T17:00")
    assert profile.last_reset(ms("2026-01-05T08:59")) == ms("2026-01-04T18:00")


def test_a_profile_that_never_resets() -> None:
    assert growing("never").last_reset(0) is None
    assert growing("never").next_reset(0) is None


@pytest.mark.parametrize("t", [-(10**15), 10**15, 10**30])
def test_no_resets_where_the_calendar_ends(t: int) -> None:
    assert DEFAULT_PROFILE.last_reset(t) is None
    assert DEFAULT_PROFILE.next_reset(t) is None


def test_the_default_resets_at_midnight_in_its_zone() -> None:
    assert DEFAULT_PROFILE.last_reset(ms("2026-07-01T12:00")) == ms("2026-07-01T00:00")
    there = default_profile(BERLIN)
    assert there.name == DEFAULT_PROFILE.name == "Default"
    assert there.last_reset(ms("2026-07-01T12:00")) == ms("2026-07-01T00:00", BERLIN)


@pytest.mark.parametrize(
    ("value", "midnight"),
    [
        ("0:00", "2026-07-01T00:00+02:00"),
        ("0:00 tz=America/New_York", "2026-07-01T00:00-04:00"),
        ("0:00 TZ = UTC", "2026-07-01T00:00+00:00"),
        ("0:00 tz=+5:30", "2026-07-01T00:00+05:30"),
        ("0:00 tz=-03:00", "2026-07-01T00:00-03:00"),
    ],
)
def test_zones(value: str, midnight: str) -> None:
    want = int(datetime.fromisoformat(midnight).timestamp()) * 1000
    assert growing(value, BERLIN).last_reset(want + HOUR) == want


@pytest.mark.parametrize(
    ("value", "after", "then"),
    [
        # Clocks go from 2:00 to 3:00: what is skipped comes at 3:00, once.
        ("2:30", "2026-03-29T00:00", "2026-03-29T03:00"),
        ("2:00, 2:30, 3:00", "2026-03-29T00:00", "2026-03-29T03:00"),
        ("2:00, 2:30, 3:00", "2026-03-29T03:00", "2026-03-30T02:00"),
        # Clocks go from 3:00 back to 2:00: only the first pass counts.
        ("2:30", "2026-10-25T00:00", "2026-10-25T02:30"),
        ("2:30", "2026-10-25T02:30", "2026-10-26T02:30"),
        ("0:00 +0:30", "2026-10-25T02:30", "2026-10-25T03:00"),
    ],
)
def test_when_clocks_are_changed(value: str, after: str, then: str) -> None:
    assert growing(value, BERLIN).next_reset(ms(after, BERLIN)) == ms(then, BERLIN)


def test_the_second_pass_does_not_reset() -> None:
    profile = growing("2:30", BERLIN)
    second = ms("2026-10-25T02:30", BERLIN, fold=1)
    assert profile.last_reset(second) == second - HOUR


def test_a_day_that_a_zone_skipped() -> None:
    apia = ZoneInfo("Pacific/Apia")  # no 30 December 2011: the date line moved
    profile = growing("0:00, 12:00", apia)
    noon = ms("2011-12-29T12:00", apia)
    assert profile.next_reset(noon) == ms("2011-12-31T00:00", apia) == noon + 12 * HOUR
    assert profile.next_reset(noon + 12 * HOUR) == ms("2011-12-31T12:00", apia)


def test_clocks_that_are_set_back_over_midnight() -> None:
    toronto = ZoneInfo("America/Toronto")  # from 0:01 back to 23:01 of the day before
    profile = growing("0:00, 23:30", toronto)
    midnight = ms("2006-10-29T00:00", toronto)
    assert scan(profile, midnight - 10 * HOUR, midnight + 72 * HOUR) == [
        at
        for at in range(midnight - 10 * HOUR, midnight + 72 * HOUR, MINUTE)
        if profile.last_reset(at) == at
    ]


CHANGES = {
    BERLIN: ("2026-03-29T01:00", "2026-10-25T01:00"),
    NEW_YORK: ("2026-03-08T07:00", "2026-11-01T06:00"),
    ZoneInfo("Australia/Lord_Howe"): ("2026-04-04T15:00", "2026-10-03T15:30"),  # half an hour
    ZoneInfo("America/Havana"): ("2026-03-08T05:00", "2026-11-01T05:00"),  # at midnight
}
POINTS = st.lists(
    st.tuples(st.integers(0, 23), st.integers(0, 59), st.none() | st.integers(3, 1439)),
    min_size=1,
    max_size=4,
    unique_by=lambda point: point[:2],
)


@settings(max_examples=60, deadline=None)
@given(points=POINTS, zone=st.sampled_from(list(CHANGES)), which=st.integers(0, 1), data=st.data())
def test_resets_are_those_a_watched_clock_would_show(
    points: list[tuple[int, int, int | None]], zone: ZoneInfo, which: int, data: st.DataObject
) -> None:
    value = ", ".join(
        f"{hour}:{minute:02}" + (f" +{every // 60}:{every % 60:02}" if every else "")
        for hour, minute, every in points
    )
    profile = growing(value, zone)
    change = ms(CHANGES[zone][which])
    low, high = change - 30 * HOUR, change + 60 * HOUR
    resets = scan(profile, low, high)
    for _ in range(10):
        t = data.draw(st.integers(change - 4 * HOUR, change + 30 * HOUR))
        assert profile.last_reset(t) == max(at for at in resets if at <= t)
        assert profile.next_reset(t) == min(at for at in resets if at > t)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(ms("2026-10-20T00:00"), ms("2026-10-30T00:00")), max_size=30))
def test_answers_do_not_depend_on_earlier_questions(moments: list[int]) -> None:
    asked = growing("0:00 +0:45, 22:10", BERLIN)
    for t in moments:
        fresh = growing("0:00 +0:45, 22:10", BERLIN)
        assert asked.last_reset(t) == fresh.last_reset(t)
        assert asked.next_reset(t) == fresh.next_reset(t)
    assert asked == growing("0:00 +0:45, 22:10", BERLIN)


@pytest.mark.parametrize(("t", "value"), [(90, 3), (100, 2), (150, 0)])
def test_sliding_window_of_a_minute(t: int, value: int) -> None:
    profile = parse_time_profile("P,Sliding", "60:1", UTC)  # V9
    ended = [5_000, 35_000, 62_000, 80_000]
    assert sum(profile.edge(t * 1000) <= at <= t * 1000 for at in ended) == value


@given(st.integers(1, 100), st.integers(1, 100), st.integers(0, 10**13))
def test_a_window_is_up_to_one_step_shorter_than_its_length(steps: int, step: int, t: int) -> None:
    profile = parse_time_profile("P,Sliding", f"{steps * step}:{step}", UTC)
    edge = profile.edge(t)
    assert edge % profile.step == 0
    assert profile.length - profile.step <= t - edge < profile.length
    following = (t // profile.step + 1) * profile.step
    assert profile.edge(following - 1) == edge
    assert profile.edge(following) == edge + profile.step


def test_a_window_without_a_step_moves_every_second() -> None:
    profile = parse_time_profile("P,Sliding", " 3600 ", UTC)
    assert (profile.length, profile.step) == (3_600_000, 1_000)
    assert profile.last_reset(0) is profile.next_reset(0) is None


def test_only_sliding_profiles_have_a_window() -> None:
    with pytest.raises(ValueError, match="has no window"):
        DEFAULT_PROFILE.edge(0)


def test_selection_and_since_login() -> None:
    selection = parse_time_profile("Last10,Selection", "10", UTC)
    assert (selection.kind, selection.count) == ("Selection", 10)
    assert parse_time_profile("Day,SinceLogin", "", UTC).kind == "SinceLogin"


HOW = "; write reset times as 0:00 or 7:00, 15:00 or 9:00 +1:00, 18:00, or never"


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        (
            "Shift",
            "0:00",
            "'Shift' names no type; write Name,Type with a type of "
            "Growing, Sliding, Selection or SinceLogin",
        ),
        (
            "Shift,Rolling",
            "0:00",
            "no such type as 'Rolling'; it must be Growing, Sliding, Selection or SinceLogin",
        ),
        (
            "My shift,Growing",
            "0:00",
            "the name 'My shift' must consist of letters, digits and underscores",
        ),
        ("P,Growing", "24:00", "'24:00' is no time of day" + HOW),
        ("P,Growing", "7:5", "'7:5' is no time of day" + HOW),
        ("P,Growing", "7:60", "'7:60' is no time of day" + HOW),
        ("P,Growing", "noon", "'noon' is no time of day" + HOW),
        ("P,Growing", "7:00,,8:00", "',8:00' is no time of day" + HOW),
        ("P,Growing", "7:00,", "nothing follows the last comma" + HOW),
        ("P,Growing", "7:00 07:00", "07:00 is listed twice" + HOW),
        ("P,Growing", "7:00 +0:00", "'0:00' is no increment between 0:01 and 23:59" + HOW),
        ("P,Growing", "7:00 +24:00", "'24:00' is no increment between 0:01 and 23:59" + HOW),
        ("P,Growing", "tz=UTC", "no reset time" + HOW),
        (
            "P,Growing",
            "0:00 tz=Berlin",
            "no such time zone as 'Berlin'; name one like Europe/Berlin or UTC, or +hh:mm",
        ),
        (
            "P,Growing",
            "0:00 tz=+25:00",
            "no such time zone as '+25:00'; name one like Europe/Berlin or UTC, or +hh:mm",
        ),
        (
            "P,Sliding",
            "an hour",
            "'an hour' is no window; write seconds as length:step, for example 3600:60",
        ),
        ("P,Sliding", "60:0", "'60:0': length and step must be 1 s or more"),
        ("P,Sliding", "60:7", "'60:7': the step must divide the length, as in 3600:60"),
        ("P,Sliding", "86401", "'86401': 86401 steps are too many, at most 86400"),
        ("P,Selection", "0", "'0' must be a whole number of occurrences, 1 or more"),
        ("P,SinceLogin", "1", "a SinceLogin profile takes no value, not '1'"),
    ],
)
def test_mistakes(option: str, value: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is compared in full
        parse_time_profile(option, value, UTC)
    assert str(caught.value) == message


@given(st.text(max_size=30), st.text(alphabet="0123456789:+-, tz=UTCnever/.", max_size=30))
def test_anything_else_is_refused_with_a_value_error(zone: str, value: str) -> None:
    for kind in ("Growing", "Sliding", "Selection", "SinceLogin"):
        with suppress(ValueError):
            parse_time_profile(f"P,{kind}", value, UTC)
        with suppress(ValueError):
            parse_zone(zone)
