"""Objects whose nodes change with what happens: virtual groups, tenants, switches, campaigns."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reloads import MIDNIGHT, at, definitions, directory, happens, opened, reload, talks, value

from statserver_trio.expressions.memberships import parse_membership
from statserver_trio.model.directory import DN, Agent, Directory, DNKey
from statserver_trio.stats.counting import stints
from statserver_trio.stats.definitions import Definitions
from statserver_trio.stats.definitions.stat_types import parse_stat_type
from statserver_trio.stats.engine import Engine
from statserver_trio.stats.requests import StatisticError
from statserver_trio.stats.statistic import Statistic
from statserver_trio.stats.transfer import adopt_statistic, export_statistic, request_of
from statserver_trio.tlib import events as e

QUEUE = "8001"
SERVES = f'LoggedIn("{QUEUE}@sw1")'
OF_GROUPS = [
    ("Calls", "Never"), ("Calls", "Minutes"), ("Calls", "Window"), ("Time", "Minutes"),
    ("Whole", "Never"), ("Now", "Never"), ("Longest", "Minutes"), ("Most", "Minutes"),
    ("Least", "Minutes"), ("Quick", "Never"), ("Average", "Minutes"), ("Lasting", "Never"),
    ("Talks", "Minutes"), ("Talking", "Never"), ("LongestTalk", "Minutes"), ("Times", "Never"),
    ("State", "Never"), ("Manned", "Minutes"), ("Since", "Never"), ("Turns", "Never"),
    ("Own", "Never"), ("Shortest", "Minutes"), ("ShortestTalk", "Never"),
]  # fmt: skip
OF_WHOLES = {
    "Calls": ("TotalNumber", "CallInbound,CallEntered", "DNAction"),
    "Now": ("CurrentNumber", "CallInbound,CallWait", "DNAction"),
    "Most": ("MaxNumber", "CallInbound,CallWait", "DNAction"),
    "Longest": ("MaxTime", "CallInbound", "DNAction"),
    "Paused": ("TotalTime", "NotReadyForNextCall,LoggedOut", "AgentStatus"),
}


def virtual(text: str = SERVES, **changes: Any) -> Directory:
    groups = {"Sales": parse_membership(text)}
    return directory(agent_groups={}, virtual_agent_groups=groups, **changes)


def engine_with(listed: Directory, *switches: str, new: Definitions | None = None) -> Engine:
    engine = Engine(new or definitions(), listed)
    for number, switch in enumerate(switches or ("sw1",), 1):
        engine.add_source(f"ts{number}", switch)
    return engine


# -- a virtual group is a static one whose members somebody changes in time ----------------

Told = tuple[float, e.TEvent]


@st.composite
def stories(draw: st.DrawFn) -> list[Told]:
    """Three agents who come to the queue and go, and have calls, up to one and a half minutes."""
    told: list[Told] = []
    t = 0.0
    for _ in range(draw(st.integers(2, 25))):
        t += draw(st.sampled_from([0, 1, 3, 7, 12, 30]))
        n = draw(st.integers(1, 3))
        dn, agent = f"700{n}", f"a{n}"
        what = draw(st.sampled_from("in in elsewhere leave out ready pause talk end acw".split()))
        queue = {"in": QUEUE, "elsewhere": "8002"}.get(what, "")
        mode = "AfterCallWork" if what == "acw" else ""
        events: dict[str, Any] = {
            "in": (e.EventAgentLogin, {"this_queue": queue}),
            "elsewhere": (e.EventAgentLogin, {"this_queue": queue}),
            "leave": (e.EventQueueLogout, {"this_queue": QUEUE}),
            "out": (e.EventAgentLogout, {}),
            "ready": (e.EventAgentReady, {}),
            "pause": (e.EventAgentNotReady, {}),
            "acw": (e.EventAgentNotReady, {"work_mode": mode}),
            "talk": (e.EventEstablished, None),
            "end": (e.EventReleased, None),
        }
        cls, more = events[what]
        told.append((t, at(cls, t, dn, **({} if more is None else {"agent_id": agent, **more}))))
    return told


def logged_in(members: set[str], event: e.TEvent) -> set[str]:
    """Who is logged in to the queue after an event; agent and DN always go together here."""
    agent = f"a{event.this_dn[-1]}"
    if isinstance(event, e.EventAgentLogin) and event.this_queue == QUEUE:
        return members | {agent}
    if isinstance(event, e.EventAgentLogout | e.EventQueueLogout):
        return members - {agent}
    return members


@settings(
    derandomize=True,
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(stories(), st.data())
def test_it_counts_as_a_group_whose_members_are_changed_by_hand(
    story: list[Told], data: st.DataObject
) -> None:
    ours, theirs = engine_with(virtual()), engine_with(directory(""))
    start = data.draw(st.integers(0, len(story) - 1), "opened before")
    members: set[str] = set()
    opened_at: list[tuple[Statistic, Statistic]] = []
    for number, (t, event) in enumerate(story):
        if number == start:
            for name, profile in OF_GROUPS:
                pair = [
                    opened(engine, name, seconds=t, profile=profile) for engine in (ours, theirs)
                ]
                opened_at.append((pair[0], pair[1]))
        happens(ours, t, event)
        happens(theirs, t, event)
        after = logged_in(members, event)
        if after != members:
            members = after
            reload(theirs, t, listed=directory(" ".join(sorted(members))))
        for one, other in opened_at:
            for later in (t, t + 5):
                assert value(ours, one, later) == value(theirs, other, later), (one.key, event)


@settings(derandomize=True, deadline=None, max_examples=40)
@given(stories())
def test_it_makes_no_difference_in_what_pieces_events_come(story: list[Told]) -> None:
    ours, theirs = engine_with(virtual()), engine_with(virtual())
    names = [(name, profile) for name, profile in OF_GROUPS if profile != "Window"]
    mine, others = ([opened(each, *_asked(n)) for n in names] for each in (ours, theirs))
    end = story[-1][0]
    happens(ours, end, *(event for _, event in story))
    for t, event in story:
        happens(theirs, t, event)
    assert [value(ours, s, end) for s in mine] == [value(theirs, s, end) for s in others]


def _asked(asked: tuple[str, str]) -> tuple[str, str, float, str]:
    return asked[0], "GroupAgents:Sales", 0.0, asked[1]


# -- in a pair ----------------------------------------------------------------------------


def wholes() -> Definitions:
    """What is asked of tenants, switches and campaigns."""
    made = dict(definitions().stat_types)
    for name, (category, mask, subject) in OF_WHOLES.items():
        objects = (
            "Tenant" if subject == "AgentStatus" else "Tenant, Switch, Campaign, CampaignGroup"
        )
        options = {"Objects": objects, "Category": category, "MainMask": mask, "Subject": subject}
        made[f"All{name}"] = parse_stat_type(f"All{name}", options)
    return definitions(stat_types=made)


def everything(engine: Engine, seconds: float) -> list[Statistic]:
    asked = [("GroupAgents:Sales", name, profile) for name, profile in OF_GROUPS]
    for name, (*_, subject) in OF_WHOLES.items():
        objects = ["Tenant:Environment"]
        if subject == "DNAction":
            objects += ["Switch:sw1", "Campaign:Spring", "CampaignGroup:Spring@Sales"]
        asked += [(each, f"All{name}", "Minutes") for each in objects]
    return [opened(engine, name, each, seconds, profile) for each, name, profile in asked]


def wire(data: Any) -> Any:
    return msgspec.msgpack.decode(msgspec.msgpack.encode(data))


@settings(derandomize=True, deadline=None, max_examples=40)
@given(stories(), st.data())
def test_the_other_member_goes_on_with_it(story: list[Told], data: st.DataObject) -> None:
    """Carried over at any moment; the members come and go on both sides from there."""
    listed = virtual(campaigns={"Spring": ("Sales", "Floor")}, dns={})
    first = engine_with(listed, new=wholes())
    cut = data.draw(st.integers(1, len(story)), "carried over after")
    happens(first, *story[0])
    mine = everything(first, story[0][0])
    for t, event in story[1:cut]:
        happens(first, t, event)
    t = story[cut - 1][0]
    now = MIDNIGHT + round(t * 1000)
    second = engine_with(listed, new=wholes())
    second.sources["ts1"].adopt(wire(first.sources["ts1"].export()), now)
    theirs = []
    for statistic in mine:
        copy = second.open(request_of(statistic), now)
        adopt_statistic(second, copy, wire(export_statistic(statistic)), now)
        theirs.append(copy)
    unknown = e.EventLinkConnected(time=MIDNIGHT / 1000 + t)  # so that both look at once, too
    for later, event in [(t, unknown), *story[cut:]]:
        happens(first, later, event)
        happens(second, later, event)
        for one, other in zip(mine, theirs, strict=True):
            assert value(first, one, later + 3) == value(second, other, later + 3), (one.key, event)
    for one, other in zip(mine, theirs, strict=True):
        ours, told = export_statistic(one), export_statistic(other)
        assert [part["node"] for part in ours["parts"]["main"]] == [
            part["node"] for part in told["parts"]["main"]
        ]


@pytest.mark.parametrize("name", ["Most", "Least"])
def test_there_was_nobody_where_it_comes_from(name: str) -> None:
    """The members need not have the same configuration, or hear the same (day 730621)."""
    first, second = engine_with(virtual()), engine_with(virtual())
    logs_in(second, 0, 1)
    talks(second, "7001", 1, 5)
    statistic = opened(first, name)
    copy = opened(second, name, seconds=5)
    adopt_statistic(second, copy, wire(export_statistic(statistic)), MIDNIGHT + 5000)
    talks(second, "7001", 6)
    assert value(second, copy, 10) == {"Most": 1, "Least": 0}[name]


# -- what is left behind ------------------------------------------------------------------


def test_who_left_is_forgotten_when_no_interval_can_reach_him() -> None:
    """Agents come and go all day; what they leave behind must not add up for ever."""
    engine = engine_with(virtual())
    calls, ever = (opened(engine, "Calls", profile=profile) for profile in ("Minutes", "Never"))
    for n in range(20):
        t = n * 60
        happens(engine, t, at(e.EventAgentLogin, t, agent_id="a1", this_queue=QUEUE))
        talks(engine, "7001", t + 1, t + 5)
        happens(engine, t + 10, at(e.EventQueueLogout, t + 10, agent_id="a1", this_queue=QUEUE))
    assert len(calls.former["main"]) <= 3
    assert len(ever.former["main"]) == 1
    assert (value(engine, calls, 19 * 60 + 30), value(engine, ever, 19 * 60 + 30)) == (1, 20)


FOR_EVER = [name for name in dict.fromkeys(name for name, _ in OF_GROUPS) if name != "State"]


@settings(
    derandomize=True,
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(stories(), stories())
def test_to_leave_often_is_to_leave_once(morning: list[Told], evening: list[Told]) -> None:
    """Whether the parts of one agent are joined or kept apart makes no difference."""
    story = morning + [
        (t + 1000, at(type(event), t + 1000, event.this_dn, **_rest(event))) for t, event in evening
    ]
    ours, theirs = engine_with(virtual()), engine_with(virtual())
    happens(ours, *story[0])
    happens(theirs, *story[0])
    mine, others = (
        [opened(each, name, seconds=story[0][0]) for name in FOR_EVER] for each in (ours, theirs)
    )
    for t, event in story[1:]:
        happens(ours, t, event)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(stints, "joined", lambda one, other: None)
            happens(theirs, t, event)
        for one, other in zip(mine, others, strict=True):
            for later in (t, t + 4):
                assert value(ours, one, later) == value(theirs, other, later), one.key
    for one, other in zip(mine, others, strict=True):
        assert all(len(parts) <= 3 for parts in one.former.values())
        assert sum(map(len, one.former.values())) <= sum(map(len, other.former.values()))


def _rest(event: e.TEvent) -> dict[str, Any]:
    names = {"agent_id", "this_queue", "work_mode"} & set(event.__struct_fields__)
    return {name: getattr(event, name) for name in names}


# -- reloads ------------------------------------------------------------------------------


def logs_in(engine: Engine, t: float, n: int, queue: str = QUEUE) -> None:
    happens(engine, t, at(e.EventAgentLogin, t, f"700{n}", agent_id=f"a{n}", this_queue=queue))


def members(engine: Engine, statistic: Statistic) -> list[str]:
    return [node.address[1] for node in statistic.nodes]


def test_another_expression_is_another_membership_from_then_on() -> None:
    engine = engine_with(virtual())
    calls, own = (opened(engine, name) for name in ("Calls", "Own"))
    logs_in(engine, 1, 1)
    logs_in(engine, 1, 2, "8002")
    talks(engine, "7001", 2, 10)
    assert (members(engine, calls), value(engine, calls, 10)) == (["a1"], 1)
    changes = reload(engine, 20, listed=virtual('LoggedIn("8002@sw1")'))
    assert (changes.joined, changes.left) == (1, 1)
    assert changes.sections["virtual-agent-groups"].changed == ["Sales"]
    talks(engine, "7002", 22, 30)
    talks(engine, "7001", 22, 30)
    assert (members(engine, calls), value(engine, calls, 30)) == (["a2"], 2)
    happens(engine, 40, at(e.EventQueueLogout, 40, "7002", agent_id="a2", this_queue="8002"))
    assert (members(engine, calls), value(engine, own, 40)["status"]) == ([], "NotMonitored")


def test_without_its_expression_it_is_an_ordinary_group() -> None:
    engine = engine_with(virtual())
    calls = opened(engine, "Calls")
    logs_in(engine, 1, 1)
    talks(engine, "7001", 2, 10)
    changes = reload(engine, 20, listed=directory("a3"))
    assert not changes.closed
    assert (members(engine, calls), value(engine, calls, 20)) == (["a3"], 1)
    logs_in(engine, 25, 2)
    assert members(engine, calls) == ["a3"]
    reload(engine, 30, listed=virtual())
    assert members(engine, calls) == ["a1", "a2"]
    changes = reload(engine, 40, listed=directory(agent_groups={}))
    assert list(changes.closed) == ["agent group 'Sales' was deleted"]
    logs_in(engine, 45, 3)


def test_other_skills_are_another_membership() -> None:
    def listed(level: int) -> Directory:
        agents = {"a1": Agent("a1", {"Spanish": level}), "a2": Agent("a2", {"Spanish": 9})}
        return virtual('Skill("Spanish") > 5', agents=agents)

    engine = engine_with(listed(3))
    calls = opened(engine, "Calls")
    assert members(engine, calls) == ["a2"]
    reload(engine, 10, listed=listed(7))
    assert members(engine, calls) == ["a1", "a2"]
    talks(engine, "7001", 11, 12)
    reload(engine, 20, listed=listed(3))
    assert (members(engine, calls), value(engine, calls, 20)) == (["a2"], 0)


def test_the_queues_of_a_virtual_group_are_served_by_its_members() -> None:
    engine = engine_with(virtual(origination_dns={"Sales": (DNKey("8003", "sw1"),)}))
    served = opened(engine, "Logged", "Queue:8003@sw1")
    logs_in(engine, 1, 1)
    logs_in(engine, 1, 2, "8002")
    assert value(engine, served, 1) == 1
    happens(engine, 5, at(e.EventQueueLogout, 5, "7001", agent_id="a1", this_queue=QUEUE))
    assert value(engine, served, 5) == 0


def test_a_deleted_agent_is_no_member() -> None:
    agents = {name: Agent(name) for name in ("a1", "a2")}
    listed = virtual('~LoggedIn("8002@sw1")', agents=agents, auto_create=False)
    engine = engine_with(listed)
    calls, own = (opened(engine, name) for name in ("Calls", "Own"))
    logs_in(engine, 1, 1)
    assert members(engine, calls) == ["a1", "a2"]
    reload(engine, 10, listed=evolve(listed, agents={"a2": Agent("a2")}))
    assert members(engine, calls) == ["a2"]
    assert value(engine, own, 10)["status"] == "LoggedOut"


# -- since when ---------------------------------------------------------------------------


def test_the_interval_began_with_the_oldest_member_and_not_with_the_first_by_name() -> None:
    engine = engine_with(virtual())
    logs_in(engine, 0, 2)
    average, most = (opened(engine, name) for name in ("Average", "Most"))
    talks(engine, "7002", 0, 20)
    logs_in(engine, 60, 1)
    assert members(engine, average) == ["a1", "a2"]
    assert value(engine, average, 100) == pytest.approx(20 / 100)
    assert value(engine, most, 100) == 1


def test_it_began_at_the_switch_on_which_the_first_member_was() -> None:
    options = {"Objects": "GroupAgents", "Category": "TotalNumberPerSecond", "Formula": "DCID"}
    options |= {"Subject": "DNAction", "MainMask": "CallInboundCompleted"}
    new = definitions(
        stat_types={**definitions().stat_types, "By call": parse_stat_type("By call", options)}
    )
    listed = virtual('LoggedIn("8001@sw1") | LoggedIn("8001@sw2")')
    engine = engine_with(listed, "sw1", "sw2", new=new)
    login = at(e.EventAgentLogin, 0, agent_id="a2", this_queue=QUEUE)
    engine.apply("ts2", [login], MIDNIGHT)
    average, by_call = (opened(engine, name) for name in ("Average", "By call"))
    talk = [at(e.EventEstablished, 0), at(e.EventReleased, 20)]
    engine.apply("ts2", talk, MIDNIGHT + 20_000)
    logs_in(engine, 60, 1)
    assert [source.name for source in average.sources] == ["ts1", "ts2"]
    assert value(engine, average, 100) == pytest.approx(20 / 100)
    assert value(engine, by_call, 100) == pytest.approx(1 / 100)


# -- several switches ---------------------------------------------------------------------


def test_it_is_for_events_to_say_where_an_agent_is() -> None:
    """Or what a statistic contains would depend on who had asked before, and what for."""
    asked, other = (engine_with(directory(), "sw1", "sw2", new=wholes()) for _ in range(2))
    for engine in (asked, other):
        engine.apply("ts2", [at(e.EventAgentLogin, 5, agent_id="a1")], MIDNIGHT + 5000)
    opened(asked, "AllPaused", "Tenant:Environment")
    found = [opened(engine, "Talking", "Agent:a1", 5) for engine in (asked, other)]
    found += [opened(engine, "Talking", "Agent:a2", 5) for engine in (asked, other)]
    sources = [[source.name for source in each.sources] for each in found]
    assert sources == [["ts1", "ts2"]] * 2 + [["ts1"]] * 2


def test_an_agent_is_shown_where_he_works() -> None:
    engine = engine_with(directory(), "sw1", "sw2")
    state = opened(engine, "State", "Agent:a1")
    assert value(engine, state, 1)["status"] == "LoggedOut"
    engine.apply("ts2", [at(e.EventAgentReady, 5, agent_id="a1")], MIDNIGHT + 5000)
    assert value(engine, state, 6)["status"] == "WaitForNextCall"
    engine.apply("ts1", [at(e.EventAgentNotReady, 7, agent_id="a1")], MIDNIGHT + 7000)
    assert value(engine, state, 8)["status"] == "NotReadyForNextCall"
    engine.apply("ts1", [at(e.EventAgentLogout, 9, agent_id="a1")], MIDNIGHT + 9000)
    assert value(engine, state, 10)["status"] == "WaitForNextCall"


def test_a_login_makes_a_member_where_it_is_seen() -> None:
    """One switch decides by itself; the order in which feeds are heard makes no difference."""
    listed = virtual('LoggedIn("8001@sw1") | LoggedIn("8001@sw2")')
    values = []
    for order in (("ts1", "ts2"), ("ts2", "ts1")):
        engine = engine_with(listed, "sw1", "sw2")
        calls = opened(engine, "Calls")
        for source in order:
            login = at(e.EventAgentLogin, 1, agent_id="a1", this_queue=QUEUE)
            talk = [at(e.EventEstablished, 2), at(e.EventReleased, 4)]
            engine.apply(source, [login, *talk] if source == "ts2" else talk, MIDNIGHT + 4000)
        assert [source.name for source in calls.sources] == ["ts2"]
        values.append(value(engine, calls, 4))
    assert values == [1, 1]


def test_a_tenant_has_everything_of_every_switch() -> None:
    engine = engine_with(virtual(dns={}), "sw1", "sw2", new=wholes())
    tenant = opened(engine, "AllCalls", "Tenant:Environment")
    first, second = (opened(engine, "AllCalls", f"Switch:{name}") for name in ("sw1", "sw2"))
    for n, source in enumerate(("ts1", "ts2", "ts2"), 1):
        begun = at(e.EventEstablished, n, f"700{n}"), at(e.EventReleased, n + 1, f"700{n}")
        engine.apply(source, begun, MIDNIGHT + n * 1000)
    found = [value(engine, each, 10) for each in (tenant, first, second)]
    assert found == [3, 1, 2]


# -- reloads of what is made of others -----------------------------------------------------


def test_a_campaign_goes_by_its_groups() -> None:
    def listed(*groups: str, sales: str = "a1") -> Directory:
        return directory(sales, campaigns={"Spring": groups})

    engine = engine_with(listed("Sales", "Floor"), new=wholes())
    campaign = opened(engine, "AllNow", "Campaign:Spring")
    group = opened(engine, "AllNow", "CampaignGroup:Spring@Floor")
    assert len(campaign.nodes) == 2
    reload(engine, 10, listed=listed("Sales", "Floor", sales="a1 a2"))
    assert len(campaign.nodes) == 3
    changes = reload(engine, 20, listed=listed("Sales"))
    assert list(changes.closed) == ["group 'Floor' works for campaign 'Spring' no more"]
    assert (len(campaign.nodes), len(group.nodes)) == (1, 1)
    assert changes.sections["campaigns"].changed == ["Spring"]
    changes = reload(engine, 30, listed=directory())
    assert list(changes.closed) == ["campaign 'Spring' was deleted"]


def test_another_tenant_is_another_object() -> None:
    engine = engine_with(directory(), new=wholes())
    opened(engine, "AllCalls", "Tenant:Environment")
    changes = reload(engine, 10, listed=directory(tenant="Bank"))
    assert list(changes.closed) == ["tenant 'Environment' was deleted"]
    bank = opened(engine, "AllCalls", "Tenant:Bank", 10)
    talks(engine, "7001", 11, 12)
    talks(engine, "7001", 13, 14)
    assert value(engine, bank, 20) == 2


def test_a_switch_forgets_the_dns_that_are_forgotten() -> None:
    keys = [DNKey(number, "sw1") for number in ("7001", "7002")]

    def listed(count: int) -> Directory:
        dns = {key: DN(key, "Extension") for key in keys[:count]}
        return Directory(dns=dns, auto_create=False)

    engine = engine_with(listed(2), new=wholes())
    calls = opened(engine, "AllCalls", "Switch:sw1")
    talks(engine, "7002", 1, 2)
    reload(engine, 10, listed=listed(1))
    assert [node.address[1] for node in calls.nodes] == ["7001"]
    assert value(engine, calls, 10) == 1
    happens(engine, 20, at(e.EventEstablished, 20, "7002"))
    assert len(calls.nodes) == 1


def test_interaction_queues_exist_by_name_or_not_at_all() -> None:
    options = {"Objects": "StagingArea", "Category": "CurrentNumber", "Subject": "Action"}
    waiting = parse_stat_type("Waiting", {**options, "MainMask": "InteractionWait"})
    new = definitions(stat_types={"Waiting": waiting})
    listed = Directory(auto_create=False, interaction_queues=("mail",))
    engine = engine_with(listed, "sw1", "ixn", new=new)
    statistic = opened(engine, "Waiting", "StagingArea:mail")
    with pytest.raises(StatisticError, match="'other' is not configured; known: mail"):
        opened(engine, "Waiting", "StagingArea:other")
    event = e.EventPlacedInQueue(time=MIDNIGHT / 1000, interaction_id="i", queue="mail")
    engine.apply("ts2", [event], MIDNIGHT)
    assert value(engine, statistic, 1) == 1
    changes = reload(engine, 10, listed=evolve(listed, interaction_queues=()))
    assert list(changes.closed) == ["interaction queue 'mail' was deleted"]
