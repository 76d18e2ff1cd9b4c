"""Sessions: what a client asks, what happens meanwhile, and what it is told.

A story is a table. Left the second at which something happens and what: a
request, T-events in few words, or nothing but time. Right everything the client
is told because of it, in short: ``Info 1=5`` is an Info for statistic 1 with the
value 5. Every story is told to a real engine.
"""

import json
from datetime import UTC

import pytest
from attrs import evolve
from hypothesis import example, given, settings
from hypothesis import strategies as st

from statserver_trio.api import messages as m
from statserver_trio.api.codec import encode
from statserver_trio.api.session import ClientSession, Limits
from statserver_trio.model.directory import DN, Agent, Directory, DNKey
from statserver_trio.stats.definitions import Definitions
from statserver_trio.stats.definitions.filters import parse_filter
from statserver_trio.stats.definitions.stat_types import parse_stat_type
from statserver_trio.stats.definitions.time_profiles import parse_time_profile
from statserver_trio.stats.definitions.time_ranges import parse_time_range
from statserver_trio.stats.engine import Engine
from statserver_trio.tlib import events as e

T0 = 1_699_999_200  # 22:00 UTC, a reset point of Quarter


def stat_type(name, objects, category, subject, mask, **options):
    written = {"Objects": objects, "Category": category, "Subject": subject, "MainMask": mask}
    return parse_stat_type(name, {**written, **options})


STAT_TYPES = [
    stat_type("Waiting", "Queue", "CurrentNumber", "DNAction", "CallWait"),
    stat_type("Entered", "Queue", "TotalNumber", "DNAction", "CallEntered"),
    stat_type("Longest", "Queue", "CurrentMaxTime", "DNAction", "CallWait"),
    stat_type("Quick", "Queue", "TotalNumberInTimeRange", "DNAction", "CallDistributed"),
    stat_type("Factor", "Queue", "ServiceFactor1", "DNAction", "CallAnswered"),
    stat_type("Depth", "Queue", "MaxNumber", "DNAction", "CallWait"),
    stat_type("State", "Agent", "CurrentState", "AgentStatus", "*"),
    stat_type("Logins", "Agent", "CurrentNumber", "DNAction", "LoggedIn"),
    stat_type(
        "Readiness",
        "GroupAgents",
        "CurrentRelativeNumberPercentage",
        "AgentStatus",
        "WaitForNextCall",
        RelMask="WaitForNextCall,NotReadyForNextCall",
    ),
]
CROWD = tuple(f"a{n}" for n in range(1, 101))


def new_engine():
    queue = DNKey("8001", "sw1")
    desks = [DNKey(f"7{n:03}", "sw1") for n in range(1, len(CROWD) + 1)]
    definitions = Definitions(
        stat_types={s.name: s for s in STAT_TYPES},
        time_profiles={
            "Quarter": parse_time_profile("Quarter,Growing", "0:00 +0:15", UTC),
            "Never": parse_time_profile("Never,Growing", "never", UTC),
            "Minute": parse_time_profile("Minute,Sliding", "60:1", UTC),
            "Last": parse_time_profile("Last,Selection", "10", UTC),
        },
        time_ranges={name: parse_time_range(name, "0-10") for name in ("Short", "Other")},
        filters={"Spanish": parse_filter("Spanish", 'PairExists("Language","Spanish")')},
    )
    directory = Directory(
        dns={queue: DN(queue, "Queue"), **{key: DN(key, "Extension") for key in desks}},
        agents={name: Agent(name) for name in CROWD},
        agent_groups={"Crowd": CROWD},
        queue_groups={"Lines": (queue,)},
        auto_create=False,
    )
    engine = Engine(definitions, directory)
    engine.add_source("ts1", "sw1")
    return engine


class Desk:
    """A client, an engine, and a clock that a test moves."""

    def __init__(self, **options):
        self.engine = new_engine()
        self.at = 0
        self.session = ClientSession(self.engine, **options)
        self.happens(0, "up")

    @property
    def now(self):
        return (T0 + self.at) * 1000

    def asks(self, **request):
        return self.session.handle_message(json.dumps(request), self.now)

    def opens(self, reference=1, what="Queue:8001@sw1:Waiting", **rest):
        object_type, object_id, name = what.split(":")
        metric = {"statisticType": name, **rest.pop("metric", {})}
        return self.asks(
            request="OpenStatistic",
            referenceId=reference,
            object={"objectType": object_type, "objectId": object_id},
            metric=metric,
            notification=rest,
        )

    def happens(self, at, *phrases):
        self.at = at
        events = [event for phrase in phrases for event in tell(phrase, T0 + at)]
        if events:
            self.engine.apply("ts1", events, self.now)
        return self.waits(at)

    def waits(self, at):
        self.at = at
        return self.session.notify(self.engine.notices(self.now), self.now)


