"""The hub: feeds on one side, clients on the other, and a clock that a test moves."""

import json

import pytest
import trio
import trio.testing

from statserver_trio.api.messages import ServerModeInfo
from statserver_trio.api.outbox import OutboxLimits
from statserver_trio.api.session import Limits
from statserver_trio.model.directory import DN, Directory, DNKey
from statserver_trio.model.world import World
from statserver_trio.server.clock import Clock
from statserver_trio.server.hub import Hub
from statserver_trio.stats import engine as engine_module
from statserver_trio.stats.definitions import Definitions
from statserver_trio.stats.definitions.stat_types import parse_stat_type
from statserver_trio.stats.engine import Engine
from statserver_trio.tlib.events import (
    EventAgentLogin,
    EventDiverted,
    EventLinkConnected,
    EventQueued,
    EventServerConnected,
)

T0 = 1_700_000_000


def stat_type(name, category, mask):
    options = {
        "Objects": "Queue", "Category": category, "Subject": "DNAction", "MainMask": mask,
    }  # fmt: skip
    return parse_stat_type(name, options)


def new_hub(**options):
    stat_types = [
        stat_type("Waiting", "CurrentNumber", "CallWait"),
        stat_type("Longest", "CurrentMaxTime", "CallWait"),
    ]
    queue = DNKey("8001", "sw1")
    directory = Directory(dns={queue: DN(queue, "Queue")})
    engine = Engine(Definitions(stat_types={s.name: s for s in stat_types}), directory)
    engine.add_source("ts1", "sw1")
    hub = Hub(engine, Clock(T0), **options)
    hub.apply("ts1", [EventServerConnected(), EventLinkConnected()], hub.clock.now_ms())
    hub.source_connected("ts1")
    return hub


class Listener:
    """A client of the hub without a socket."""

    def __init__(self, hub):
        self.hub = hub
        self.dismissed = []
        self.woken = 0
        self.client = hub.join(self._wake, self.dismissed.append)

    def _wake(self):
        self.woken += 1

    def asks(self, **request):
        self.hub.receive(self.client, json.dumps(request))
        return self.hears()

    def opens(self, name, reference=1, **notification):
        return self.asks(
            request="OpenStatistic",
            referenceId=reference,
            object={"objectId": "8001@sw1", "objectType": "Queue"},
            metric={"statisticType": name},
            notification=notification,
        )

    def hears(self):
        frame = self.client.outbox.take()
        events = json.loads(frame) if frame else []
        events = events if isinstance(events, list) else [events]
        return [(e["event"], e["value"]) if "value" in e else e["event"] for e in events]


def happens(hub, cls, conn_id):
    now = hub.clock.now_ms()
    event = cls(time=now / 1000, this_dn="8001", conn_id=conn_id, call_type="Inbound")
    hub.apply("ts1", [event], now)


async def test_who_listens_is_told_and_woken(autojump_clock):
    hub = new_hub()
    one, other = Listener(hub), Listener(hub)
    assert one.hears() == ["ServerMode"]
    assert other.hears() == ["ServerMode"]
    assert one.opens("Waiting") == ["StatisticOpened", ("Info", 0)]
    woken = one.woken, other.woken
    happens(hub, EventQueued, "c1")
    assert (one.woken - woken[0], other.woken - woken[1]) == (1, 0)
    happens(hub, EventQueued, "c2")
    assert one.hears() == [("Info", 2)]
    assert other.hears() == []
    happens(hub, EventDiverted, "c1")
    assert one.hears() == [("Info", 1)]


@pytest.mark.usefixtures("lenient")
async def test_what_cannot_be_computed_is_logged_once_and_null(monkeypatch, caplog, autojump_clock):
    hub = new_hub()
    listener = Listener(hub)
    listener.opens("Longest", 2)
    with monkeypatch.context() as patched:
        patched.setattr(engine_module, "read_quickly", lambda statistic, clocks: 1 / 0)
        assert listener.opens("Waiting")[-1] == ("Info", None)
        happens(hub, EventQueued, "c1")
        assert "StatisticInvalid" in listener.hears()
        happens(hub, EventQueued, "c2")
    named = [each.getMessage() for each in caplog.records if "computed" in each.getMessage()]
    assert sorted(each.split(",")[3] for each in named) == ['"Longest"', '"Waiting"']
    assert all(each.exc_info for each in caplog.records)
    happens(hub, EventQueued, "c3")
    assert ("Info", 3) in listener.hears()
    assert not hub.engine.failing


