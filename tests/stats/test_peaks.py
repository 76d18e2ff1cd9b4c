"""Peaks against the list of everything."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from statserver_trio.stats.counting.peaks import TRIM_AT, DepthPeaks, DurationPeaks, PeakList

steady = settings(derandomize=True, deadline=None)

# What happens, how much later than what was before, and how long it had lasted.
steps = st.lists(
    st.tuples(
        st.sampled_from(["ended", "ended", "happened", "opened", "reset"]),
        st.integers(0, 5),
        st.integers(0, 20),
    ),
    max_size=60,
)


@steady
@given(steps, st.integers(0, 60))
def test_durations_of_any_interval(listed: list[tuple[str, int, int]], trimmed: int) -> None:
    peaks = DurationPeaks()
    t, epoch = 1000, 1
    everything: list[tuple[int, int, int, bool]] = []  # order, end, duration, projected
    beginnings: list[tuple[int, int, int, int]] = [
        (0, 0, t, 0)
    ]  # order, from order on, since, epoch
    for order, (what, later, duration) in enumerate(listed, 1):
        t += later
        if what == "ended":
            peaks.ended(t - duration, t, epoch)
            everything.append((order, t, duration, True))
        elif what == "happened":
            peaks.happened(t, duration, epoch)
            everything.append((order, t, duration, False))
        elif what == "opened":  # from here on, even of this moment
            epoch += 1
            beginnings.append((order, order, t, epoch))
        elif later:  # a reset comes before everything of its moment
            epoch += 1
            beginnings.append((order, 0, t, 0))
        if order == trimmed:
            beginnings = [b for b in beginnings if b[2] >= t - 10]
            for kept in (peaks._max, peaks._min, peaks._instant_max, peaks._instant_min):
                kept._trim_at = 0
            peaks.trim(t - 10)
    for _, first, since, at in beginnings:
        inside = [
            min(duration, end - since) if projected else duration
            for n, end, duration, projected in everything
            if end >= since and n > first
        ]
        assert peaks.greatest(since, at) == max(inside, default=None)
        assert peaks.least(since, at) == min(inside, default=None)


@steady
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(-1, 1)), max_size=60), st.data())
def test_depth_of_any_interval(changes: list[tuple[int, int]], data: st.DataObject) -> None:
    peaks = DepthPeaks(0)
    t = number = 0
    held: list[tuple[int, int, int]] = []  # from, until, how many
    since_change = 0
    for later, change in changes:
        t += later
        peaks.changing(number, t)
        if t > since_change:
            held.append((since_change, t, number))
            since_change = t
        number = max(0, number + change)
    since = data.draw(st.integers(0, t))
    known = [n for _, until, n in held if until >= since] + [number]
    assert peaks.greatest(since, number) == max(known)
    assert peaks.least(since, number) == min(known)


def test_what_can_never_be_the_greatest_again_is_dropped() -> None:
    peaks = PeakList()
    for t in range(10_000):
        peaks.add(t, t % 7)
    assert len(peaks._peaks) <= 7
    assert peaks.best(9990) == 6
    assert peaks.best(20_000) is None


def test_a_list_that_only_falls_is_trimmed() -> None:
    peaks = PeakList()
    for t in range(3 * TRIM_AT):
        peaks.add(t, -t)
        peaks.trim(t - 10)
    assert len(peaks._peaks) < 2 * TRIM_AT
    assert peaks.best(3 * TRIM_AT - 5) == -(3 * TRIM_AT - 5)