def tell(phrase, time):
    """T-events in few words: ``up``, ``c1 waits``, ``c1 leaves``, ``a1 in``, ``a1 ready``."""
    if phrase == "up":
        return [e.EventServerConnected(time=time), e.EventLinkConnected(time=time)]
    if phrase == "down":
        return [e.EventLinkDisconnected(time=time)]
    who, what = phrase.split()
    call = {"time": time, "this_dn": "8001", "conn_id": who, "call_type": "Inbound"}
    agent = {"time": time, "this_dn": f"7{who[1:]:0>3}", "agent_id": who}
    return {
        "waits": lambda: [e.EventQueued(**call)],
        "leaves": lambda: [e.EventDiverted(**call)],
        "in": lambda: [e.EventAgentLogin(**agent)],
        "ready": lambda: [e.EventAgentReady(**agent)],
        "notready": lambda: [e.EventAgentNotReady(**agent)],
    }[what]()


def short(events):
    return [_short(event) for event in events]


def _short(event):
    match event:
        case m.Info(value=dict() as tree):
            return f"Info {event.statistic_id}={tree['status']}"
        case m.Info():
            return f"Info {event.statistic_id}={event.value}"
        case m.Error():
            return f"Error {event.code}"
        case m.StatisticEvent():
            return f"{type(event).__name__.removeprefix('Statistic')} {event.statistic_id}"
    return type(event).__name__


def test_a_client_is_greeted_with_the_mode():
    mode = m.ServerModeInfo("backup", "10.0.0.1:50122", True)
    desk = Desk(mode=mode)
    greeting = {
        "event": "ServerMode",
        "role": "backup",
        "peer": "10.0.0.1:50122",
        "synchronised": True,
    }
    assert [json.loads(encode(event)) for event in desk.session.connected()] == [greeting]
    [answer] = desk.asks(request="GetServerMode", referenceId=7)
    assert json.loads(encode(answer)) == {**greeting, "referenceId": 7}
    [changed] = desk.session.mode_changed(m.ServerModeInfo("primary"))
    assert json.loads(encode(changed)) == {
        "event": "ServerMode", "role": "primary", "peer": None, "synchronised": False,
    }  # fmt: skip


# -- the four modes -----------------------------------------------------------------------


def tell_story(opening, story):
    desk = Desk()
    assert short(desk.opens(**opening)) == story[0][1]
    for (at, *phrases), told in story[1:]:
        assert short(desk.happens(at, *phrases)) == told, f"at {at}: {phrases}"


def test_changes_based():
    tell_story(
        {"mode": "ChangesBased"},
        [
            ("opened", ["Opened 1", "Info 1=0"]),
            ((5, "c1 waits"), ["Info 1=1"]),
            ((6,), []),
            ((7, "c2 waits", "c3 waits"), ["Info 1=3"]),
            ((8, "c1 leaves", "c4 waits"), []),
            ((9, "a1 in"), []),
        ],
    )


@pytest.mark.parametrize("mode", ["changesbased", "Immediate", " IMMEDIATE "])
def test_changes_of_time_alone_are_looked_at_every_so_often(mode):
    tell_story(
        {"what": "Queue:8001@sw1:Longest", "mode": mode, "frequency": 10},
        [
            ("opened", ["Opened 1", "Info 1=0"]),
            ((1, "c1 waits"), []),
            ((9,), []),
            ((10,), ["Info 1=9"]),
            ((15, "c2 waits"), ["Info 1=14"]),
            ((20,), ["Info 1=19"]),
        ],
    )


@pytest.mark.parametrize("mode", ["TimeBased", "Periodical"])
def test_time_based(mode):
    tell_story(
        {"mode": mode, "frequency": 5},
        [
            ("opened", ["Opened 1", "Info 1=0"]),
            ((1, "c1 waits"), []),
            ((5,), ["Info 1=1"]),
            ((9,), []),
            ((23,), ["Info 1=1"]),
            ((24,), []),
            ((25,), ["Info 1=1"]),
        ],
    )


def test_a_frequency_may_have_tenths():
    tell_story(
        {"mode": "TimeBased", "frequency": 2.52},
        [
            ("opened", ["Opened 1", "Info 1=0"]),
            ((2,), []),
            ((2.4,), []),
            ((2.5,), ["Info 1=0"]),
            ((4.9,), []),
            ((5,), ["Info 1=0"]),
        ],
    )


@pytest.mark.parametrize("frequency", [2, 2.0])
def test_whole_seconds_are_the_same_however_they_are_written(frequency):
    desk = Desk()
    desk.opens(mode="TimeBased", frequency=frequency)
    [statistic] = desk.engine.statistics.values()
    [subscription] = statistic.subscriptions
    assert repr(subscription.notification.frequency) == "2"


def test_time_based_with_insensitivity_stays_silent():
    tell_story(
        {"mode": "TimeBased", "frequency": 5, "insensitivity": 2},
        [
            ("opened", ["Opened 1", "Info 1=0"]),
            ((1, "c1 waits"), []),
            ((5,), []),
            ((6, "c2 waits"), []),
            ((10,), ["Info 1=2"]),
        ],
    )


