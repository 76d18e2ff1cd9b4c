"""Who is told what, and when: the engine with its schedule, on a clock of ours."""

from __future__ import annotations

from math import inf
from typing import Any

import pytest
from attrs import define, field
from hypothesis import given
from hypothesis import strategies as st

from statserver_trio.model.directory import Directory
from statserver_trio.stats.definitions import Definitions
from statserver_trio.stats.definitions.stat_types import parse_stat_type
from statserver_trio.stats.definitions.time_profiles import UTC, parse_time_profile
from statserver_trio.stats.engine import Engine
from statserver_trio.stats.requests import StatisticError, StatisticRequest
from statserver_trio.stats.telling.notifications import (
    Mode,
    Notification,
    Subscription,
    tell_change,
)
from statserver_trio.tlib import events as e

MIDNIGHT = 1_700_006_400_000
NEVER = parse_time_profile("Never,Growing", "never", UTC)
MINUTES = parse_time_profile("Minutes,Growing", "0:00 +0:01", UTC)
SLIDING = parse_time_profile("Last,Sliding", "10:1", UTC)


@define
class Site:
    """An engine, one queue, one phone, and a clock that runs from deadline to deadline."""

    engine: Engine = field(init=False)
    now: int = MIDNIGHT
    told: list[tuple[float, str, Any]] = field(factory=list)  # seconds, kind or owner, value

    def __attrs_post_init__(self) -> None:
        self.engine = Engine(Definitions(), Directory())
        self.engine.add_source("ts1", "sw1")
        self.say(e.EventRegistered, 0, "7001")
        self.say(e.EventRegistered, 0, "8001", address_type="Queue")

    def say(
        self, cls: type, seconds: float, dn: str = "7001", late: float = 0, **more: Any
    ) -> None:
        """An event of that time, which arrives ``late``."""
        self.run(seconds + late)
        if issubclass(cls, e.CallEvent):
            more = {"conn_id": "c1", "call_type": "Inbound", **more}
        event = cls(time=MIDNIGHT / 1000 + seconds, this_dn=dn, **more)
        self.engine.apply("ts1", [event], self.now)
        self.listen()

    def run(self, seconds: float) -> None:
        """Nothing happens until then."""
        until = MIDNIGHT + round(seconds * 1000)
        for _ in range(10_000):
            deadline = self.engine.next_deadline(self.now)
            if deadline > until:
                break
            assert deadline >= self.now
            self.now = int(deadline)
            self.listen()
        else:
            raise AssertionError("deadlines that never pass")
        self.now = max(self.now, until)

    def listen(self) -> None:
        for notice in self.engine.notices(self.now):
            shown = notice.value.value if notice.value else notice.reason
            name = notice.subscription.owner if notice.kind == "Info" else notice.kind
            self.told.append(((self.now - MIDNIGHT) / 1000, name, shown))

    def subscribe(
        self,
        name: str,
        category: str,
        mode: Mode = Mode.CHANGES_BASED,
        *,
        profile: Any = NEVER,
        frequency: int = 0,
        insensitivity: float = 0,
        object: tuple[str, str] = ("RegDN", "7001"),
        mask: str = "CallInbound",
        subject: str = "DNAction",
    ) -> Subscription:
        options = {
            "Objects": object[0], "Category": category, "Subject": subject, "MainMask": mask
        }  # fmt: skip
        request = StatisticRequest(*object, parse_stat_type("", options), profile)
        statistic = self.engine.open(request, self.now)
        notification = Notification(mode, frequency, insensitivity)
        subscription = self.engine.subscribe(statistic, notification, name, self.now)
        self.engine.value_for(subscription, self.now)
        return subscription

    def heard(self, name: str) -> list[tuple[float, Any]]:
        return [(t, value) for t, who, value in self.told if who == name]


@pytest.fixture
def site() -> Site:
    return Site()


# -- ChangesBased -------------------------------------------------------------------------


def test_changes_and_nothing_else(site: Site) -> None:
    site.subscribe("calls", "TotalNumber")
    site.subscribe("now", "CurrentNumber")
    site.say(e.EventEstablished, 10)
    site.say(e.EventHeld, 15)
    site.say(e.EventRetrieved, 20)
    site.say(e.EventReleased, 30)
    site.run(100)
    assert site.heard("calls") == [(30, 1)]
    assert site.heard("now") == [(10, 1), (30, 0)]


def test_a_change_that_is_taken_back_before_anybody_looks_is_none(site: Site) -> None:
    site.subscribe("now", "CurrentNumber")
    event = {"this_dn": "7001", "conn_id": "c1", "time": MIDNIGHT / 1000 + 5}
    site.engine.apply("ts1", [e.EventEstablished(**event), e.EventReleased(**event)], site.now)
    site.listen()
    assert site.heard("now") == []


def test_values_that_grow_by_themselves_are_told_once_a_second(site: Site) -> None:
    site.subscribe("time", "CurrentTime")
    site.say(e.EventEstablished, 10)
    site.say(e.EventReleased, 13.5)
    site.run(20)
    assert site.heard("time") == [(11, 1), (12, 2), (13, 3), (13.5, 0)]


