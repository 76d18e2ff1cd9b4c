"""The real captures: what is counted out of them is what really happened.

The run of the PBX is told twice, by AMI and by its queue_log, and both must
come to the same contact centre.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import pairwise

import pytest
from asterisk_stories import capture
from attrs import define, field

from statserver_trio.asterisk.ami import AmiParser
from statserver_trio.asterisk.ami_translator import AmiTranslator
from statserver_trio.asterisk.dating import dated
from statserver_trio.asterisk.replay import Replayed, ami_events, queue_log_events
from statserver_trio.tlib.events import (
    EventAbandoned,
    EventAgentLogin,
    EventAgentLogout,
    EventAgentNotReady,
    EventAgentReady,
    EventDiverted,
    EventEstablished,
    EventQueued,
    EventReleased,
    EventRinging,
    TEvent,
)


@define
class Counted:
    """What a listener counts who knows nothing but T-events."""

    entered: int = 0
    answered: int = 0
    abandoned: int = 0
    no_answer: int = 0
    cancelled: int = 0
    waited_answered: float = 0.0
    waited_abandoned: float = 0.0
    by_agent: Counter[str] = field(factory=Counter)
    talk: Counter[str] = field(factory=Counter)
    agents: dict[str, str] = field(factory=dict)
    since: dict[tuple[str, str], float] = field(factory=dict)

    def count(self, events: list[TEvent]) -> Counted:
        for event in events:
            self.one(event)
        return self

    def one(self, event: TEvent) -> None:
        match event:
            case EventAgentLogin():
                self.agents[event.this_dn] = event.agent_id
            case EventQueued():
                self.entered += 1
                self.since[event.conn_id, event.this_dn] = event.time
            case EventAbandoned():
                self.abandoned += 1
                self.waited_abandoned += event.time - self.since[event.conn_id, event.this_dn]
            case EventEstablished():
                self.answered += 1
                self.waited_answered += event.time - self.since[event.conn_id, event.this_queue]
                self.by_agent[self.agents[event.this_dn]] += 1
                self.since[event.conn_id, event.this_dn] = event.time
            case EventReleased(call_state="Redirected"):
                self.no_answer += 1
            case EventReleased(call_state="Cleared"):
                self.cancelled += 1
            case EventReleased():
                agent = self.agents[event.this_dn]
                self.talk[agent] += event.time - self.since[event.conn_id, event.this_dn]


def ami_run() -> Replayed:
    return ami_events([capture("pbx-run.ami.txt")], "sw1")


def log_run() -> Replayed:
    return queue_log_events(capture("pbx-run.queue_log").decode().splitlines(), "sw1")


RUNS = pytest.mark.parametrize("run", [ami_run, log_run], ids=["AMI", "queue_log"])


@RUNS
def test_the_run_counts_what_really_happened(run: Callable[[], Replayed]) -> None:
    replayed = run()
    counted = Counted().count(replayed.events)
    assert (counted.entered, counted.answered, counted.abandoned) == (30, 23, 7)
    assert (counted.no_answer, counted.cancelled) == (4, 2)
    assert counted.by_agent == {"Agent1": 6, "Agent2": 4, "Agent3": 6, "Agent4": 7}
    assert not replayed.bad


@RUNS
def test_the_run_lasts_what_it_really_lasted(run: Callable[[], Replayed]) -> None:
    counted = Counted().count(run().events)
    exact = run is log_run
    # AMI has microseconds where the log has cut off seconds: up to a second per call
    assert counted.waited_answered == pytest.approx(205, abs=0 if exact else 23)
    assert counted.waited_abandoned == pytest.approx(46, abs=0 if exact else 7)
    talk = {"Agent1": 56, "Agent2": 46, "Agent3": 60, "Agent4": 75}
    for agent, seconds in talk.items():
        calls = counted.by_agent[agent]
        assert counted.talk[agent] == pytest.approx(seconds, abs=0 if exact else calls), agent


def test_both_tellings_agree_call_by_call() -> None:
    """Waits of the n-th answered call differ by less than what the log cuts off."""

    def waits(events: list[TEvent]) -> list[tuple[str, float]]:
        entered = {e.conn_id: e.time for e in events if isinstance(e, EventQueued)}
        answers = [e for e in events if isinstance(e, EventEstablished)]
        return [(e.ani, e.time - entered[e.conn_id]) for e in answers]

    for (caller, wait), (logged_caller, logged_wait) in zip(
        waits(ami_run().events), waits(log_run().events), strict=True
    ):
        assert caller == logged_caller
        assert wait == pytest.approx(logged_wait, abs=1.0)


@RUNS
def test_the_agents_day(run: Callable[[], Replayed]) -> None:
    events = run().events
    day = {
        kind: [e.agent_id for e in events if isinstance(e, kind)]
        for kind in (EventAgentLogin, EventAgentReady, EventAgentNotReady, EventAgentLogout)
    }
    everybody = ["Agent1", "Agent2", "Agent3", "Agent4", "Agent5"]
    assert day[EventAgentLogin] == everybody
    assert day[EventAgentReady] == [*everybody, "Agent2"]
    assert day[EventAgentNotReady] == ["Agent2"]
    assert day[EventAgentLogout] == ["Agent5"]
    lunch = next(e for e in events if isinstance(e, EventAgentNotReady))
    assert lunch.reasons == lunch.extensions == {"ReasonCode": "Lunch"}


@RUNS
def test_a_call_leaves_its_queue_once_and_not_for_a_ring(run: Callable[[], Replayed]) -> None:
    events = run().events
    diverted = Counter(e.conn_id for e in events if isinstance(e, EventDiverted))
    assert sum(diverted.values()) == 23
    assert set(diverted.values()) == {1}
    assert sum(isinstance(e, EventRinging) for e in events) == 29


@RUNS
def test_a_replay_is_in_order(run: Callable[[], Replayed]) -> None:
    events = run().events
    assert all(a.time <= b.time for a, b in pairwise(events))
    assert all(a.position < b.position for a, b in pairwise(events))


def test_members_of_local_channels_keep_their_interface_as_dn() -> None:
    logins = [e for e in ami_run().events if isinstance(e, EventAgentLogin)]
    assert logins[0].this_dn == "Local/a1@agents"


@pytest.mark.parametrize("size", [1, 13, 4096, 1 << 20])
def test_events_do_not_depend_on_the_pieces(size: int) -> None:
    data = capture("pbx-run.ami.txt")[:200_000]
    parser, translator = AmiParser(), AmiTranslator("sw1")
    events: list[TEvent] = []
    for start in range(0, len(data), size):
        for message in parser.feed(data[start : start + size]):
            events += translator.translate(message, 0.0)
    assert len(events) > 50
    assert events == straight(data)


def straight(data: bytes) -> list[TEvent]:
    translator = AmiTranslator("sw1")
    return [e for m in AmiParser().feed(data) for e in translator.translate(m, 0.0)]


def test_a_capture_without_clock_tells_its_time_by_its_durations() -> None:
    events, _ = ami_events([capture("ami-queue-call.txt")], "sw1")
    counted = Counted().count(events)
    assert (counted.entered, counted.answered, counted.abandoned) == (1, 1, 0)
    assert counted.waited_answered == 9
    assert counted.talk == {"SIP/777": 3}


def test_a_status_answer_becomes_registrations() -> None:
    events, bad = ami_events([capture("queue-status.txt")], "sw1")
    names = Counter(type(event).__name__ for event in events)
    assert names["EventRegistered"] == 7  # a queue and six members
    assert names["EventDNOutOfService"] == 1  # one device is unavailable
    assert not bad


def test_the_dates_of_a_capture_never_go_back() -> None:
    for name in ("ami-queue-call.txt", "agent-login.txt", "queue-status.txt"):
        parser = AmiParser()
        times = dated(parser.feed(capture(name)) + parser.end())
        assert times == sorted(times)
