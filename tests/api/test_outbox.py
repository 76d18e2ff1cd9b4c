"""The outbox: values may be replaced by newer ones, nothing else is dropped or reordered."""

import json
from collections import defaultdict
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statserver_trio.api import messages as m
from statserver_trio.api import outbox as module
from statserver_trio.api.outbox import Outbox, OutboxLimits, Traffic


def info(statistic, value, kind=m.Info):
    return kind(
        reference_id=statistic,
        statistic_id=statistic,
        value=value,
        time=0.0,
        interval=0.0,
        complete=True,
    )


def lasting(statistic, value):
    return info(statistic, value, m.LastingInfo)


def ack(statistic, number):
    return m.Ack(reference_id=number, statistic_id=statistic)


def taken(outbox, *limits):
    """The next frame in short: values of Infos, references of the rest."""
    data = outbox.take(*limits)
    events = json.loads(data or b"[]")
    events = events if isinstance(events, list) else [events]
    return [
        (each.get("statisticId"), each.get("value", each.get("referenceId"))) for each in events
    ]


# What is put in, what comes out.
@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([], []),
        ([info(1, 5)], [(1, 5)]),
        ([info(1, 5), info(1, 6), info(1, 7)], [(1, 7)]),
        ([info(1, 5), info(2, 8), info(1, 6)], [(1, 6), (2, 8)]),
        ([info(1, 5), ack(1, 3), info(1, 6), info(1, 7)], [(1, 5), (1, 3), (1, 7)]),
        ([info(1, 5), ack(2, 3), info(1, 6)], [(1, 6), (2, 3)]),
        ([lasting(1, 5), lasting(1, 6), info(1, 7)], [(1, 5), (1, 6), (1, 7)]),
        ([info(1, 5), lasting(1, 6), info(1, 7)], [(1, 5), (1, 6), (1, 7)]),
        ([m.error("limit", "x", 9), info(1, 5)], [(None, 9), (1, 5)]),
    ],
)
def test_what_comes_out(events, expected):
    outbox = Outbox()
    outbox.put(events)
    assert taken(outbox) == expected
    assert taken(outbox) == []
    assert len(outbox) == 0


def test_a_frame_is_an_array_only_where_it_has_to_be():
    outbox = Outbox()
    assert outbox.take() == b""
    outbox.put([ack(1, 1)])
    assert outbox.take()[:1] == b"{"
    outbox.put([ack(1, 1), ack(1, 2)])
    assert outbox.take()[:1] == b"["


def test_frames_have_limits():
    outbox = Outbox()
    outbox.put([ack(1, number) for number in range(10)])
    size = len(module.encode(ack(1, 0)))
    assert len(taken(outbox, 3)) == 3
    assert len(taken(outbox, 9, 2 * size)) == 2
    assert len(taken(outbox, 9, 1)) == 1  # a large event goes alone
    assert len(taken(outbox)) == 4


def test_a_value_that_did_not_fit_may_still_be_replaced():
    outbox = Outbox()
    outbox.put([ack(1, 1), info(2, "x" * 100)])
    assert taken(outbox, 9, 60) == [(1, 1)]
    outbox.put([info(2, "y")])
    assert taken(outbox) == [(2, "y")]


def test_too_much_that_must_arrive_is_an_overflow():
    outbox = Outbox(limits=OutboxLimits(lasting_events=3))
    outbox.put([ack(1, 1), ack(1, 2), info(1, 0), ack(1, 3)])
    assert not outbox.overflowed
    outbox.put([info(number, 0) for number in range(1000)])
    assert not outbox.overflowed
    outbox.put([ack(1, 4), ack(1, 5)])
    assert outbox.overflowed


def test_bytes_count_as_well_and_are_given_back():
    limits = OutboxLimits(lasting_bytes=1000)
    outbox = Outbox(limits=limits)
    for _ in range(10):
        outbox.put([m.error("limit", "x" * 500)])
        outbox.take()
    assert not outbox.overflowed
    outbox.put([m.error("limit", "x" * 500), m.error("limit", "x" * 500)])
    assert outbox.overflowed


def test_congestion_ends_when_answers_have_been_read():
    outbox = Outbox()
    outbox.put([ack(1, number) for number in range(module.CONGESTED_EVENTS + 1)])
    assert outbox.congested
    outbox.take(1)
    assert not outbox.congested
    outbox.put([m.error("limit", "x" * module.CONGESTED_BYTES)])
    assert outbox.congested


STEPS = st.lists(
    st.tuples(st.sampled_from(["info", "info", "lasting", "ack", "other"]), st.integers(1, 3))
    | st.tuples(st.just("take"), st.integers(1, 4)),
    max_size=60,
)


@given(STEPS)
def test_whatever_the_order(steps):
    """Per statistic: the last value sent is the newest, and nothing else is lost or moved."""
    outbox = Outbox()
    put, sent = defaultdict(list), defaultdict(list)
    makers = {"info": info, "lasting": lasting, "ack": ack}

    def receive(frame):
        for statistic, number in frame:
            sent[statistic].append(number)

    for number, (what, argument) in enumerate(steps):
        if what == "take":
            receive(taken(outbox, argument))
        elif what == "other":
            outbox.put([m.error("limit", "", number)])
            put[None].append((number, False))
        else:
            outbox.put([makers[what](argument, number)])
            put[argument].append((number, what == "info"))
    waiting = outbox.values_waiting
    while frame := taken(outbox):
        receive(frame)
    traffic = Traffic()
    traffic.add(outbox, 0)
    values = {(s, n) for s, events in put.items() for n, is_value in events if is_value}
    arrived = {(s, n) for s, numbers in sent.items() for n in numbers}
    assert (traffic.told, traffic.sent, traffic.waiting) == (len(values), len(values & arrived), 0)
    assert traffic.events_sent == len(arrived - values)
    assert traffic.superseded == len(values - arrived)
    assert waiting <= traffic.sent
    for statistic, events in put.items():
        got = sent[statistic]
        assert got == sorted(got), "reordered"
        assert set(got) <= {number for number, _ in events}
        assert {number for number, replaceable in events if not replaceable} <= set(got)
        assert got[-1] == events[-1][0], "not the newest"
        for (number, _), (_, next_replaceable) in pairwise(events):
            if not next_replaceable:
                assert number in got, "replaced by something that is no newer value"