def test_or_as_often_as_the_client_wants(site: Site) -> None:
    site.subscribe("time", "CurrentTime", frequency=5)
    site.say(e.EventEstablished, 10)
    site.run(21)
    assert [t for t, _ in site.heard("time")] == [15, 20]


def test_what_does_not_grow_needs_no_clock(site: Site) -> None:
    site.subscribe("calls", "TotalNumber")
    site.subscribe("time", "TotalTime")  # of actions: grows when one ends
    assert site.engine.next_deadline(site.now) == inf


def test_a_reset_makes_values_fall(site: Site) -> None:
    site.subscribe("calls", "TotalNumber", profile=MINUTES)
    site.say(e.EventEstablished, 10)
    site.say(e.EventReleased, 30)
    site.run(200)
    assert site.heard("calls") == [(30, 1), (60, 0)]


def test_a_sliding_window_lets_go(site: Site) -> None:
    site.subscribe("calls", "TotalNumber", profile=SLIDING)
    site.say(e.EventEstablished, 20)
    site.say(e.EventReleased, 25)
    site.run(60)
    assert site.heard("calls") == [(25, 1), (35, 0)]


def test_insensitivity(site: Site) -> None:
    site.subscribe(
        "waiting", "CurrentNumber", insensitivity=2, object=("Queue", "8001"), mask="CallWait"
    )
    for n in range(5):
        site.say(e.EventQueued, 10 + n, "8001", conn_id=f"c{n}")
    assert site.heard("waiting") == [(11, 2), (13, 4)]


def test_suspended_is_silent_and_is_counted_on(site: Site) -> None:
    subscription = site.subscribe("calls", "TotalNumber")
    site.engine.suspend(subscription, True)
    site.say(e.EventEstablished, 10)
    site.say(e.EventReleased, 30)
    assert site.heard("calls") == []
    site.engine.suspend(subscription, False)
    assert site.engine.value_for(subscription, site.now).value == 1
    site.run(100)
    assert site.heard("calls") == []


def test_after_the_end_of_a_subscription_nothing_comes(site: Site) -> None:
    subscription = site.subscribe("time", "CurrentTime")
    other = site.subscribe("other", "CurrentTime", frequency=3)
    site.say(e.EventEstablished, 10)
    site.engine.unsubscribe(subscription)
    site.run(13)
    assert site.heard("time") == []
    assert site.heard("other") == [(12, 2)]
    site.engine.unsubscribe(other)
    site.engine.unsubscribe(other)
    assert not site.engine.statistics
    assert site.engine.next_deadline(site.now) == inf


# -- TimeBased ----------------------------------------------------------------------------


def test_time_based_comes_in_any_case(site: Site) -> None:
    site.subscribe("calls", "TotalNumber", Mode.TIME_BASED, frequency=10)
    site.say(e.EventEstablished, 12)
    site.say(e.EventReleased, 15)
    site.run(31)
    assert site.heard("calls") == [(10, 0), (20, 1), (30, 1)]


def test_time_based_with_insensitivity_only_when_it_changed(site: Site) -> None:
    site.subscribe("calls", "TotalNumber", Mode.TIME_BASED, frequency=10, insensitivity=1)
    site.say(e.EventEstablished, 12)
    site.say(e.EventReleased, 15)
    site.run(41)
    assert site.heard("calls") == [(20, 1)]


def test_one_tick_for_all_of_a_period(site: Site) -> None:
    for n in range(100):
        site.subscribe(f"n{n}", "TotalNumber", Mode.TIME_BASED, frequency=10, mask="CallInbound")
    site.run(9.5)
    assert site.engine.next_deadline(site.now) == MIDNIGHT + 10_000
    site.run(10)
    assert [t for t, _, _ in site.told] == [10.0] * 100


def test_no_notification_is_none(site: Site) -> None:
    site.subscribe("calls", "TotalNumber", Mode.NO_NOTIFICATION)
    site.say(e.EventEstablished, 12)
    site.say(e.EventReleased, 15)
    site.run(100)
    assert site.told == []


# -- ResetBased ---------------------------------------------------------------------------


def test_closing_values_when_the_timer_comes_first(site: Site) -> None:
    """A second after the reset point, in case events of before it are still on their way."""
    site.subscribe("closing", "TotalTime", Mode.RESET_BASED, profile=MINUTES)
    site.say(e.EventEstablished, 10)
    site.say(e.EventReleased, 30)
    site.run(185)
    assert site.heard("closing") == [(61, 20), (121, 0), (181, 0)]


