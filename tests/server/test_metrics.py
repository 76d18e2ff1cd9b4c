"""``GET /metrics``: what Prometheus reads, of the server and of statistics that a site chose."""

from __future__ import annotations

import logging
import math
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio
import trio.testing
from prometheus_client.parser import text_string_to_metric_families

from statserver_trio.config.load import load
from statserver_trio.config.schema import Config
from statserver_trio.config.site import make_site
from statserver_trio.server.client_task import ClientServer
from statserver_trio.server.clock import Clock
from statserver_trio.server.http import HttpServer, Request
from statserver_trio.server.hub import Hub
from statserver_trio.server.management import Management
from statserver_trio.server.metrics.exported import REFRESH_SECONDS
from statserver_trio.server.metrics.exposition import CONTENT_TYPE
from statserver_trio.server.metrics.loop_lag import BOUNDS, PERIOD, LoopLag
from statserver_trio.server.metrics.names import METRICS, STATISTIC_LABELS
from statserver_trio.server.metrics.page import KEPT_SECONDS, MetricsPage
from statserver_trio.server.reload import Reloader
from statserver_trio.stats.engine import Engine
from statserver_trio.tlib.events import EventQueued, EventServerConnected, EventServerDisconnected

T0 = 1_700_000_000
WAITING = "Queue:*:Waiting"
CONFIGURATION = """
[server]
name = "here"
[[tserver]]
name = "ts1"
switch = "sw1"
port = 7200
[[dns]]
number = "8001"
switch = "sw1"
type = "Queue"
[[dns]]
number = "8002"
switch = "sw1"
type = "VirtualQueue"
[objects]
stuck-call-timeout = 0  # a file is read in a thread, and virtual time passes by hours meanwhile
[time-profiles]
"Hour,Growing" = "0:00 +1:00"
[filters]
Vip = 'PairExists("Class","Vip")'
[stat-types.Waiting]
Objects = "Queue, GroupQueues"
Category = "CurrentNumber"
MainMask = "CallWait"
Subject = "DNAction"
[stat-types.Entered]
Objects = "Queue"
Category = "TotalNumber"
MainMask = "CallEntered"
Subject = "DNAction"
[stat-types.By_Class]
Objects = "Queue"
Category = "TotalNumber"
MainMask = "CallEntered"
Subject = "DNAction"
GroupBy = 'kvstr(udata, "Class")'
[stat-types.State]
Objects = "Agent"
Category = "CurrentState"
MainMask = "*"
Subject = "DNAction"
[stat-types.In_Words]
Objects = "Queue"
Category = "Formula"
Subject = "DNAction"
Expression = "'words'"
"""
Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


class Site:
    """A server without ports, and its page."""

    def __init__(self, path: Path, *statistics: str, **options: Any) -> None:
        self.path = path
        self.write(statistics, **options)
        config = load(path)
        site = make_site(config)
        engine = Engine(site.definitions, site.directory, site.world_options, site.resolution)
        engine.add_source("ts1", "sw1")
        self.hub = Hub(engine, Clock(T0))
        self.reloader = Reloader(path, config, self.hub)
        management = Management(
            self.hub, {}, {}, lambda: self.reloader.config, self.reloader.reload
        )
        self.clients = ClientServer(self.hub)
        self.page = MetricsPage(management.status, self.hub, self.clients, self.reloader)
        self.reloader.after = self.page.exported.look_again
        self.says(EventServerConnected(switch="sw1"))

    def write(self, statistics: tuple[str, ...], more: str = "", **options: Any) -> None:
        """The configuration file."""
        named = "".join(f"{name} = {value}\n" for name, value in options.items())
        self.path.write_text(
            f"{CONFIGURATION}{more}[metrics]\nstatistics = {list(statistics)!r}\n{named}"
        )

    def says(self, *events: Any) -> None:
        self.hub.apply("ts1", events, self.hub.clock.now_ms())

    def queues(self, queue: str, conn_id: str) -> None:
        now = self.hub.clock.now()
        self.says(EventQueued(time=now, this_dn=queue, conn_id=conn_id, call_type="Inbound"))

    async def text(self) -> str:
        response = await self.page.page(Request("GET", "/metrics"))
        assert response.content_type == CONTENT_TYPE
        return response.body.decode()

    async def series(self) -> Series:
        """All of them, as they are now."""
        await trio.sleep(KEPT_SECONDS)
        return read(await self.text())

    async def statistics(self, name: str = "statserver_statistic") -> dict[str, float]:
        """By statistic, object, and whatever else tells them apart."""
        return {
            " ".join(dict(labels)[each] for each in STATISTIC_LABELS if each in dict(labels)): value
            for (found, labels), value in (await self.series()).items()
            if found == name
        }


