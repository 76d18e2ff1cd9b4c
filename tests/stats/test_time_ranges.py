"""Time ranges: borders, spelling, mistakes."""

from __future__ import annotations

import pytest

from statserver_trio.stats.definitions.time_ranges import (
    BUILT_IN_RANGE,
    TimeRange,
    parse_time_range,
)


@pytest.mark.parametrize(
    ("value", "seconds", "inside"),
    [
        ("0-20", 0, True),
        ("0-20", 19.999, True),
        ("0-20", 20, False),
        ("20-50", 20, True),
        ("20-50", 50, False),
        ("0-11", 11, False),  # V4
        ("11-20", 11, True),
        ("30-", 10**9, True),
        ("30-", 29, False),
        (" 5 - 6 ", 5, True),
    ],
)
def test_which_durations_count(value: str, seconds: float, inside: bool) -> None:
    assert parse_time_range("R", value).contains(int(seconds * 1000)) is inside


def test_neighbours_share_nothing() -> None:
    low, high = parse_time_range("A", "0-20"), parse_time_range("B", "20-50")
    durations = [5_000, 19_000, 20_000, 45_000]  # V4
    assert [sum(map(each.contains, durations)) for each in (low, high)] == [2, 2]


def test_the_built_in_range() -> None:
    assert parse_time_range("Default", "0-20") == BUILT_IN_RANGE == TimeRange("Default", 0, 20_000)


@pytest.mark.parametrize("value", ["0-20", "30-"])
def test_a_range_is_written_as_it_was_read(value: str) -> None:
    assert parse_time_range("R", value).text == value


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("R", "20", "'20' is no range; write whole seconds as 0-20, or 20- for 20 and up"),
        ("R", "-20", "'-20' is no range; write whole seconds as 0-20, or 20- for 20 and up"),
        ("R", "0-1.5", "'0-1.5' is no range; write whole seconds as 0-20, or 20- for 20 and up"),
        ("R", "20-20", "'20-20' is empty: the end must be greater than the start, as in 0-20"),
        ("R", "30-20", "'30-20' is empty: the end must be greater than the start, as in 0-20"),
        (" ", "0-20", "a range needs a name without blanks around it, not ' '"),
    ],
)
def test_mistakes(name: str, value: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is compared in full
        parse_time_range(name, value)
    assert str(caught.value) == message
