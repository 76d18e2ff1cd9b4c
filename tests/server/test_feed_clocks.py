"""A source whose clock is not ours is said so once, and once that it is right again."""

from __future__ import annotations

import logging

import pytest

from statserver_trio.model.directory import DN, Directory, DNKey
from statserver_trio.server.clock import Clock
from statserver_trio.server.hub import Hub
from statserver_trio.server.tap import Tap
from statserver_trio.stats.definitions import Definitions
from statserver_trio.stats.engine import Engine
from statserver_trio.tlib.events import EventQueued, EventServerConnected

T0 = 1_700_000_000


class Site:
    """A server, and the clocks of its two switches: seconds by which each is ahead."""

    def __init__(self) -> None:
        dns = {key: DN(key, "Queue") for key in (DNKey("8001", "sw1"), DNKey("8001", "sw2"))}
        engine = Engine(Definitions(), Directory(dns=dns))
        for name, switch in (("ts1", "sw1"), ("ts2", "sw2")):
            engine.add_source(name, switch)
        self.hub = Hub(engine, Clock(T0, monotonic=lambda: 0.0))
        self.tap = Tap(self.hub, {})
        self.ahead = {"ts1": 0.0, "ts2": 0.0}
        self.now = float(T0)
        self._calls = 0

    def goes_on(self, seconds: float, step: float = 1.0) -> None:
        """A call comes to each queue every ``step`` seconds."""
        end = self.now + seconds
        while self.now < end:
            self.now += step
            for name, ahead in self.ahead.items():
                self.call(name, self.now + ahead)

    def call(self, name: str, time: float, now: float | None = None) -> None:
        self._calls += 1
        event = EventQueued(
            position=self._calls, time=time, this_dn="8001", conn_id=f"{self._calls}"
        )
        self.tap.apply(name, [event], int((now or self.now) * 1000))


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "statserver_trio.server.feed_clocks")
    return caplog


def words(said: pytest.LogCaptureFixture) -> list[str]:
    found = [f"{each.levelname} {each.getMessage()}" for each in said.records]
    said.clear()
    return found


def test_each_is_said_once(said: pytest.LogCaptureFixture) -> None:
    site = Site()
    site.goes_on(600)
    assert words(said) == []
    site.ahead["ts2"] = 2.0
    site.goes_on(3600)
    assert words(said) == ["WARNING feed ts2: its clock is +2.0 s ahead of ours"]
    site.ahead["ts2"] = 0.0
    site.goes_on(3600)
    assert words(said) == ["INFO feed ts2: its clock agrees with ours again"]
    site.ahead["ts1"] = -40.0
    site.goes_on(3600)
    assert words(said) == ["WARNING feed ts1: its clock is -40.0 s ahead of ours"]


@pytest.mark.parametrize(
    ("ahead", "is_off"), [(-1.1, True), (-0.9, False), (0.9, False), (1.1, True)]
)
def test_a_second_is_not_off(said: pytest.LogCaptureFixture, ahead: float, is_off: bool) -> None:
    site = Site()
    site.ahead["ts1"] = ahead
    site.goes_on(600, step=1.3)
    assert bool(words(said)) == is_off


def test_seconds_that_were_cut_off_are_no_offset(said: pytest.LogCaptureFixture) -> None:
    site = Site()
    for second in range(600):  # each on its way for half a second, too
        site.call("ts1", T0 + second, T0 + second + 1.49)
    assert words(said) == []


def test_one_that_comes_and_goes_is_no_flood(said: pytest.LogCaptureFixture) -> None:
    site = Site()
    for _ in range(200):
        for ahead in (1.2, 0.6):
            site.ahead["ts1"] = ahead
            site.goes_on(40, step=10.0)
    assert len(words(said)) <= 1


def test_what_was_late_for_once_says_nothing(said: pytest.LogCaptureFixture) -> None:
    site = Site()
    site.goes_on(60)
    for second in range(100):  # the history of a T-Server that was away
        site.call("ts1", site.now + second, site.now + 100 + second / 100)
    site.now += 101
    site.goes_on(600)
    assert words(said) == []


def test_what_has_no_time_of_its_own_is_not_compared(said: pytest.LogCaptureFixture) -> None:
    site = Site()
    for second in range(0, 600, 10):
        site.tap.apply("ts1", [EventServerConnected()], (T0 + second) * 1000)
    assert words(said) == []