def read(text: str) -> Series:
    families = list(text_string_to_metric_families(text))
    samples = [sample for family in families for sample in family.samples]
    found = {(each.name, frozenset(each.labels.items())): each.value for each in samples}
    assert len(found) == len(samples), "a series is there twice"
    return found


@pytest.fixture
def build(nursery: trio.Nursery, tmp_path: Path) -> Any:
    async def make(*statistics: str, **options: Any) -> Site:
        site = Site(tmp_path / "here.toml", *statistics, **options)
        nursery.start_soon(site.page.exported.run)
        await trio.testing.wait_all_tasks_blocked()
        return site

    return make


# -- chosen statistics ----------------------------------------------------------------------------


async def test_a_queue_where_nothing_happens_has_a_series(build: Any, autojump_clock: Any) -> None:
    site = await build(WAITING)
    assert await site.statistics() == {
        "Waiting Queue 8001@sw1": 0,
        "Waiting Queue 8002@sw1": 0,
    }
    site.queues("8001", "c1")
    assert (await site.statistics())["Waiting Queue 8001@sw1"] == 1
    assert set((await site.statistics("statserver_statistic_complete")).values()) == {1}


async def test_what_tells_statistics_apart_is_a_label(build: Any, autojump_clock: Any) -> None:
    site = await build(
        "Queue:8001@sw1:Entered",
        "Queue:8001@sw1:Entered,profile=Hour",
        "Queue:8001@sw1:Entered,profile=Hour,filter=Vip",
        "Queue:8001@sw1:Entered,profile=Default",  # the first one once more
    )
    site.queues("8001", "c1")
    assert await site.statistics() == {
        "Entered Queue 8001@sw1 Default": 1,
        "Entered Queue 8001@sw1 Hour": 1,
        "Entered Queue 8001@sw1 Hour Vip": 0,
    }


async def test_a_value_of_which_events_are_missing_says_so(build: Any, autojump_clock: Any) -> None:
    site = await build("Queue:8001@sw1:Entered")
    site.says(EventServerDisconnected(), EventServerConnected(switch="sw1"))
    found = await site.statistics("statserver_statistic_complete")
    assert found == {"Entered Queue 8001@sw1 Default": 0}


async def test_a_value_that_cannot_be_relied_upon_says_so(build: Any, autojump_clock: Any) -> None:
    site = await build("Queue:8001@sw1:Entered")
    site.queues("8001", "c1")
    for is_heard in (True, False, True):
        site.hub.engine.set_connected("ts1", is_heard)
        assert await site.statistics() == {"Entered Queue 8001@sw1 Default": 1}
        found = await site.statistics("statserver_statistic_valid")
        assert found == {"Entered Queue 8001@sw1 Default": is_heard}


async def test_whoever_comes_into_being_is_exported(build: Any, autojump_clock: Any) -> None:
    site = await build(WAITING)
    site.queues("8003", "c1")  # that nobody has listed
    assert len(await site.statistics()) == 2
    await trio.sleep(REFRESH_SECONDS)
    assert (await site.statistics())["Waiting Queue 8003@sw1"] == 1