@pytest.mark.usefixtures("lenient")
async def test_an_event_that_cannot_be_applied_is_logged(monkeypatch, caplog, autojump_clock):
    hub = new_hub()
    listener = Listener(hub)
    listener.opens("Waiting")
    with monkeypatch.context() as patched:
        patched.setattr(World, "apply", lambda world, event, t: 1 / 0)
        happens(hub, EventQueued, "c1")
    happens(hub, EventQueued, "c2")
    assert ("Info", 1) in listener.hears(), "and the next one is applied"
    [record] = [each for each in caplog.records if "applied" in each.getMessage()]
    assert '"event":"EventQueued"' in record.getMessage()
    assert record.exc_info


async def test_time_alone_makes_values_due(autojump_clock, nursery):
    hub = new_hub()
    nursery.start_soon(hub.run)
    happens(hub, EventQueued, "c1")
    listener = Listener(hub)
    await trio.sleep(10.25)
    assert listener.opens("Longest", mode="TimeBased", frequency=5) == [
        "ServerMode", "StatisticOpened", ("Info", 10),
    ]  # fmt: skip
    await trio.sleep(4.9)
    assert listener.hears() == []
    await trio.sleep(0.11)
    assert listener.hears() == [("Info", 15)]
    await trio.sleep(5)
    assert listener.hears() == [("Info", 20)]
    await trio.sleep(50)  # nobody took them: only the newest waits
    assert listener.hears() == [("Info", 70)]


async def test_a_nearer_deadline_moves_the_alarm(autojump_clock, nursery):
    hub = new_hub()
    nursery.start_soon(hub.run)
    listener = Listener(hub)
    listener.opens("Waiting", 1, mode="TimeBased", frequency=60)
    await trio.sleep(1)
    listener.opens("Longest", 2, mode="TimeBased", frequency=2)
    await trio.sleep(2.01)
    assert listener.hears() == [("Info", 0)]
    assert hub.leave(listener.client) is False
    await trio.sleep(100)
    assert listener.hears() == []


async def test_nothing_to_do_is_no_work(autojump_clock, nursery):
    hub = new_hub()
    nursery.start_soon(hub.run)
    calls = 0
    news = hub.engine.news

    def counted(now):
        nonlocal calls
        calls += 1
        return news(now)

    hub.engine.news = counted
    await trio.sleep(10_000)
    assert calls == 0
    Listener(hub).opens("Longest", mode="TimeBased", frequency=10)
    await trio.sleep(10_000.5)
    assert calls == 1000


async def test_a_lost_source_makes_values_invalid(autojump_clock):
    hub = new_hub()
    listener = Listener(hub)
    listener.opens("Waiting")
    happens(hub, EventQueued, "c1")
    listener.hears()
    hub.source_lost("ts1")
    assert listener.hears() == ["StatisticInvalid"]
    hub.source_connected("ts1")
    assert listener.hears() == ["StatisticValid", ("Info", 1)]


async def test_target_states_are_told_each_client_by_differences(autojump_clock):
    options = {
        "Objects": "GroupAgents", "Category": "CurrentTargetState", "Subject": "AgentStatus",
        "MainMask": "*",
    }  # fmt: skip
    definitions = Definitions(stat_types={"Targets": parse_stat_type("Targets", options)})
    engine = Engine(definitions, Directory(agent_groups={"Sales": ("a1", "a2")}))
    engine.add_source("ts1", "sw1")
    hub = Hub(engine, Clock(T0))
    listeners = [Listener(hub), Listener(hub)]
    for listener in listeners:
        opened = listener.asks(
            request="OpenStatistic",
            referenceId=1,
            object={"objectId": "Sales", "objectType": "GroupAgents"},
            metric={"statisticType": "Targets"},
        )
        assert opened == ["ServerMode", "StatisticOpened", "CurrentTargetStateSnapshot"]
    hub.apply("ts1", [EventAgentLogin(this_dn="7001", agent_id="a1")], hub.clock.now_ms())
    for listener in listeners:
        assert listener.hears() == ["CurrentTargetStateTargetUpdated"]