@pytest.mark.parametrize("mode", ["ResetBased", "Reset"])
def test_reset_based_tells_what_the_interval_came_to(mode):
    """V23: one message per quarter hour, with its closing value."""
    quarter = 15 * 60
    tell_story(
        {
            "what": "Queue:8001@sw1:Entered",
            "mode": mode,
            "metric": {"timeProfile": "Quarter"},
        },
        [
            ("opened", ["Opened 1", "Info 1=0"]),
            ((5, "c1 waits"), []),
            ((quarter - 1, "c2 waits"), []),
            ((quarter + 2, "c3 waits"), ["Info 1=2"]),
            ((quarter + 3,), []),
            ((2 * quarter + 5,), ["Info 1=1"]),
            ((3 * quarter + 5,), ["Info 1=0"]),
        ],
    )


def test_closing_values_and_peeks_are_never_replaced():
    desk = Desk()
    desk.opens(what="Queue:8001@sw1:Entered", mode="ResetBased", metric={"timeProfile": "Quarter"})
    [closing] = desk.happens(15 * 60 + 2)
    assert isinstance(closing, m.LastingInfo)
    assert (closing.time, closing.interval) == (T0 + 900.0, 900.0)
    [peeked] = desk.asks(request="PeekStatistic", referenceId=2, statisticId=1)
    assert isinstance(peeked, m.LastingInfo)
    assert peeked.reference_id == 2


def test_no_notification_is_only_peeked():
    tell_story(
        {"mode": "NoNotification"},
        [("opened", ["Opened 1"]), ((5, "c1 waits"), []), ((900,), [])],
    )


def test_peeking_disturbs_nothing():
    desk = Desk()
    desk.opens(insensitivity=2)
    desk.happens(1, "c1 waits")
    [info] = desk.asks(request="PeekStatistic", referenceId=9, statisticId=1)
    assert json.loads(encode(info)) == {
        "event": "Info",
        "referenceId": 9,
        "statisticId": 1,
        "value": 1,
        "time": T0 + 1.0,
        "interval": 0.0,
        "complete": True,
    }
    assert short(desk.happens(2, "c2 waits")) == ["Info 1=2"]


# -- V23: insensitivity -------------------------------------------------------------------


def test_integers_differ_by_the_insensitivity():
    desk = Desk()
    sent = [desk.opens(insensitivity=5)[1].value]
    calls, number = [], 0
    for at, wanted in enumerate([3, 5, 9, 10, 4], 1):
        phrases = []
        while len(calls) < wanted:
            number += 1
            calls.append(f"c{number}")
            phrases.append(f"c{number} waits")
        phrases += [f"{calls.pop()} leaves" for _ in range(len(calls) - wanted)]
        sent += [event.value for event in desk.happens(at, *phrases)]
    assert sent == [0, 5, 10, 4]


def test_percentages_differ_by_so_many_percent():
    desk = Desk()
    desk.happens(1, *(f"{name} in" for name in CROWD), *(f"{name} notready" for name in CROWD))
    desk.happens(2, *(f"{name} ready" for name in CROWD[:50]))
    sent = [desk.opens(what="GroupAgents:Crowd:Readiness", insensitivity=10)[1].value]
    before = 50
    for at, ready in enumerate([54, 55, 60, 61], 3):
        events = desk.happens(at, *(f"{name} ready" for name in CROWD[before:ready]))
        sent += [event.value for event in events]
        before = ready
    assert sent == [50.0, 55.0, 61.0]
    assert all(type(value) is float for value in sent)


# -- suspending, closing, validity --------------------------------------------------------


def test_suspending_stops_the_telling_and_not_the_counting():
    desk = Desk()
    desk.opens()
    assert short(desk.asks(request="SuspendNotification", referenceId=2, statisticId=1)) == [
        "Ack 1"
    ]
    assert desk.happens(1, "c1 waits") == []
    assert desk.happens(2, "c2 waits") == []
    ack, info = desk.asks(request="ResumeNotification", referenceId=3, statisticId=1)
    assert (ack.reference_id, info.reference_id, info.value) == (3, 1, 2)
    assert short(desk.happens(3, "c3 waits")) == ["Info 1=3"]


def test_resuming_tells_no_value_to_who_wants_none():
    desk = Desk()
    desk.opens(mode="NoNotification")
    desk.asks(request="SuspendNotification", referenceId=2, statisticId=1)
    assert short(desk.asks(request="ResumeNotification", referenceId=2, statisticId=1)) == ["Ack 1"]