async def test_they_follow_a_reload(build: Any, autojump_clock: Any) -> None:
    site = await build(WAITING, "Queue:8001@sw1:Entered")
    site.write((WAITING, "GroupQueues:All:Waiting"), more="[queue-groups]\nAll = ['8001@sw1']\n")
    await site.reloader.reload()
    await trio.testing.wait_all_tasks_blocked()
    site.queues("8001", "c1")
    assert await site.statistics() == {
        "Waiting Queue 8001@sw1": 1,
        "Waiting Queue 8002@sw1": 0,
        "Waiting GroupQueues All": 1,
    }
    assert len(site.hub.engine.statistics) == 3  # nobody else wants those that are gone
    site.write((WAITING,))
    site.path.write_text(site.path.read_text().replace('"CallWait"', '"CallWait, CallEntered"'))
    await site.reloader.reload()  # the same name, and another meaning: opened anew
    await trio.testing.wait_all_tasks_blocked()
    site.queues("8001", "c2")
    assert (await site.statistics())["Waiting Queue 8001@sw1"] == 2


async def test_a_client_and_an_export_share_a_statistic(build: Any, autojump_clock: Any) -> None:
    site = await build("Queue:8001@sw1:Waiting")
    client = site.hub.join(lambda: None, lambda reason: None)
    opens = (
        b'{"request":"OpenStatistic","referenceId":1,"object":{"objectId":"8001@sw1",'
        b'"objectType":"Queue"},"metric":{"statisticType":"Waiting"}}'
    )
    site.hub.receive(client, opens)
    assert len(site.hub.engine.statistics) == 1
    site.hub.leave(client)
    assert await site.statistics() == {"Waiting Queue 8001@sw1": 0}
    site.write(())
    await site.reloader.reload()
    await trio.testing.wait_all_tasks_blocked()
    assert not site.hub.engine.statistics
    assert not await site.statistics()


async def test_there_are_not_more_than_allowed(
    build: Any, autojump_clock: Any, caplog: Any
) -> None:
    site = await build(WAITING, "Queue:*:Entered", **{"series-max": 3})
    assert len(await site.statistics()) == 3
    series = await site.series()
    assert series["statserver_exported_statistics", frozenset()] == 3
    assert series["statserver_exported_statistics_omitted", frozenset()] == 1
    await trio.sleep(3 * REFRESH_SECONDS)
    assert caplog.messages == ["[metrics] series-max: 1 statistics are not exported"]


async def test_what_is_no_number_is_there_and_is_none(build: Any, autojump_clock: Any) -> None:
    site = await build("Queue:8001@sw1:In_Words")
    assert [math.isnan(value) for value in (await site.statistics()).values()] == [True]


async def test_what_cannot_be_opened_yet_is_tried_again(
    build: Any, autojump_clock: Any, caplog: Any
) -> None:
    """As with the stat type of an extension that is not loaded yet."""
    caplog.set_level(logging.WARNING)
    site = await build()
    options = attrs.evolve(site.reloader.config.metrics, statistics=("Queue:8001@sw1:Later",))
    site.reloader.config = attrs.evolve(site.reloader.config, metrics=options)
    site.page.exported.look_again()
    await trio.sleep(2 * REFRESH_SECONDS)
    assert (await site.series())["statserver_exported_statistics_refused", frozenset()] == 1
    assert caplog.messages == [
        "[metrics] Queue:8001@sw1:Later is not exported: "
        "metric.statisticType: 'Later' is not configured"
    ]
    definitions = site.hub.engine.definitions
    later = attrs.evolve(definitions.stat_types["Waiting"], name="Later")
    definitions.stat_types["Later"] = later  # type: ignore[index]
    await trio.sleep(REFRESH_SECONDS)
    assert await site.statistics() == {"Later Queue 8001@sw1": 0}


async def test_whatever_an_object_is_called(build: Any, autojump_clock: Any) -> None:
    site = await build()
    site.write((WAITING,), more="[queue-groups]\n'a \"b\" \\ c' = ['8001@sw1']\n")
    site.write(("GroupQueues:*:Waiting",), more="[queue-groups]\n'a \"b\" \\ c' = ['8001@sw1']\n")
    await site.reloader.reload()
    await trio.testing.wait_all_tasks_blocked()
    assert await site.statistics() == {'Waiting GroupQueues a "b" \\ c': 0}


# -- the server itself ----------------------------------------------------------------------------