async def test_a_client_that_overflows_is_dismissed_once(autojump_clock):
    hub = new_hub(outbox_limits=OutboxLimits(lasting_events=3))
    slow, good = Listener(hub), Listener(hub)
    for _ in range(5):
        hub.set_mode(ServerModeInfo("backup"))
        good.hears()
    assert slow.dismissed == ["it does not read what it is sent"]
    assert good.dismissed == []
    assert hub.overflowed == 1
    woken = slow.woken
    hub.set_mode(ServerModeInfo())
    assert slow.woken == woken
    assert good.hears() == ["ServerMode"]


async def test_what_went_to_clients_is_counted(autojump_clock):
    hub = new_hub()
    one, other = Listener(hub), Listener(hub)
    for listener in (one, other):
        listener.opens("Waiting")  # a mode, an answer, a value
    happens(hub, EventQueued, "c1")
    happens(hub, EventQueued, "c2")  # takes the place of the first
    one.hears()
    found = hub.traffic()
    assert (found.requests, found.told, found.sent, found.events_sent) == (2, 6, 3, 4)
    assert (found.waiting, found.superseded) == (1, 2)
    hub.leave(other.client)
    hub.leave(other.client)
    found = hub.traffic()
    assert (found.requests, found.told, found.sent, found.events_sent) == (2, 6, 3, 4)
    assert (found.waiting, found.superseded) == (0, 3)


async def test_leaving_gives_up_statistics_bit_by_bit(autojump_clock):
    hub = new_hub()
    leaving, staying = Listener(hub), Listener(hub)
    for reference in range(10):
        leaving.opens("Waiting", reference)
    staying.opens("Waiting")
    assert hub.leave(leaving.client, 4)
    assert hub.leave(leaving.client, 4)
    assert not hub.leave(leaving.client, 4)
    assert len(hub.clients) == 1
    happens(hub, EventQueued, "c1")
    assert leaving.hears() == []
    assert staying.hears() == [("Info", 1)]
    hub.leave(staying.client)
    assert not hub.engine.statistics


async def test_server_wide_changes_reach_everybody(autojump_clock):
    hub = new_hub(limits=Limits(statistics=1))
    listener = Listener(hub)
    hub.set_ready("it is joining its peer")
    late = Listener(hub)
    assert listener.opens("Waiting") == ["ServerMode", "Error"]
    assert late.opens("Waiting") == ["ServerMode", "Error"]
    hub.set_ready()
    assert late.opens("Waiting") == ["StatisticOpened", ("Info", 0)]
    assert late.opens("Waiting", 2) == ["Error"]
    hub.close_statistics(list(hub.engine.statistics.values()), "Waiting was deleted")
    assert late.hears() == ["StatisticClosed"]


async def test_without_a_running_hub_batches_still_arrive(autojump_clock):
    hub = new_hub()
    listener = Listener(hub)
    listener.opens("Longest", mode="TimeBased", frequency=1)
    await trio.sleep(5)
    assert listener.hears() == []
    hub.distribute()
    assert listener.hears() == [("Info", 0)]


@pytest.mark.parametrize("seconds", [0.3, 1 / 3, 1e-4, 0.999, 12345.678])
async def test_no_deadline_is_looked_at_twice(mock_clock, nursery, seconds):
    """A clock that stands still between two jumps would turn rounding into a busy loop."""
    mock_clock.jump(seconds)
    hub = new_hub()
    nursery.start_soon(hub.run)
    Listener(hub).opens("Longest", mode="TimeBased", frequency=1)
    looks = 0
    distribute = hub.distribute

    def counted():
        nonlocal looks
        looks += 1
        assert looks < 20
        distribute()

    hub.distribute = counted
    for _ in range(10):
        await trio.testing.wait_all_tasks_blocked()
        mock_clock.jump(1.001)
    await trio.testing.wait_all_tasks_blocked()
    assert looks == 10