def test_closing_values_when_an_event_comes_first(site: Site) -> None:
    site.subscribe("closing", "TotalTime", Mode.RESET_BASED, profile=MINUTES)
    site.subscribe("wait", "TotalTime", Mode.RESET_BASED, profile=MINUTES, subject="DNStatus")
    site.say(e.EventEstablished, 10)
    site.say(e.EventReleased, 30)
    site.say(e.EventEstablished, 40, conn_id="c2")
    site.say(e.EventReleased, 60.2, conn_id="c2")
    site.run(110)
    assert site.heard("closing") == [(60.2, 20)]
    # As a status also what was in progress when the minute was over.
    assert site.heard("wait") == [(60.2, 40)]
    site.run(125)
    # All of c2 that lay behind the reset: 60.2 is 60 in whole seconds.
    assert site.heard("closing")[1:] == [(121, 0)]
    assert site.heard("wait")[1:] == [(121, 0)]


def test_a_late_event_still_belongs_to_its_interval(site: Site) -> None:
    site.subscribe("closing", "TotalNumber", Mode.RESET_BASED, profile=MINUTES)
    site.say(e.EventEstablished, 50)
    site.say(e.EventReleased, 59, late=1.5)
    site.run(70)
    assert [value for _, value in site.heard("closing")] == [1]


def test_after_a_long_silence_every_interval_is_told_once(site: Site) -> None:
    site.subscribe("closing", "TotalNumber", Mode.RESET_BASED, profile=MINUTES)
    site.say(e.EventEstablished, 10)
    site.say(e.EventReleased, 20)
    site.now = MIDNIGHT + 600_000  # nobody looked
    event = e.EventEstablished(time=MIDNIGHT / 1000 + 600, this_dn="7001", conn_id="c2")
    site.engine.apply("ts1", [event], site.now)
    site.listen()
    assert [value for _, value in site.heard("closing")] == [1] + [0] * 9


@pytest.mark.parametrize(
    ("category", "profile"),
    [("TotalNumber", NEVER), ("TotalNumber", SLIDING), ("CurrentTime", None)],
)
def test_reset_based_needs_resets(site: Site, category: str, profile: Any) -> None:
    with pytest.raises(StatisticError, match="ResetBased needs") as caught:
        site.subscribe("x", category, Mode.RESET_BASED, profile=profile)
    assert caught.value.code == "incompatible"


# -- validity -----------------------------------------------------------------------------


def test_validity_is_told_once(site: Site) -> None:
    site.subscribe("calls", "TotalNumber")
    site.subscribe("state", "CurrentState", mask="*")
    for t in (10, 11):
        site.say(e.EventLinkDisconnected, t, "")
    site.run(20)
    site.say(e.EventLinkConnected, 30, "")
    for t in (40, 41):
        site.say(e.EventRegistered, t, "7001")
    assert [(t, kind) for t, kind, _ in site.told if kind.startswith("Statistic")] == [
        (10, "StatisticInvalid"),
        (40, "StatisticValid"),
    ]


def test_a_lost_feed_is_told_too(site: Site) -> None:
    site.subscribe("calls", "TotalNumber")
    site.engine.set_connected("ts1", False)
    site.listen()
    site.engine.set_connected("ts1", True)
    site.listen()
    assert [(kind, why) for _, kind, why in site.told] == [
        ("StatisticInvalid", "T-Server ts1 is not connected"),
        ("StatisticValid", ""),
    ]


def test_other_objects_are_not_concerned(site: Site) -> None:
    site.subscribe("calls", "TotalNumber")
    site.say(e.EventDNOutOfService, 10, "8001")
    assert site.told == []


def test_closing_with_a_reason(site: Site) -> None:
    subscription = site.subscribe("calls", "TotalNumber")
    notices = site.engine.close_all([subscription.statistic], "its stat type is gone")
    assert [(n.kind, n.reason, n.subscription) for n in notices] == [
        ("StatisticClosed", "its stat type is gone", subscription)
    ]
    assert not site.engine.statistics
    site.say(e.EventEstablished, 10)
    site.say(e.EventReleased, 12)
    assert site.told == []


# -- many at once -------------------------------------------------------------------------

SOME_VALUES = st.sampled_from([None, 0, 1, 1.0, 2, 5, 5.5, 100, 104.0, "Ready", "NotReady"])
NOTIFICATIONS = [Notification(), Notification(insensitivity=3), *map(Notification, Mode)]
LISTENERS = st.lists(st.tuples(st.sampled_from(NOTIFICATIONS), SOME_VALUES, st.booleans()))


@given(LISTENERS, SOME_VALUES.filter(lambda value: value is not None))
def test_many_are_decided_as_each_would_be(listeners: list[Any], value: Any) -> None:
    subscriptions = [
        Subscription(None, notification, number, suspended, last)  # type: ignore[arg-type]
        for number, (notification, last, suspended) in enumerate(listeners)
    ]
    expected = [
        subscription
        for subscription in subscriptions
        if subscription.notification.mode is Mode.CHANGES_BASED
        and not subscription.suspended
        and subscription.worth_sending(value)
    ]
    before = {subscription: subscription.last_sent for subscription in subscriptions}
    assert tell_change(subscriptions, value) == expected
    for subscription in subscriptions:
        told = value if subscription in expected else before[subscription]
        assert subscription.last_sent is told