async def test_the_numbers_of_the_server(build: Any, autojump_clock: Any) -> None:
    site = await build("Queue:8001@sw1:Waiting")
    site.page.http = HttpServer(None)  # type: ignore[arg-type]
    client = site.hub.join(lambda: None, lambda reason: None)
    client.outbox.take()
    site.queues("8001", "c1")
    await trio.sleep(10)
    series = await site.series()
    expected = {
        "statserver_clients": 1,
        "statserver_clients_max": 1000,
        "statserver_open_statistics": 1,
        "statserver_client_events_sent_total": 1,
        "statserver_http_connections": 0,
        "statserver_ready": 1,
    }
    assert {name: series[name, frozenset()] for name in expected} == expected
    labels = frozenset({("source", "ts1")})
    assert series["statserver_feed_events_total", labels] == 2
    assert series["statserver_feed_last_event_age_seconds", labels] == pytest.approx(11, abs=0.1)
    assert series["statserver_role", frozenset({("role", "primary")})] == 1
    assert series["statserver_role", frozenset({("role", "backup")})] == 0
    assert series["statserver_process_resident_memory_bytes", frozenset()] > 1_000_000
    assert not [name for name, _ in series if "replication" in name]  # it stands alone


async def test_only_what_the_table_lists_is_told(build: Any, autojump_clock: Any) -> None:
    site = await build(WAITING)
    await trio.sleep(KEPT_SECONDS)
    for family in text_string_to_metric_families(await site.text()):
        names = {family.name, f"{family.name}_total"} & set(METRICS)
        assert len(names) == 1, family.name
        metric = METRICS[names.pop()]
        assert (metric.kind, metric.help) == (family.type, family.documentation)
        for sample in family.samples:
            assert set(sample.labels) <= {
                *metric.labels,
                *(["le"] if "_bucket" in sample.name else []),
            }


def test_every_metric_is_named_and_explained() -> None:
    for name, metric in METRICS.items():
        assert name.startswith("statserver_")
        assert metric.help.endswith("."), name
        assert (metric.kind == "counter") == name.endswith("_total"), name


async def test_who_scrapes_at_once_gets_the_same(
    build: Any, autojump_clock: Any, nursery: trio.Nursery
) -> None:
    site = await build(WAITING)
    texts: list[str] = []

    async def scrape() -> None:
        texts.append(await site.text())

    async with trio.open_nursery() as scrapers:
        for _ in range(5):
            scrapers.start_soon(scrape)
    assert len(set(texts)) == 1
    site.queues("8001", "c1")
    assert await site.text() == texts[0]
    await trio.sleep(KEPT_SECONDS)
    assert await site.text() != texts[0]


# -- the event loop -------------------------------------------------------------------------------


def test_a_histogram_of_latenesses() -> None:
    lag = LoopLag()
    for late in (-0.1, 0.0, 0.001, 0.03, 0.05, 100.0):
        lag.note(late)
    found = dict(lag.buckets())
    assert (found[0.001], found[0.025], found[0.05], found[BOUNDS[-1]]) == (3, 3, 5, 6)
    assert lag.total == pytest.approx(100.081)


async def test_it_is_measured_from_the_first_scrape_on(
    nursery: trio.Nursery, mock_clock: trio.testing.MockClock
) -> None:
    lag = LoopLag()
    nursery.start_soon(lag.run)
    for _ in range(3):
        await trio.testing.wait_all_tasks_blocked()
        mock_clock.jump(PERIOD)
    await trio.testing.wait_all_tasks_blocked()
    assert lag.buckets()[-1][1] == 0
    lag.want()
    await trio.testing.wait_all_tasks_blocked()
    mock_clock.jump(PERIOD)
    await trio.testing.wait_all_tasks_blocked()
    mock_clock.jump(PERIOD + 0.3)
    await trio.testing.wait_all_tasks_blocked()
    assert [count for _, count in lag.buckets()] == [1 if b < 0.3 else 2 for b in BOUNDS]
    assert lag.total == pytest.approx(0.3)


def test_the_configurations_that_come_along_export_something() -> None:
    for name in ("standalone", "primary", "backup"):
        config: Config = load(Path(__file__).parents[2] / "conf" / f"{name}.toml")
        assert config.metrics.statistics