def test_a_closed_statistic_is_heard_of_no_more():
    desk = Desk()
    desk.opens()
    [closed] = desk.asks(request="CloseStatistic", referenceId=2, statisticId=1)
    assert json.loads(encode(closed)) == {
        "event": "StatisticClosed", "referenceId": 2, "statisticId": 1,
    }  # fmt: skip
    assert desk.happens(1, "c1 waits") == []
    assert not desk.engine.statistics
    assert short(desk.asks(request="CloseStatistic", referenceId=3, statisticId=1)) == [
        "Error bad-request"
    ]
    assert short(desk.opens(reference=1)) == ["Opened 2", "Info 2=1"]


def test_notices_under_way_when_it_was_closed_are_dropped():
    desk = Desk()
    desk.opens()
    desk.engine.set_connected("ts1", False)
    desk.asks(request="CloseStatistic", referenceId=2, statisticId=1)
    assert desk.waits(1) == []


def test_a_site_may_want_no_words_about_validity():
    desk = Desk()
    desk.engine.tells_validity = False
    desk.opens()
    desk.engine.set_connected("ts1", False)
    assert desk.waits(2) == []
    assert short(desk.opens(reference=2)) == ["Opened 2", "Info 2=0"]
    [explained] = desk.asks(request="ExplainStatistic", referenceId=3, statisticId=1)
    assert not explained.coverage["valid"]
    desk.engine.set_connected("ts1", True)
    assert desk.waits(3) == []


def test_a_lost_feed_makes_values_invalid():
    desk = Desk()
    desk.opens()
    desk.happens(1, "c1 waits")
    desk.engine.set_connected("ts1", False)
    [invalid] = desk.waits(2)
    assert json.loads(encode(invalid)) == {
        "event": "StatisticInvalid",
        "referenceId": 1,
        "statisticId": 1,
        "reason": "T-Server ts1 is not connected",
    }
    assert short(desk.opens(reference=2)) == ["Opened 2", "Info 2=1", "Invalid 2"]
    assert short(desk.opens(reference=3, mode="NoNotification")) == ["Opened 3", "Invalid 3"]
    assert short(desk.opens(reference=4, what="Agent:a1:State")) == [
        "Opened 4", "Info 4=LoggedOut",
    ]  # fmt: skip
    desk.asks(request="SuspendNotification", referenceId=2, statisticId=2)
    desk.engine.set_connected("ts1", True)
    assert short(desk.waits(3)) == ["Valid 1", "Info 1=1", "Valid 2", "Valid 3"]


def test_a_deleted_definition_closes_its_statistics():
    desk = Desk()
    desk.opens()
    notices = desk.engine.close_all(list(desk.engine.statistics.values()), "Waiting was deleted")
    [closed] = desk.session.notify(notices, desk.now)
    assert (closed.reference_id, closed.reason) == (1, "Waiting was deleted")
    assert desk.session.statistics == 0
    assert short(desk.opens(reference=1)) == ["Opened 2", "Info 2=0"]


def test_closing_the_session_releases_everything():
    desk = Desk()
    for reference in range(5):
        desk.opens(reference)
    assert desk.session.close(at_most=3)
    assert not desk.session.close()
    assert not desk.engine.statistics
    assert desk.happens(1, "c1 waits") == []


def test_clients_share_statistics_and_not_notifications():
    desk = Desk()
    other = ClientSession(desk.engine)
    desk.opens()
    request = {
        "request": "OpenStatistic",
        "referenceId": 1,
        "object": {"objectId": "8001@sw1", "objectType": "queue"},
        "metric": {"statisticType": "Waiting"},
        "notification": {"insensitivity": 2},
    }
    assert short(other.handle_message(json.dumps(request), desk.now)) == ["Opened 1", "Info 1=0"]
    assert len(desk.engine.statistics) == 1
    desk.engine.apply("ts1", tell("c1 waits", T0 + 1), desk.now + 1000)
    [notice] = desk.engine.notices(desk.now + 1000)
    assert notice.subscription.owner.session is desk.session
    other.close()
    assert len(desk.engine.statistics) == 1


# -- definitions of the client's own --------------------------------------------------------


def inline(desk, reference=1, what="Queue:8001@sw1", notification=None, **metric):
    object_type, object_id = what.split(":")
    return desk.asks(
        request="OpenStatisticEx",
        referenceId=reference,
        object={"objectType": object_type, "objectId": object_id},
        metric={"category": "TotalNumber", "subject": "DNAction", **metric},
        notification=notification or {},
    )


def test_an_inline_definition_counts_like_a_configured_one():
    desk = Desk()
    assert short(inline(desk, mainMask="CallEntered")) == ["Opened 1", "Info 1=0"]
    assert short(desk.happens(1, "c1 waits")) == ["Info 1=1"]


def test_the_same_definition_in_other_words_is_the_same_statistic():
    desk = Desk()
    for reference, metric in enumerate(
        [
            {"mainMask": "CallEntered,CallWait"},
            {"mainMask": ["CallWait", "CallEntered"]},
            {"mainMask": "callwait,*,~*,CALLENTERED,CallWait", "category": "totalnumber"},
            {"mainMask": "CallEntered,CallWait", "subject": "Action"},
            {
                "mainMask": "CallEntered,CallWait",
                "interval": {"type": "growingwindow", "length": 0},
                "timeProfile": "Default",
            },
        ]
    ):
        assert short(inline(desk, reference, **metric))[0].startswith("Opened")
    assert len(desk.engine.statistics) == 1
    inline(desk, 9, mainMask="CallEntered", interval={"type": "SlidingWindow", "length": 60})
    assert len(desk.engine.statistics) == 2


