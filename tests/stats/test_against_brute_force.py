"""Every number against the slow way, for whatever contact centre hypothesis can think of.

A *day* is a few stories (calls through queues, transfers, agents who come and go,
lost links) and some nonsense, told at once. Statistics are opened, read and closed
at random moments of it, every category of them, and each value must be what
:mod:`brute_force` makes of the list of everything that happened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import brute_force as slow
import pytest
from attrs import define, evolve, field, frozen
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from statserver_trio.model.actions import ALL_ACTIONS, mask_of
from statserver_trio.model.directory import DN, Agent, Directory, DNKey, Place
from statserver_trio.model.world import WorldOptions
from statserver_trio.stats.categories import CATEGORIES, REQUIRED, Category
from statserver_trio.stats.definitions import Definitions, StatType
from statserver_trio.stats.definitions.filters import parse_filter
from statserver_trio.stats.definitions.stat_types import SUBJECTS, parse_stat_type
from statserver_trio.stats.definitions.time_profiles import UTC, TimeProfile, parse_time_profile
from statserver_trio.stats.definitions.time_ranges import parse_time_range
from statserver_trio.stats.engine import Engine
from statserver_trio.stats.requests import StatisticRequest
from statserver_trio.stats.statistic import Statistic
from statserver_trio.stats.telling.notifications import Mode, Notification
from statserver_trio.tlib import events as e

SWITCH = "sw1"
MIDNIGHT = 1_700_006_400_000  # ms; a midnight, so a minute and a profile begin there
PHONES = ("7001", "7002", "7003")
QUEUES = ("8001", "8002")
AGENTS = ("a1", "a2")
DIRECTORY = Directory(
    dns={
        **{DNKey(n, SWITCH): DN(DNKey(n, SWITCH), "Extension") for n in PHONES[:2]},
        DNKey("8001", SWITCH): DN(DNKey("8001", SWITCH), "Queue"),
    },
    places={
        "P1": Place("P1", (DNKey("7001", SWITCH), DNKey("7002", SWITCH))),
        "P2": Place("P2", (DNKey("7003", SWITCH),)),
    },
    agents={name: Agent(name) for name in AGENTS},
    agent_groups={"Sales": AGENTS},
    place_groups={"Floor": ("P1", "P2")},
    queue_groups={"Lines": (DNKey("8001", SWITCH), DNKey("8002", SWITCH))},
)
OPTIONS = WorldOptions()
MEMBERS = {
    ("Agent", "a1"): ["agent a1"],
    ("Agent", "a2"): ["agent a2"],
    ("GroupAgents", "Sales"): ["agent a1", "agent a2"],
    ("RegDN", "7001"): ["dn 7001"],
    ("RegDN", "7003"): ["dn 7003"],
    ("Place", "P1"): ["place P1"],
    ("GroupPlaces", "Floor"): ["place P1", "place P2"],
    ("Queue", "8001"): ["dn 8001"],
    ("GroupQueues", "Lines"): ["dn 8001", "dn 8002"],
    ("Switch", "sw1"): ["dn 7001", "dn 7002", "dn 7003"],
    ("Tenant", "Environment"): ["agent a1", "agent a2"],
}
# As filters, and as what they say of attached data and attributes.
FILTERS: dict[str, tuple[str, slow.Test]] = {
    "gold": (
        'PairExists("Segment","gold") | PairExists("ReasonCode","Lunch")',
        lambda known: known.get("Segment") == "gold" or known.get("ReasonCode") == "Lunch",
    ),
    "told": (
        'AgentID = "a1" & ANI <> "555" | OtherDN = "7002" & ThisQueue <> "8001"',
        lambda known: (
            (known.get("@AgentID") == "a1" and known.get("@ANI", "555") != "555")
            or (known.get("@OtherDN") == "7002" and known.get("@ThisQueue", "8001") != "8001")
        ),
    ),
    "mine": ('~(AgentID = "a2")', lambda known: known.get("@AgentID") != "a2"),
    "typed": (
        'CallType = "Inbound" & ~(ANI = 555)',
        lambda known: known.get("@CallType") == "Inbound" and known.get("@ANI") != "555",
    ),
}
PROFILES: dict[str, TimeProfile] = {
    text: parse_time_profile(f"P{number},{kind}", text, UTC)
    for number, (kind, text) in enumerate(
        [
            ("Growing", "never"),
            ("Growing", "0:00 +0:01"),
            ("Growing", "0:02, 0:05"),
            ("Sliding", "60:1"),
            ("Sliding", "120:60"),
            ("Sliding", "40:10"),
        ]
    )
}
ACTION_MASKS = (
    "CallInbound",
    "CallInbound,CallConsult,CallRinging,CallOnHold",
    "CallWait",
    "CallAnswered,CallAbandoned,CallReleased,CallInboundCompleted",
    "NotReadyForNextCall,AfterCallWork",
    "*",
)
STATUS_MASKS = (
    "WaitForNextCall",
    "NotReadyForNextCall,AfterCallWork",
    "CallInbound,CallOnHold",
    "NotReadyForNextCall,LoggedOut,NotMonitored",
    "*,~LoggedOut,~NotMonitored",
    "*",
)
RANGES = {text: parse_time_range(text, text) for text in ("5-20", "0-12", "10-")}
DEFINITIONS = Definitions(
    time_ranges=RANGES, filters={n: parse_filter(n, f[0]) for n, f in FILTERS.items()}
)
# Of agents at a queue; they count only where numbers of now are asked for, without a filter.
PSEUDO_ACTIONS = mask_of(
    "AgentLogin", "AgentActive", "AgentReady", "DNLogin", "DNActive", "DNReady"
)
OF = {
    "DNAction": "actions",
    "DNStatus": "dn_statuses",
    "AgentStatus": "statuses",
    "GroupStatus": "statuses",
}


# -- days ---------------------------------------------------------------------------------


Timed = tuple[int, e.TEvent]  # ms after midnight
seconds = st.integers(0, 45_000).map(lambda ms: ms - ms % 250)
spans = st.one_of(st.just(0), st.integers(1, 40).map(lambda s: s * 1000), seconds)


def call(cls: type, dn: str, conn: str, **more: Any) -> e.TEvent:
    more.setdefault("call_type", "Inbound")
    event: e.TEvent = cls(this_dn=dn, conn_id=conn, **more)
    return event


REVENUES = {"gold": 100, "iron": 7, "silver": 30}


def data_of(segment: str | None) -> dict[str, Any] | None:
    return None if segment is None else {"Segment": segment, "Revenue": REVENUES[segment]}


segments = st.sampled_from([None, "gold", "silver", "iron"])
# What is told of a call, or is told anew; at random most often nothing.
corrections: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "ani": st.sampled_from(["444", "555"]),
        "other_dn": st.sampled_from(["7001", "7002", "555"]),
        "this_queue": st.sampled_from(["8001", "8002"]),
    },
)


@st.composite
def queued_calls(draw: st.DrawFn) -> list[Timed]:
    """A call through one or two queues, with any of its possible ends."""
    conn = draw(st.sampled_from(["c1", "c2", "c3"]))
    queue, phone = draw(st.sampled_from(QUEUES)), draw(st.sampled_from(PHONES))
    segment = draw(segments)
    end = draw(st.sampled_from("answered abandoned ringing rona cleared lost".split()))
    t = draw(seconds)
    story = [(t, call(e.EventQueued, queue, conn, user_data=data_of(segment)))]
    if draw(st.booleans()):
        story.append((t, call(e.EventQueued, QUEUES[queue == "8001"], conn)))
    t += draw(spans)
    if end == "abandoned":
        return [*story, (t, call(e.EventAbandoned, queue, conn))]
    if end == "cleared":
        return [*story, (t, call(e.EventDiverted, queue, conn, call_state="Cleared"))]
    waiting = list(dict.fromkeys(event.this_dn for _, event in story))
    story += [(t, call(e.EventDiverted, number, conn, third_party_dn=phone)) for number in waiting]
    story.append((t, call(e.EventRinging, phone, conn, this_queue=queue)))
    t += draw(spans)
    if end == "ringing":
        return [*story, (t, call(e.EventAbandoned, phone, conn))]
    if end == "rona":
        redirected = call(e.EventReleased, phone, conn, call_state="Redirected")
        return [*story, (t, redirected), (t, call(e.EventQueued, queue, conn))]
    story.append((t, call(e.EventEstablished, phone, conn, this_queue=queue)))
    for _ in range(draw(st.integers(0, 2))):
        t += draw(spans)
        more = {"user_data": data_of(draw(segments)), **draw(corrections)}
        story.append((t, call(e.EventAttachedDataChanged, phone, conn, **more)))
    if draw(st.booleans()):
        t += draw(spans)
        story.append((t, call(e.EventHeld, phone, conn)))
        t += draw(spans)
        story.append((t, call(e.EventRetrieved, phone, conn)))
    if end == "lost":
        return story
    t += draw(spans)
    return [*story, (t, call(e.EventReleased, phone, conn))]


@st.composite
def transfers(draw: st.DrawFn) -> list[Timed]:
    """A call that is held, consulted about, and handed over or made a conference."""
    one, two = draw(st.permutations(PHONES))[:2]
    state = draw(st.sampled_from(["Transferred", "Conferenced"]))
    t = draw(seconds)
    segment = draw(segments)
    story = [(t, call(e.EventEstablished, one, "c4", user_data=data_of(segment)))]
    t += draw(spans)
    consult = {"call_type": "Consult", "previous_conn_id": "c4"}
    story += [
        (t, call(e.EventHeld, one, "c4")),
        (t, call(e.EventDialing, one, "c5", **consult)),
        (t, call(e.EventRinging, two, "c5", **consult)),
    ]
    t += draw(spans)
    if draw(st.booleans()):
        story += [
            (t, call(e.EventEstablished, two, "c5", **consult)),
            (t, call(e.EventEstablished, one, "c5", **consult)),
        ]
        t += draw(spans)
    story.append((t, call(e.EventReleased, one, "c5", call_type="Consult", call_state=state)))
    if state == "Transferred":
        story.append((t, call(e.EventReleased, one, "c4", call_state=state)))
    else:
        story.append((t, call(e.EventRetrieved, one, "c4", call_state=state)))
    more = {"previous_conn_id": "c5", "call_state": state, **draw(corrections)}
    story.append((t, call(e.EventPartyChanged, two, "c4", **more)))
    t += draw(spans)
    return [*story, (t, call(e.EventReleased, two, "c4")), (t, call(e.EventReleased, one, "c4"))]


@st.composite
def agent_days(draw: st.DrawFn) -> list[Timed]:
    """An agent comes, works, and may go."""
    agent, phone = draw(st.sampled_from(AGENTS)), draw(st.sampled_from(PHONES))
    t = draw(st.sampled_from([0, 0, 1000, 30_000]))
    queue = draw(st.sampled_from(["", *QUEUES]))
    story: list[Timed] = [(t, e.EventAgentLogin(this_dn=phone, agent_id=agent, this_queue=queue))]
    for _ in range(draw(st.integers(1, 5))):
        t += draw(spans)
        what = draw(st.sampled_from("ready ready pause lunch acw".split()))
        if what == "ready":
            story.append((t, e.EventAgentReady(this_dn=phone, agent_id=agent)))
        else:
            extensions = {"ReasonCode": "Lunch"} if what == "lunch" else None
            mode = "AfterCallWork" if what == "acw" else ""
            story.append(
                (
                    t,
                    e.EventAgentNotReady(
                        this_dn=phone, agent_id=agent, work_mode=mode, extensions=extensions
                    ),
                )
            )
    if draw(st.booleans()):
        story.append((t + draw(spans), e.EventAgentLogout(this_dn=phone, agent_id=agent)))
    return story


@st.composite
def outages(draw: st.DrawFn) -> list[Timed]:
    """The link goes, comes back, and the phones say what they are doing."""
    t = draw(seconds)
    story: list[Timed] = [(t, e.EventLinkDisconnected())]
    t += draw(spans)
    story.append((t, e.EventLinkConnected()))
    for phone in PHONES:
        status = draw(st.sampled_from([None, "Ready", "NotReady", "LoggedOut"]))
        calls = draw(st.sampled_from([[], [{"ConnID": "c1", "CallType": "Inbound"}]]))
        told = {"AgentStatus": status, "calls": calls} if status else None
        agent = draw(st.sampled_from(AGENTS)) if status not in (None, "LoggedOut") else ""
        story.append((t, e.EventRegistered(this_dn=phone, agent_id=agent, extensions=told)))
    return story


@st.composite
def nonsense(draw: st.DrawFn) -> list[Timed]:
    """One event that nobody expected."""
    cls = draw(
        st.sampled_from(
            [
                e.EventReleased,
                e.EventEstablished,
                e.EventHeld,
                e.EventRetrieved,
                e.EventRinging,
                e.EventDiverted,
                e.EventQueued,
                e.EventPartyChanged,
                e.EventCallInfoChanged,
                e.EventAbandoned,
                e.EventUserEvent,
            ]
        )
    )
    if cls in (e.EventQueued, e.EventDiverted):
        dn = draw(st.sampled_from(QUEUES))
    elif cls in (e.EventRinging, e.EventEstablished):
        dn = draw(st.sampled_from(PHONES))
    else:
        dn = draw(st.sampled_from((*PHONES, *QUEUES)))
    conn = draw(st.sampled_from(["c1", "c2", "c4", "c9"]))
    more: dict[str, Any] = {"user_data": data_of(draw(segments))}
    more["call_type"] = draw(st.sampled_from(["Inbound", "Outbound", "Unknown"]))
    more |= draw(corrections)
    if cls is e.EventPartyChanged:
        more["previous_conn_id"] = draw(st.sampled_from(["c1", "c2", "c5", ""]))
    if cls is e.EventDiverted:
        more["third_party_dn"] = draw(st.sampled_from(["", "7001", "8002"]))
    return [(draw(seconds), call(cls, dn, conn, **more))]


stories = st.one_of(
    queued_calls(), queued_calls(), transfers(), agent_days(), agent_days(), outages(), nonsense()
)


def pack(told: list[tuple[int, list[Timed]]]) -> list[Timed]:
    """All stories, each begun at its time, as one stream of copied and dated events."""
    stream: list[Timed] = []
    for begins, story in told:
        stream += [(begins + t, event) for t, event in story]
    stream.sort(key=lambda timed: timed[0])
    dated: list[Timed] = []
    for t, event in stream:
        fields = {name: getattr(event, name) for name in event.__struct_fields__}
        fields["time"] = (MIDNIGHT + t) / 1000
        dated.append((MIDNIGHT + t, type(event)(**fields)))
    return dated


days = st.lists(
    st.tuples(st.sampled_from([0, 0, 20_000, 60_000, 115_500, 200_000]), stories),
    min_size=2,
    max_size=7,
).map(pack)


# -- what is asked ------------------------------------------------------------------------


@frozen
class Asked:
    """Every category of one thing."""

    object: tuple[str, str]
    subject: str
    main: str
    rel: str
    profile: str
    filter: str  # a name, or empty
    opened: int  # ms after midnight
    range2: str | None = None
    restricted: bool = False  # by a business attribute


# At the moments at which stories begin and profiles reset, or at any other.
openings = st.one_of(
    st.sampled_from([0, 20_000, 60_000, 60_001, 115_500, 120_000, 200_000]),
    st.integers(0, 240_000),
)


@st.composite
def questions(draw: st.DrawFn, opened: st.SearchStrategy[int] | None = None) -> Asked:
    object_type, name = draw(st.sampled_from(sorted(MEMBERS)))
    subjects = [each for each in OF if object_type in SUBJECTS[each]]
    if object_type in ("Queue", "Tenant"):  # one has no status to speak of, one only that
        subjects = ["AgentStatus" if object_type == "Tenant" else "DNAction"]
    subject = draw(st.sampled_from(subjects))
    masks = ACTION_MASKS if subject == "DNAction" else STATUS_MASKS
    return Asked(
        (object_type, name),
        subject,
        draw(st.sampled_from(masks)),
        draw(st.sampled_from(masks)),
        draw(st.sampled_from(sorted(PROFILES))),
        draw(st.sampled_from(["", "", "", "gold", *FILTERS])),
        draw(openings if opened is None else opened),
        draw(st.sampled_from([None, "5-20", "0-12", "10-"])),
        draw(st.integers(0, 3)) == 0,
    )


@cache
def stat_type(asked: Asked, category: str) -> StatType:
    options = {
        "Objects": asked.object[0],
        "Category": category,
        "Subject": asked.subject,
        "MainMask": asked.main,
    }
    if CATEGORIES[category].rel_mask == REQUIRED or CATEGORIES[category].rel_mask == "optional":
        options["RelMask"] = asked.rel
    if asked.restricted:
        options["Segment"] = "gold, silver"
    return parse_stat_type("", options, ("Segment",))


def categories_of(asked: Asked) -> Iterator[Category]:
    for category in CATEGORIES.values():
        if category.kind == "state" or category.book:  # see test_books.py
            continue
        if category.of == ("status" if asked.subject == "DNAction" else "action"):
            continue
        if category.objects is not None and asked.object[0] not in category.objects:
            continue
        yield category


def request(asked: Asked, category: Category) -> StatisticRequest:
    object_type, name = asked.object
    return StatisticRequest(
        object_type,
        name,
        stat_type(asked, category.name),
        PROFILES[asked.profile],
        time_range="5-20" if category.time_range != "no" else None,
        time_range2=asked.range2,
        filter=asked.filter or None,
    )


# -- both ways ----------------------------------------------------------------------------


@define
class Both:
    """An engine and an observer who are told the same."""

    began: int
    engine: Engine = field(init=False)
    observer: slow.Observer = field(init=False)
    open: list[tuple[Asked, dict[str, Statistic]]] = field(factory=list)
    openings: dict[Statistic, tuple[int, int]] = field(factory=dict)  # when, and after what

    def __attrs_post_init__(self) -> None:
        self.engine = new_engine()
        self.observer = slow.Observer(SWITCH, DIRECTORY, floor(self.began), OPTIONS)
        self.engine.sources["ts1"].world(self.began)

    def tell(self, event: e.TEvent, now: int) -> None:
        self.engine.apply("ts1", [event], now)
        self.observer.apply(event, floor(now))

    def name(self, members: list[str]) -> None:
        """Whoever is asked about exists from then on."""
        for member in members:
            kind, _, name = member.partition(" ")
            if kind == "agent":
                self.observer.world.agent(name)
            elif kind == "dn":
                self.observer.world.dn(name, "Queue" if name in QUEUES else "Extension")

    def ask(self, asked: Asked, now: int) -> None:
        self.name(members_of(asked))
        opened = {c.name: self.engine.open(request(asked, c), now) for c in categories_of(asked)}
        self.observer.settle()
        self.observer.order += 1
        for statistic in opened.values():  # which may be another one's, opened earlier
            self.openings.setdefault(statistic, (floor(now), self.observer.order))
        self.open.append((asked, opened))

    def forget(self, number: int, now: int) -> None:
        for statistic in self.open.pop(number)[1].values():
            close(self.engine, statistic, now)

    def compare(self, now: int) -> None:
        t = floor(now)
        for asked, statistics in self.open:
            for name, statistic in statistics.items():
                opened, order = self.openings[statistic]
                ours = self.engine.value(statistic, now).value
                theirs = self.slow_value(asked, CATEGORIES[name], opened, order, t)
                assert ours == pytest.approx(theirs), (name, asked, now - MIDNIGHT)

    def slow_value(
        self, asked: Asked, category: Category, opened: int, order: int, t: int
    ) -> float:
        profile = PROFILES[asked.profile]
        since = opened
        if category.is_historical:
            start = profile.edge(t) if profile.kind == "Sliding" else profile.last_reset(t)
            since = max(opened, opened if start is None else start)
        stat = stat_type(asked, category.name)
        test, always = (
            what_passes(asked.filter, asked.restricted),
            what_passes("", asked.restricted),
        )
        of = OF[asked.subject]
        if of == "dn_statuses" and asked.object[0] in ("RegDN", "Queue"):
            of = "statuses"
        diaries = [self.observer.diaries.get(name, slow.Diary()) for name in members_of(asked)]
        counted = ALL_ACTIONS
        if asked.object[0] in ("Queue", "GroupQueues") and (
            asked.filter
            or asked.restricted
            or category.name not in ("CurrentNumber", "CurrentRelativeNumberPercentage")
        ):
            counted &= ~PSEUDO_ACTIONS
        question = slow.Question(of, stat.main_mask & counted, test, opened, since, t, order)
        main = slow.Numbers(diaries, question)
        rel = main
        if stat.rel_mask is not None:
            rel_test = always if category.name == "AverageNumberPerRelativeHour" else test
            rel_mask = stat.rel_mask & counted
            rel = slow.Numbers(diaries, evolve(question, mask=rel_mask, test=rel_test))
        limits = limits_of("5-20") if category.time_range != "no" else None
        if category.name == "ServiceFactor1":
            assert limits is not None
            answered = evolve(question, mask=mask_of("CallAnswered"))
            lost = evolve(question, mask=mask_of("CallAbandoned", "CallAbandonedFromRinging"))
            both = slow.Numbers(diaries, answered), slow.Numbers(diaries, lost)
            return slow.service_factor(*both, limits, limits_of(asked.range2))
        if category.name == "ExpectedWaitTime2":
            waiting = slow.Numbers(diaries, evolve(question, mask=mask_of("CallWait")))
            left = slow.Numbers(diaries, evolve(question, mask=mask_of("CallDistributed")))
            rate = slow.ratio(len(waiting.live) * (t - since) / 1000, left.number())
            return rate if left.number() or not waiting.live else slow.NEVER
        if category.looks_back:
            return self.estimate(category.name, diaries, question, always, PROFILES[asked.profile])
        found = slow.value(category.name, main, rel, limits, t - since)
        return found // 1000 if category.result == "time" else found

    def estimate(
        self,
        name: str,
        diaries: list[slow.Diary],
        q: slow.Question,
        always: slow.Test | None,
        profile: TimeProfile,
    ) -> float:
        def of(actions: str, test: slow.Test | None, since: int = q.since) -> slow.Numbers:
            return slow.Numbers(
                diaries, evolve(q, mask=mask_of(*actions.split()), test=test, since=since)
            )

        released, wrapped = of("CallReleased", always), of("ACWCompleted", always)
        calls, time = released.number(), released.time() + wrapped.time()
        if not calls and profile.kind == "Growing" and q.since > q.opened:
            before = profile.last_reset(q.since - 1)
            start = q.opened if before is None else max(before, q.opened)
            earlier = of("CallReleased", always, start), of("ACWCompleted", always, start)
            calls = earlier[0].number()  # none of them in the present interval
            time = sum(numbers.time() for numbers in earlier) - wrapped.time()
        return slow.estimate(
            name,
            len(of("CallWait", q.test).live),
            len(of("AgentReady", None).live),
            len(of("AgentActive", None).live),
            slow.ratio(time / 1000, calls),
        )


def what_passes(filter: str, restricted: bool) -> slow.Test | None:
    """What has to be true of what is known of an action."""
    chosen = FILTERS[filter][1] if filter else None
    if not restricted:
        return chosen
    return lambda known: (
        known.get("Segment") in ("gold", "silver") and (chosen is None or chosen(known))
    )


def members_of(asked: Asked) -> list[str]:
    """Whose diaries are read; of a group's own status the group's."""
    if asked.subject == "GroupStatus":
        return [f"group {asked.object[1]}"]
    return MEMBERS[asked.object]


def limits_of(name: str | None) -> slow.Range | None:
    return None if name is None else (RANGES[name].low_ms, RANGES[name].high_ms)


def floor(ms: int) -> int:
    return ms - ms % 1000


def new_engine() -> Engine:
    engine = Engine(DEFINITIONS, DIRECTORY, OPTIONS)
    engine.add_source("ts1", SWITCH)
    return engine


def close(engine: Engine, statistic: Statistic, now: int) -> None:
    quiet = Notification(Mode.NO_NOTIFICATION)
    if engine.statistics.get(statistic.key) is statistic:
        engine.unsubscribe(engine.subscribe(statistic, quiet, None, now))


def moments(
    day: list[Timed], asked: list[Asked], reads: list[int]
) -> list[tuple[int, int, Callable[[Both], None]]]:
    """Everything in the order of time; at the same time what was opened comes last but reads."""
    found: list[tuple[int, int, Callable[[Both], None]]] = []
    for t, event in day:
        found.append((t, 0, lambda both, event=event, t=t: both.tell(event, t)))
    for one in asked:
        t = MIDNIGHT + one.opened
        found.append((t, one.opened % 2, lambda both, one=one, t=t: both.ask(one, t)))
    for read in reads:
        t = MIDNIGHT + read
        found.append((t, 2, lambda both, t=t: both.compare(t)))
    found.sort(key=lambda moment: moment[:2])
    return found


def live_through(day: list[Timed], asked: list[Asked], reads: list[int]) -> Both:
    both = Both(MIDNIGHT)
    for _, _, what in moments(day, asked, reads):
        what(both)
    return both


reads_of_a_day = st.lists(st.integers(0, 400_000), min_size=1, max_size=4)
settings.register_profile(
    "brute force",
    derandomize=True,
    deadline=None,
    max_examples=250,
    suppress_health_check=list(HealthCheck),
)
quick = settings(settings.get_profile("brute force"))
few = settings(quick, max_examples=60)


@quick
@given(days, st.lists(questions(), min_size=1, max_size=3), reads_of_a_day)
def test_every_value_is_what_the_book_says(
    day: list[Timed], asked: list[Asked], reads: list[int]
) -> None:
    both = live_through(day, asked, reads)
    both.compare(max(MIDNIGHT + 420_000, *(t for t, _ in day), MIDNIGHT + max(reads)))


# -- what must make no difference ---------------------------------------------------------


def values(engine: Engine, statistics: dict[str, Statistic], now: int) -> dict[str, Any]:
    return {name: engine.value(one, now).value for name, one in statistics.items()}


@few
@given(
    days,
    questions(st.just(0)),
    st.lists(st.integers(1, 12), min_size=1, max_size=12),
)
def test_batches_make_no_difference(day: list[Timed], asked: Asked, sizes: list[int]) -> None:
    now = max([MIDNIGHT + 420_000, *(t for t, _ in day)])
    found = []
    for batches in ([1], sizes, [1000]):
        engine = new_engine()
        statistics = {
            c.name: engine.open(request(asked, c), MIDNIGHT) for c in categories_of(asked)
        }
        left, turn = list(day), 0
        while left:
            size = batches[turn % len(batches)]
            batch, left, turn = left[:size], left[size:], turn + 1
            engine.apply("ts1", [event for _, event in batch], batch[-1][0])
        found.append(values(engine, statistics, now))
    assert found[0] == found[1] == found[2]


@st.composite
def corrected_calls(draw: st.DrawFn) -> list[Timed]:
    """One long call of which ever other things are told, while agents come and go."""
    t, there = 0, ""
    story = [(t, call(e.EventEstablished, "7001", "c1", **draw(corrections)))]
    for _ in range(draw(st.integers(2, 8))):
        t += draw(st.sampled_from([0, 5000, 10_000]))
        what = draw(st.sampled_from(["agent", "agent", "told", "told", "typed", "data"]))
        if what == "agent" and there:
            story.append((t, e.EventAgentLogout(this_dn="7001", agent_id=there)))
            there = ""
        elif what == "agent":
            there = draw(st.sampled_from(AGENTS))
            story.append((t, e.EventAgentLogin(this_dn="7001", agent_id=there)))
        else:
            more: dict[str, Any] = draw(corrections)
            if what == "typed":
                more["call_type"] = draw(st.sampled_from(["Inbound", "Internal"]))
            elif what == "data":
                more["user_data"] = data_of(draw(segments))
            story.append((t, call(e.EventCallInfoChanged, "7001", "c1", **more)))
    if draw(st.booleans()):
        story.append((t + 5000, call(e.EventReleased, "7001", "c1", **draw(corrections))))
    return [*story, (t + 5000, e.EventOffHook(this_dn="7001"))]


@quick
@given(
    corrected_calls().map(lambda story: pack([(0, story)])),
    st.lists(
        st.builds(
            Asked,
            st.sampled_from([("RegDN", "7001"), ("Place", "P1"), ("Agent", "a1")]),
            st.sampled_from(["DNAction", "DNAction", "DNStatus"]),
            st.sampled_from(["CallInbound", "CallInbound,CallInternal,OnHook"]),
            st.just("*"),
            st.sampled_from(["never", "0:00 +0:01"]),
            st.sampled_from(sorted(FILTERS)),
            st.integers(0, 12).map(lambda n: n * 5000),
        ),
        min_size=3,
        max_size=6,
    ),
    st.lists(st.integers(0, 100_000), max_size=2),
)
def test_a_filter_turns_with_whatever_it_looks_at(
    day: list[Timed], asked: list[Asked], reads: list[int]
) -> None:
    """Whoever opens in the middle finds the stretch that there has been all along."""
    both = live_through(day, asked, reads)
    both.compare(MIDNIGHT + 120_000)


@few
@given(days, questions(), st.lists(questions(), min_size=6, max_size=6))
def test_other_statistics_make_no_difference(
    day: list[Timed], asked: Asked, others: list[Asked]
) -> None:
    """Also those of the same rows, opened earlier, and those of all profiles."""
    alike = [
        evolve(asked, profile=profile, opened=opened)
        for profile, opened in zip(sorted(PROFILES), (0, 30_001, 90_000, 0, 1, 2), strict=True)
        if profile != asked.profile
    ]
    now = max([MIDNIGHT + 420_000, *(t for t, _ in day)])
    # A current category has no profile: the same statistic, known since it was first opened.
    alone = live_through(day, [asked], [])
    crowded = live_through(day, [asked, *others, *alike], [])
    ours, theirs = (
        next(statistics for one, statistics in both.open if one is asked)
        for both in (alone, crowded)
    )
    expected = values(alone.engine, ours, now)
    found = values(crowded.engine, theirs, now)
    expected.pop("CurrentContinuousTime", None)
    found.pop("CurrentContinuousTime", None)
    assert found == expected
    crowded.compare(now)


@few
@given(days, st.lists(questions(), min_size=1, max_size=3), reads_of_a_day)
def test_reading_changes_nothing(day: list[Timed], asked: list[Asked], reads: list[int]) -> None:
    now = max([MIDNIGHT + 420_000, *(t for t, _ in day), MIDNIGHT + max(reads)])
    unread = live_through(day, asked, [])
    read = live_through(day, asked, reads)
    for (_, ours), (_, theirs) in zip(unread.open, read.open, strict=True):
        assert values(unread.engine, ours, now) == values(read.engine, theirs, now)


@few
@given(
    days,
    st.lists(questions(), min_size=3, max_size=5),
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 300_000)), min_size=1, max_size=4),
    reads_of_a_day,
)
def test_rows_are_used_again(
    day: list[Timed], asked: list[Asked], closings: list[tuple[int, int]], reads: list[int]
) -> None:
    """What is opened after something else was closed knows nothing of it."""
    both = Both(MIDNIGHT)
    found = moments(day, asked, reads)
    for number, at in closings:
        t = MIDNIGHT + at

        def close_one(both: Both, number: int = number, t: int = t) -> None:
            if number < len(both.open):
                shared = both.open[number][1].values()
                others = [
                    s for n, (_, ss) in enumerate(both.open) if n != number for s in ss.values()
                ]
                if not any(s in others for s in shared):
                    both.forget(number, t)

        found.append((t, 1, close_one))
    for _, _, what in sorted(found, key=lambda moment: moment[:2]):
        what(both)
    both.compare(max([MIDNIGHT + 420_000, *(t for t, _ in day), MIDNIGHT + max(reads)]))


def test_a_stretch_that_goes_on_at_the_opening_is_the_same_for_all() -> None:
    """Who opened the same thing earlier makes no difference to the uncut duration."""

    def told(earlier: bool) -> list[Any]:
        engine = new_engine()
        asked = Asked(("RegDN", "7001"), "DNAction", "CallInbound", "*", "never", "gold", 0)
        if earlier:
            engine.open(
                request(evolve(asked, profile="60:1"), CATEGORIES["TotalAdjustedTime"]), MIDNIGHT
            )
        one: Statistic | None = None
        for t, segment in ((10, "iron"), (30, "gold"), (60, "gold"), (100, "iron")):
            if t == 60:
                wanted = request(asked, CATEGORIES["TotalAdjustedTime"])
                one = engine.open(wanted, MIDNIGHT + 60_000)
                continue
            cls = e.EventEstablished if t == 10 else e.EventAttachedDataChanged
            event = call(cls, "7001", "c1", user_data={"Segment": segment})
            event.time = MIDNIGHT / 1000 + t
            engine.apply("ts1", [event], MIDNIGHT + t * 1000)
        assert one is not None
        return [engine.value(one, MIDNIGHT + 120_000).value]

    assert told(earlier=True) == told(earlier=False)


@pytest.mark.parametrize("subject", ["DNAction", "DNStatus", "AgentStatus"])
def test_data_that_comes_with_the_event_that_changes_the_status_counts_once(subject: str) -> None:
    """The call is retrieved from hold and turns golden in one event: one stretch, not two."""
    words = {"user_data": {"Segment": "iron"}}
    story: list[Timed] = [
        (0, e.EventAgentLogin(this_dn="7001", agent_id="a1")),
        (1000, call(e.EventEstablished, "7001", "c1", **words)),
        (10_000, call(e.EventHeld, "7001", "c1", **words)),
        (20_000, call(e.EventRetrieved, "7001", "c1", user_data={"Segment": "gold"})),
        (50_000, call(e.EventReleased, "7001", "c1")),
    ]
    asked = Asked(("Agent", "a1"), subject, "CallInbound", "*", "never", "gold", 0)
    both = live_through(pack([(0, story)]), [asked], [30_000, 60_000])
    number = both.open[0][1]["TotalNumber"]
    assert both.engine.value(number, MIDNIGHT + 60_000).value == 1
