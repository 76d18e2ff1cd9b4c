"""The configuration file changes on disk, and the running server goes by it, or does not."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
import trio

from statserver_trio.config.load import load
from statserver_trio.config.mistakes import ConfigError
from statserver_trio.config.site import make_site
from statserver_trio.server.clock import Clock
from statserver_trio.server.hub import Hub, HubClient
from statserver_trio.server.reload import Reloader
from statserver_trio.stats.engine import Engine
from statserver_trio.tlib.events import (
    EventLinkConnected,
    EventLinkDisconnected,
    EventQueued,
    EventServerConnected,
)

T0 = 1_700_000_000
MAIN = """
include = ["common.toml"]
[server]
name = "here"
[[listen]]
port = 7100
[[tserver]]
name = "ts1"
switch = "sw1"
port = 7200
"""
COMMON = """
[filters]
Vip = 'PairExists("Class","Vip")'
[stat-types.Waiting]
Objects = "Queue"
Category = "CurrentNumber"
Subject = "DNAction"
MainMask = "CallWait"
[[dns]]
number = "8001"
switch = "sw1"
type = "Queue"
"""


class Here:
    """A server made of a file, and a client of it."""

    def __init__(self, folder: Path) -> None:
        self.main, self.common = folder / "main.toml", folder / "common.toml"
        self.main.write_text(MAIN)
        self.common.write_text(COMMON)
        config = load(self.main)
        site = make_site(config)
        engine = Engine(site.definitions, site.directory, site.world_options)
        engine.add_source("ts1", "sw1")
        self.hub = Hub(engine, Clock(T0))
        now = self.hub.clock.now_ms()
        self.hub.apply("ts1", [EventServerConnected(), EventLinkConnected()], now)
        self.hub.apply("ts1", [EventQueued(this_dn="8001", conn_id="c1")], now)
        self.reloader = Reloader(self.main, config, self.hub)
        self.client = self.hub.join(lambda: None, lambda reason: None)
        self.hears()

    def opens(self, name: str, **metric: str) -> list[dict[str, Any]]:
        request = {
            "request": "OpenStatistic",
            "referenceId": len(self.hub.engine.statistics),
            "object": {"objectId": "8001@sw1", "objectType": "Queue"},
            "metric": {"statisticType": name, **metric},
        }
        self.hub.receive(self.client, json.dumps(request))
        return self.hears()

    def hears(self, client: HubClient | None = None) -> list[dict[str, Any]]:
        frame = (client or self.client).outbox.take()
        events = json.loads(frame) if frame else []
        return events if isinstance(events, list) else [events]


@pytest.fixture
async def here(tmp_path: Path) -> Here:
    return Here(tmp_path)


async def test_what_is_added_to_an_included_file_is_there_at_once(here: Here) -> None:
    assert here.opens("Waited")[0]["code"] == "unknown-stat-type"
    more = COMMON[COMMON.index("[stat") : COMMON.index("[[dns")]
    here.common.write_text(COMMON + more.replace("Waiting", "Waited"))
    changes = await here.reloader.reload()
    assert changes.sections["stat-types"].added == ["Waited"]
    assert here.opens("Waited")[1]["value"] == 1
    assert here.reloader.reloads == 1


async def test_what_the_environment_gives_is_still_given(here: Here) -> None:
    gold = 'PairExists("Class","Gold")'
    here.reloader.config = load(here.main, {"STATSERVER__FILTERS__Vip": gold})
    for _ in range(2):
        await here.reloader.reload()
        assert here.reloader.config.filters["Vip"] == gold


async def test_clients_hear_why_a_statistic_is_closed(here: Here) -> None:
    here.opens("Waiting")
    here.opens("Waiting", filter="Vip")
    here.common.write_text(COMMON.replace("Vip =", "VIP ="))
    changes = await here.reloader.reload()
    (told,) = here.hears()
    assert (told["event"], told["reason"]) == ("StatisticClosed", "filter 'Vip' was deleted")
    assert changes.closed == {"filter 'Vip' was deleted": 1}
    assert here.client.session.statistics == 1


async def test_a_bad_file_changes_nothing_and_every_mistake_is_named(
    here: Here, caplog: Any
) -> None:
    here.opens("Waiting")
    before = here.hub.engine.definitions, here.hub.engine.directory
    bad = COMMON.replace('"Queue"\n', '"Quue"\n').replace("CurrentNumber", "CurentNumber")
    here.common.write_text(bad)
    here.main.write_text(MAIN.replace("7100", "71000"))
    with pytest.raises(ConfigError) as caught:
        await here.reloader.reload()
    said = [str(each) for each in caught.value.mistakes]
    for part in ("Quue", "CurentNumber", "71000", "[dns #1] type"):
        assert any(part in line for line in said), part
    assert [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR] == [
        f"reload refused: {line}" for line in said
    ]
    assert (here.hub.engine.definitions, here.hub.engine.directory) == before
    assert here.hears() == []
    assert (here.reloader.reloads, here.reloader.refused) == (0, 1)
    here.common.unlink()
    with pytest.raises(ConfigError, match="cannot read"):
        await here.reloader.reload()


async def test_twice_the_same_changes_nothing(here: Here, caplog: Any) -> None:
    caplog.set_level(logging.INFO)
    here.opens("Waiting")
    for _ in range(2):
        assert (await here.reloader.reload()).is_empty
    assert here.hears() == []
    assert "nothing has changed" in caplog.text


async def test_what_needs_a_restart_is_said(here: Here, caplog: Any) -> None:
    changed = MAIN.replace("7100", "7101").replace("7200", "7201").replace('"here"', '"there"')
    here.main.write_text(changed + "[objects]\nqueue-use-pseudo-actions = false\n")
    expected = [
        "[server] name takes effect after a restart",
        "[[listen]] takes effect after a restart",
        "[[tserver]] takes effect after a restart",
        "[objects] queue-use-pseudo-actions takes effect after a restart",
    ]
    for _ in range(2):  # it is still waiting for one
        changes = await here.reloader.reload()
        assert changes.after_restart == expected
    assert changes.is_empty
    world = here.hub.engine.sources["ts1"].world(here.hub.clock.now_ms())
    assert world.options.queue_use_pseudo_actions
    assert expected[1] in caplog.text
    here.main.write_text(MAIN)
    assert (await here.reloader.reload()).after_restart == []


async def test_another_time_zone_is_another_midnight(here: Here) -> None:
    here.common.write_text(COMMON.replace("CurrentNumber", "TotalNumber"))
    await here.reloader.reload()
    here.opens("Waiting")
    here.main.write_text(MAIN.replace('"here"', '"here"\ntime-zone = "+01:00"'))
    changes = await here.reloader.reload()
    assert changes.closed == {"time profile 'Default' was changed": 1}
    assert changes.after_restart == []


async def test_two_reloads_at_once_come_one_after_the_other(here: Here) -> None:
    here.common.write_text(COMMON.replace("Vip =", "VIP ="))
    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(here.reloader.reload)
    assert here.reloader.reloads == 3
    assert list(here.hub.engine.definitions.filters) == ["VIP"]


async def test_options_of_the_objects_apply_at_once(here: Here) -> None:
    here.main.write_text(MAIN + "[objects]\nstuck-call-timeout = 60\n")
    changes = await here.reloader.reload()
    assert changes.after_restart == []
    world = here.hub.engine.sources["ts1"].world(here.hub.clock.now_ms())
    assert world.options.stuck_call_timeout_ms == 60_000


async def test_whether_validity_is_told_applies_at_once(here: Here) -> None:
    here.opens("Waiting")
    here.main.write_text(
        MAIN.replace("[server]\n", "[server]\ngenerate-stat-validity-events = false\n")
    )
    changes = await here.reloader.reload()
    assert not changes.after_restart
    here.hub.apply("ts1", [EventLinkDisconnected()], here.hub.clock.now_ms())
    assert [event["event"] for event in here.hears()] == ["Info"]