def test_an_inline_definition_may_be_of_one_medium():
    desk = Desk()
    media = ("Voice", "voice", "email", None)
    for reference, medium in enumerate(media):
        inline(desk, reference, mainMask="CallEntered", mediaType=medium)
    assert len(desk.engine.statistics) == 3
    assert sorted(short(desk.happens(1, "c1 waits"))) == ["Info 1=1", "Info 2=1", "Info 4=1"]


@pytest.mark.parametrize(("length", "step"), [(60, 5), (60.0, 5.0)])
def test_a_sliding_window_of_the_clients_own(length, step):
    desk = Desk()
    interval = {"type": "SlidingWindow", "length": length, "step": step}
    inline(desk, mainMask="CallEntered", interval=interval)
    assert short(desk.happens(1, "c1 waits")) == ["Info 1=1"]
    assert [value for at in range(2, 80) for value in short(desk.waits(at))] == ["Info 1=0"]
    [explained] = desk.asks(request="ExplainStatistic", referenceId=2, statisticId=1)
    assert explained.definition["timeProfile"] == {"name": "", "type": "Sliding", "value": "60:5"}


@pytest.mark.parametrize(
    ("metric", "code", "complaint"),
    [
        ({"mainMask": "Nonsense"}, "bad-request", "metric.mainMask: no such action: Nonsense"),
        ({"mainMask": "CallWait", "category": "X"}, "bad-request", "metric.category: unknown"),
        ({"category": "Formula"}, "bad-request", "metric.expression: required"),
        (
            {"mainMask": "CallWait", "formula": "1"},
            "bad-request",
            "metric.formula: is for the cust",
        ),
        ({"mainMask": "CallWait", "groupBy": "("}, "bad-request", "metric.groupBy: column 2"),
        ({"mainMask": "CallWait", "subject": "Y"}, "bad-request", "metric.subject: 'Y' is no"),
        (
            {"mainMask": "CallWait", "subject": "AgentStatus"},
            "bad-request",
            "AgentStatus cannot be asked of Queue",
        ),
        (
            {"mainMask": "CallWait", "category": "RelativeNumber"},
            "bad-request",
            "metric.relMask: required, but missing",
        ),
        (
            {"mainMask": "CallWait", "interval": {"type": "Week"}},
            "bad-request",
            "metric.interval.type: 'Week' is none; allowed: GrowingWindow, SlidingWindow",
        ),
        (
            {"mainMask": "CallWait", "interval": {"type": "SlidingWindow", "length": 90.5}},
            "bad-request",
            "metric.interval.length: 90.5 is no whole number",
        ),
        (
            {"mainMask": "CallWait", "interval": {"type": "SlidingWindow"}},
            "bad-request",
            "metric.interval.length: SlidingWindow needs one",
        ),
        (
            {"mainMask": "CallWait", "interval": {"type": "SlidingWindow", "length": 7, "step": 2}},
            "bad-request",
            "metric.interval: '7:2': the step must divide the length",
        ),
        (
            {"mainMask": "CallWait", "interval": {"type": "SinceLogin"}},
            "incompatible",
            "SinceLogin is for Agent and Place: a Queue does not log in",
        ),
        ({"mainMask": "CallWait", "timeProfile": "P"}, "unknown-time-profile", "'P' is not"),
    ],
)
def test_what_is_wrong_with_an_inline_definition(metric, code, complaint):
    desk = Desk()
    [error] = inline(desk, **metric)
    assert (error.code, error.reference_id) == (code, 1)
    assert complaint in error.message
    assert not desk.engine.statistics


