"""Values that many are told: each client gets what it would have got alone, byte for byte."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from attrs import define, field
from hypothesis import given
from hypothesis import strategies as st

from statserver_trio.api import messages as m
from statserver_trio.api.codec import decode_events, encode, frame, info_head, info_tail
from statserver_trio.api.outbox import SMALL_BYTES, Outbox, OutboxLimits
from statserver_trio.api.session import ClientSession, Opened
from statserver_trio.api.spreading import is_shared, spread
from statserver_trio.model.directory import Directory
from statserver_trio.stats.definitions import Definitions
from statserver_trio.stats.engine import Engine
from statserver_trio.stats.telling.notifications import (
    Mode,
    News,
    Notice,
    Notification,
    Subscription,
    Value,
)

LEAVES = st.integers(-(2**53), 2**53) | st.floats() | st.text(max_size=20)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
LARGE = st.integers(SMALL_BYTES - 80, SMALL_BYTES + 10).map(lambda size: "x" * size)
SECONDS = st.floats(0, 2e9)
VALUES = st.builds(Value, TREES | LARGE, SECONDS, SECONDS, st.booleans())
NUMBERS = st.integers(-(2**63), 2**63 - 1)


def info(value: Value, reference_id: int, statistic_id: int) -> m.Info:
    return m.Info(
        reference_id=reference_id,
        statistic_id=statistic_id,
        value=value.value,
        time=value.time,
        interval=value.interval,
        complete=value.complete,
    )


@given(VALUES, NUMBERS, NUMBERS)
def test_two_pieces_are_the_whole(value: Value, reference_id: int, statistic_id: int) -> None:
    whole = info_head(reference_id, statistic_id) + info_tail(value)
    assert whole == encode(info(value, reference_id, statistic_id))
    [event] = decode_events(whole)
    assert isinstance(event, m.Info)


@define
class Plain:
    """An outbox as one would write it first: a list, in which a value may be replaced."""

    waiting: list[tuple[int | None, bool, bytes]] = field(factory=list)

    def put(self, event: m.Event) -> None:
        statistic_id = getattr(event, "statistic_id", None)
        is_value = type(event) is m.Info
        entry = statistic_id, is_value, encode(event)
        of_it = [n for n, each in enumerate(self.waiting) if each[0] == statistic_id]
        if is_value and of_it and self.waiting[of_it[-1]][1]:
            self.waiting[of_it[-1]] = entry
        else:
            self.waiting.append(entry)

    def take(self, max_events: int, max_bytes: int) -> bytes:
        taken: list[bytes] = []
        while self.waiting and len(taken) < max_events:
            data = self.waiting[0][2]
            if taken and sum(map(len, taken)) + len(data) > max_bytes:
                break
            taken.append(data)
            del self.waiting[0]
        return frame(taken) if taken else b""


def statistic(category: str = "TotalNumber") -> Any:
    return SimpleNamespace(category=SimpleNamespace(name=category))


class Client:
    """One that has three statistics open, under numbers of its own; and what it is to get."""

    def __init__(self, number: int) -> None:
        self.outbox, self.plain = Outbox(), Plain()
        engine = Engine(Definitions(), Directory())
        self.session = ClientSession(engine, outbox=self.outbox)
        self.subscriptions = [self._subscription(number, 10 * number + each) for each in range(3)]

    def _subscription(self, number: int, statistic_id: int) -> Subscription:
        reference_id = 7 * statistic_id - number
        head = info_head(reference_id, statistic_id)
        opened = Opened(self.session, statistic_id, reference_id, head, self.outbox)
        opened.subscription = Subscription(statistic(), Notification(), opened)
        return opened.subscription

    def expects(self, statistic: int, value: Value) -> None:
        opened = self.subscriptions[statistic].owner
        self.plain.put(info(value, opened.reference_id, opened.statistic_id))

    def puts(self, event: m.Event) -> None:
        self.outbox.put([event])
        self.plain.put(event)


CLIENTS = 3
WHO = st.integers(0, CLIENTS - 1)
WHICH = st.integers(0, 2)
STEPS = st.lists(
    st.tuples(st.just("news"), st.lists(st.tuples(WHICH, VALUES, st.sets(WHO, min_size=1))))
    | st.tuples(st.just("info"), WHO, WHICH, VALUES)
    | st.tuples(st.just("ack"), WHO, WHICH)
    | st.tuples(st.just("error"), WHO)
    | st.tuples(st.just("take"), WHO, st.integers(1, 4), st.sampled_from([1, 250, 1200, 10_000])),
    max_size=40,
)


@given(STEPS)
def test_shared_or_alone(steps: list[tuple[Any, ...]]) -> None:
    """Whatever else waits: the same frames as from an outbox that shares nothing."""
    clients = [Client(number) for number in range(CLIENTS)]
    for what, *how in steps:
        if what == "news":
            news = []
            for which, value, whose in how[0]:
                news.append(News(value, [clients[who].subscriptions[which] for who in whose]))
                for who in whose:
                    clients[who].expects(which, value)
            empty = [client.outbox for client in clients if not len(client.outbox)]
            assert set(map(id, spread(news)[0])) == {id(box) for box in empty if len(box)}
        elif what == "info":
            who, which, value = how
            told = [Notice(clients[who].subscriptions[which], "Info", value)]
            spread(told)
            clients[who].expects(which, value)
        elif what == "take":
            client = clients[how[0]]
            assert client.outbox.take(*how[1:]) == client.plain.take(*how[1:])
        elif what == "ack":
            client = clients[how[0]]
            statistic_id = client.subscriptions[how[1]].owner.statistic_id
            client.puts(m.Ack(reference_id=1, statistic_id=statistic_id))
        else:
            clients[how[0]].puts(m.error("limit", "x"))
    for client in clients:
        while expected := client.plain.take(1000, 10_000):
            assert client.outbox.take(1000, 10_000) == expected
        assert not client.outbox.take()
        assert len(client.outbox) == 0
        assert client.outbox.is_plain


def value(number: Any) -> Value:
    return Value(number, 1.5, 0.5)


@pytest.mark.parametrize("size", [1, SMALL_BYTES])
def test_who_is_gone_is_told_nothing(size: int) -> None:
    one, other = Client(1), Client(2)
    news = [News(value("x" * size), [one.subscriptions[0], other.subscriptions[0]])]
    one.session.close()
    assert spread(news)[0] == [other.outbox]
    assert not len(one.outbox)


def test_who_has_overflowed_is_told_nothing() -> None:
    client = Client(1)
    client.outbox._limits = OutboxLimits(lasting_events=1)
    for number in range(3):
        client.outbox.put([m.error("limit", "", number)])
    assert client.outbox.overflowed
    for _ in range(2):
        assert spread([News(value(1), [client.subscriptions[0]])])[0] == []
        assert b"value" not in client.outbox.take()
    assert not client.outbox.is_plain


def test_a_large_value_is_shared_by_those_who_wait() -> None:
    clients = [Client(number) for number in range(3)]
    spread([News(value("x" * SMALL_BYTES), [client.subscriptions[0] for client in clients])])
    tails = {id(client.outbox._queue[0].tail) for client in clients}
    assert len(tails) == 1


def test_what_is_told_in_words_of_its_own() -> None:
    client = Client(1)
    subscription = client.subscriptions[0]
    assert is_shared(News(value(1), [subscription]))
    assert is_shared(Notice(subscription, "Info", value(1)))
    assert not is_shared(Notice(subscription, "StatisticValid"))
    subscription.notification = Notification(Mode.RESET_BASED)
    assert not is_shared(Notice(subscription, "Info", value(1)))  # has to arrive
    subscription.notification = Notification()
    subscription.statistic = statistic("CurrentTargetState")  # goes by differences
    assert not is_shared(News(value(1), [subscription]))


def test_a_closed_statistic_is_told_nothing() -> None:
    """Notices may have been on their way when the client closed it."""
    client = Client(1)
    one, other = client.subscriptions[:2]
    for subscription in (one, other):
        client.session._opened[subscription.owner.statistic_id] = subscription.owner
    client.session._forget(one.owner)
    spread([News(value(5), [one]), News(value(6), [other])])
    assert json.loads(client.outbox.take())["statisticId"] == other.owner.statistic_id