# -- errors ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("opening", "code", "complaint"),
    [
        ({"what": "Clown:a1:State"}, "bad-request", "object.objectType: 'Clown' is none; allowed"),
        ({"what": "Queue:8009@sw1:Waiting"}, "unknown-object", "object.objectId: DN '8009'"),
        ({"what": "Agent:b1:State"}, "unknown-object", "object.objectId: agent 'b1'"),
        ({"what": "Agent:a1:Nope"}, "unknown-stat-type", "metric.statisticType: 'Nope'"),
        ({"what": "Agent:a1:Waiting"}, "incompatible", "Waiting is not for Agent; for: Queue"),
        (
            {"what": "Queue:8001@sw1:Entered", "metric": {"timeProfile": "P"}},
            "unknown-time-profile",
            "metric.timeProfile: 'P' is not configured",
        ),
        (
            {"what": "Queue:8001@sw1:Depth", "metric": {"timeProfile": "Last"}},
            "incompatible",
            "metric: MaxNumber cannot be counted over a Selection profile",
        ),
        (
            {"what": "Queue:8001@sw1:Quick", "metric": {"timeRange": "R"}},
            "unknown-time-range",
            "metric.timeRange: 'R' is not configured",
        ),
        (
            {"what": "Queue:8001@sw1:Factor", "metric": {"timeRange2": "R"}},
            "unknown-time-range",
            "metric.timeRange2: 'R' is not configured",
        ),
        ({"metric": {"filter": "F"}}, "unknown-filter", "metric.filter: 'F' is not configured"),
        ({"mode": "Hourly"}, "bad-request", "notification.mode: 'Hourly' is none; allowed: Chan"),
        ({"mode": "TimeBased"}, "bad-request", "notification.frequency: TimeBased needs"),
        ({"mode": "TimeBased", "frequency": 0.5}, "bad-request", "TimeBased needs seconds, 1 or"),
        ({"frequency": 0.5}, "bad-request", "notification.frequency: 0.5 s is too often; allowed"),
        ({"mode": "ResetBased"}, "incompatible", "notification.mode: ResetBased needs"),
        (
            {
                "what": "Queue:8001@sw1:Entered",
                "mode": "ResetBased",
                "metric": {"timeProfile": "Never"},
            },
            "incompatible",
            "notification.mode: ResetBased needs",
        ),
        ({"frequency": -1}, "bad-request", "notification.frequency: must be at least 0"),
        ({"insensitivity": "x"}, "bad-request", "notification.insensitivity: must be a number"),
    ],
)
def test_a_wrong_request_is_refused_and_changes_nothing(opening, code, complaint):
    desk = Desk()
    [error] = desk.opens(**opening)
    assert (type(error), error.code, error.reference_id) == (m.Error, code, 1)
    assert complaint in error.message
    assert not desk.engine.statistics
    assert desk.session.statistics == 0
    assert short(desk.opens()) == ["Opened 1", "Info 1=0"]


def test_there_is_one_tenant_however_it_is_called():
    desk = Desk()
    engine = desk.engine
    engine.configure(engine.definitions, evolve(engine.directory, tenant="Bank"))

    def opens(reference, **whose):
        queue = {"objectType": "Queue", "objectId": "8001@sw1", **whose}
        metric = {"statisticType": "Waiting"}
        return desk.asks(
            request="OpenStatistic", referenceId=reference, object=queue, metric=metric
        )

    for reference, name in enumerate((None, "", "Environment", "Bank", " Bank ")):
        assert short(opens(reference, tenantName=name))[0].startswith("Opened")
    assert short(opens(8)) == ["Opened 6", "Info 6=0"]
    assert [key.tenant for key in engine.statistics] == ["Bank"]
    inline(desk, 9, mainMask="CallEntered")
    assert [key.tenant for key in engine.statistics] == ["Bank", "Bank"]
    [error] = opens(10, tenantName="Nonsense")
    assert (error.code, error.message) == (
        "unknown-object", "object.tenantName: tenant 'Nonsense' is none; known: Bank",
    )  # fmt: skip
    [explained] = desk.asks(request="ExplainStatistic", referenceId=11, statisticId=1)
    assert explained.definition["tenantName"] == "Bank"


def test_a_refused_mode_leaves_others_alone():
    desk = Desk()
    desk.opens()
    assert short(desk.opens(2, mode="ResetBased")) == ["Error incompatible"]
    assert short(desk.happens(1, "c1 waits")) == ["Info 1=1"]


def test_a_refused_mode_leaves_alone_what_a_pair_keeps_for_others():
    desk = Desk()
    desk.engine.keeps = True
    desk.opens()
    [statistic] = desk.engine.statistics.values()
    desk.asks(request="CloseStatistic", referenceId=3, statisticId=1)
    assert not statistic.subscriptions
    assert short(desk.opens(2, mode="ResetBased")) == ["Error incompatible"]
    assert list(desk.engine.statistics.values()) == [statistic]


def test_references_are_unique_among_open_statistics():
    desk = Desk()
    desk.opens(1)
    [error] = desk.opens(1)
    assert (error.code, error.reference_id) == ("bad-request", 1)
    assert error.message.startswith("referenceId: 1 is that of an open statistic; allowed")
    desk.asks(request="CloseStatistic", referenceId=1, statisticId=1)
    assert short(desk.opens(1)) == ["Opened 2", "Info 2=0"]


def test_limits_are_kept():
    desk = Desk(limits=Limits(statistics=2, message_bytes=400))
    desk.opens(1)
    desk.opens(2)
    [error] = desk.opens(3)
    assert (error.code, error.reference_id) == ("limit", 3)
    assert error.message == "statistics: this client has 2 open; allowed are at most 2"
    for data in ("x" * 401, b"x" * 401, "ü" * 201):
        [error] = desk.session.handle_message(data, desk.now)
        assert error.code == "limit"
    assert error.message == "message: 402 bytes; allowed are at most 400"
    desk.asks(request="CloseStatistic", referenceId=1, statisticId=1)
    assert short(desk.opens(3)) == ["Opened 3", "Info 3=0"]


def test_nothing_is_opened_before_the_server_is_ready():
    desk = Desk()
    desk.session.not_ready = "it is joining its peer"
    [error] = desk.opens()
    assert (error.code, error.message) == ("not-ready", "server: it is joining its peer")


@pytest.mark.parametrize(
    "request_", ["PeekStatistic", "SuspendNotification", "ResumeNotification", "ExplainStatistic"]
)
def test_a_statistic_that_is_not_open(request_):
    [error] = Desk().asks(request=request_, referenceId=5, statisticId=17)
    assert (error.code, error.reference_id) == ("bad-request", 5)
    assert error.message.startswith("statisticId: 17 is not open; allowed are")


# -- profiles and explanations ---------------------------------------------------------------


def items(profile):
    [answer] = Desk().asks(request="GetStatisticProfile", referenceId=1, profile=profile)
    json.loads(encode(answer))
    return answer.items


def test_profiles_say_what_is_configured():
    assert [item["name"] for item in items("StatTypes")] == [s.name for s in STAT_TYPES]
    assert items("StatTypes")[0]["category"] == "CurrentNumber"
    assert items("timeprofiles")[:2] == [
        {"name": "Default", "type": "Growing", "value": "0:00"},
        {"name": "Quarter", "type": "Growing", "value": "0:00 +0:15"},
    ]
    assert items("TimeRanges") == [
        {"name": "Default", "value": "0-20"},
        {"name": "Short", "value": "0-10"},
        {"name": "Other", "value": "0-10"},
    ]
    assert items("Filters") == [{"name": "Spanish", "value": 'PairExists("Language","Spanish")'}]
    objects = items("Objects")
    assert objects[0] == {"objectType": "Queue", "objectId": "8001@sw1"}
    assert {"objectType": "Agent", "objectId": "a7"} in objects
    assert {"objectType": "GroupAgents", "objectId": "Crowd"} in objects
    assert objects[-2:] == [
        {"objectType": "Switch", "objectId": "sw1"},
        {"objectType": "Tenant", "objectId": "Environment"},
    ]
    assert len(objects) == 1 + 100 + 100 + 2 + 2
    [error] = Desk().asks(request="GetStatisticProfile", referenceId=1, profile="Colours")
    assert error.message == (
        "profile: 'Colours' is none; allowed: StatTypes, TimeProfiles, TimeRanges, Filters, Objects"
    )


def test_a_value_can_be_explained():
    desk = Desk()
    desk.opens(what="Queue:8001@sw1:Entered", metric={"timeProfile": "Quarter"})
    desk.happens(5, "c1 waits")
    [explained] = desk.asks(request="ExplainStatistic", referenceId=2, statisticId=1)
    shown = json.loads(encode(explained))
    assert shown["definition"]["statisticType"] == "Entered"
    assert shown["definition"]["options"]["MainMask"] == "CallEntered"
    [row] = shown["aggregates"]
    assert (row["role"], row["source"], row["object"], row["ended"]) == (
        "main", "ts1", "8001@sw1", 1,
    )  # fmt: skip
    assert shown["reset"] == {"last": T0, "next": T0 + 900.0}
    assert shown["positions"] == {"ts1": None}
    assert shown["coverage"]["complete"] is True
    assert shown["coverage"]["since"] == T0
    assert "replicatedFrom" in shown


def test_a_second_range_makes_another_statistic():
    desk = Desk()
    ranges = ({}, {"timeRange2": "Short"}, {"timeRange2": "Other"}, {"timeRange": "Short"})
    for reference, metric in enumerate(ranges):
        desk.opens(reference, "Queue:8001@sw1:Factor", metric=metric)
        inline(desk, 10 + reference, category="ServiceFactor1", mainMask="CallAnswered", **metric)
    desk.opens(20, "Queue:8001@sw1:Factor", metric={"timeRange2": "Short"})
    desk.opens(21, "Queue:8001@sw1:Factor", metric={"timeRange2": ""})
    assert len(desk.engine.statistics) == 2 * len(ranges)
    keys = [(key.time_range, key.time_range2) for key in desk.engine.statistics][::2]
    assert keys == [("Default", ""), ("Default", "Short"), ("Default", "Other"), ("Short", "")]
    [explained] = desk.asks(request="ExplainStatistic", referenceId=30, statisticId=3)
    assert explained.definition["timeRange"] == {"name": "Default", "value": "0-20"}
    assert explained.definition["timeRange2"] == {"name": "Short", "value": "0-10"}
    roles = [row["role"] for row in explained.aggregates]
    assert roles == ["main", "ranged", "rel", "rel_ranged"]


def test_a_second_range_where_none_is_used_is_passed_over():
    desk = Desk()
    desk.opens(1, "Queue:8001@sw1:Quick", metric={"timeRange2": "Nope"})
    desk.opens(2, "Queue:8001@sw1:Quick")
    assert len(desk.engine.statistics) == 1


def test_a_big_group_is_explained_in_part():
    desk = Desk()
    for reference, what in enumerate(["GroupAgents:Crowd:Readiness", "Agent:a1:State"]):
        desk.opens(reference, what)
        [explained] = desk.asks(
            request="ExplainStatistic", referenceId=99, statisticId=reference + 1
        )
        json.loads(encode(explained))
    assert explained.reset == {"last": None, "next": None}
    assert explained.definition["timeProfile"] is None


# -- whatever a client sends ------------------------------------------------------------------

WORDS = st.sampled_from(
    """request referenceId object objectId objectType metric statisticType timeProfile filter
    notification mode frequency insensitivity category subject mainMask relMask interval type
    length step statisticId profile OpenStatistic OpenStatisticEx PeekStatistic Queue Agent
    8001@sw1 a1 Waiting Entered Quarter SlidingWindow CallWait * TimeBased ResetBased
    TotalNumber DNAction CurrentState AgentStatus StatTypes GroupAgents Crowd""".split()
)
TEXTS = WORDS | st.text(max_size=5)
VALUES = st.recursive(
    TEXTS | st.integers() | st.floats(allow_nan=False) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=8,
)
NAMES = st.sampled_from(m.REQUEST_NAMES)
REQUESTS = st.fixed_dictionaries(
    {"request": NAMES, "referenceId": st.integers(-3, 3) | VALUES},
    optional={
        "object": st.fixed_dictionaries(
            {
                "objectType": st.sampled_from(["Queue", "Agent", "GroupAgents", "Place"]) | VALUES,
                "objectId": st.sampled_from(["8001@sw1", "a1", "Crowd", "@", "a@b"]) | VALUES,
            },
            optional={"tenantName": VALUES},
        )
        | VALUES,
        "metric": st.fixed_dictionaries(
            {
                "statisticType": st.sampled_from([s.name for s in STAT_TYPES]) | VALUES,
                "category": st.sampled_from(["TotalNumber", "MaxTime", "CurrentState"]) | VALUES,
                "subject": st.sampled_from(["DNAction", "DNStatus", "AgentStatus"]) | VALUES,
                "mainMask": st.sampled_from(["*", "CallWait", "~*"]) | VALUES,
            },
            optional={
                "relMask": st.sampled_from(["*", "", "CallWait"]) | VALUES,
                "timeProfile": st.sampled_from(["Quarter", "Minute", "Last"]) | VALUES,
                "timeRange": st.sampled_from(["Short"]) | VALUES,
                "timeRange2": st.sampled_from(["Short"]) | VALUES,
                "filter": st.sampled_from(["Spanish"]) | VALUES,
                "interval": st.fixed_dictionaries(
                    {"type": st.sampled_from(["SlidingWindow", "SinceLogin", "SlidingSelection"])},
                    optional={"length": st.integers(0, 10**9), "step": st.integers(0, 100)},
                )
                | VALUES,
            },
        )
        | VALUES,
        "notification": st.fixed_dictionaries(
            {},
            optional={
                "mode": st.sampled_from(["TimeBased", "ResetBased", "NoNotification"]) | VALUES,
                "frequency": st.integers(0, 10) | VALUES,
                "insensitivity": st.floats(allow_nan=False) | VALUES,
            },
        )
        | VALUES,
        "statisticId": st.integers(0, 4) | VALUES,
        "profile": st.sampled_from(["StatTypes", "Objects", "Filters"]) | VALUES,
    },
)
FRAMES = (
    REQUESTS.map(json.dumps)
    | VALUES.map(json.dumps)
    | st.text()
    | st.binary()
    | REQUESTS.map(lambda r: json.dumps(r).encode()[:-3])
)
CODES = {
    "bad-request", "unknown-object", "unknown-stat-type", "unknown-filter",
    "unknown-time-profile", "unknown-time-range", "incompatible", "limit", "not-ready",
}  # fmt: skip


@given(st.lists(FRAMES, max_size=8))
@example(["[" * 100_000, '{"a":' * 100_000])
@example(['{"request":"OpenStatistic","referenceId":1,"object":{"objectId":"\\ud800"}}'])
@example(["\ud800", b"\xff", "null", '{"request":null}', "{}", ""])
@settings(max_examples=300, deadline=None)
def test_nothing_but_declared_errors(frames):
    desk = Desk()
    for at, data in enumerate(frames, 1):
        for event in desk.session.handle_message(data, desk.now):
            encode(event)
            if isinstance(event, m.Error):
                assert event.code in CODES
                assert event.message.partition(":")[1], event.message
        for event in desk.happens(at * 400, f"c{at} waits", f"a{at} in"):
            encode(event)
    desk.session.close()
    assert not desk.engine.statistics
