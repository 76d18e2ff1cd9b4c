"""A live run and the replay of its recording come to the same values.

A simulated T-Server, a feed task, the tap and the hub, all real, over a stream in
memory and on virtual time; what was recorded is then read back from the file and
run through a fresh engine.
"""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import trio
import trio.testing

from statserver_trio.commands.replay import Replay, tlib_json
from statserver_trio.config.load import load
from statserver_trio.config.site import Site, make_site
from statserver_trio.server.clock import Clock
from statserver_trio.server.feed_task import FeedOptions, FeedTask
from statserver_trio.server.hub import Hub
from statserver_trio.server.recorder import Recorder
from statserver_trio.server.tap import Tap
from statserver_trio.server.tserver import TServer
from statserver_trio.simulator.contact_centre import ContactCentre
from statserver_trio.stats.engine import Engine
from statserver_trio.stats.requests import StatisticRequest

CONF = Path(__file__).parent.parent.parent / "conf" / "standalone.toml"
START = 1_767_258_000.0  # 2026-01-01T09:00:00Z
SECONDS = 1800.0

REQUESTS = [
    StatisticRequest(object_type, object_id, stat_type, profile)
    for profile in (None, "QuarterHour", "LastHour")
    for object_type, ids, stat_types in (
        (
            "Queue",
            ("8001@sw1", "8002@sw1", "8003@sw1"),
            ("Total_Calls_Entered", "Total_Calls_Answered", "Average_Answer_Time", "Longest_Wait"),
        ),
        (
            "Agent",
            tuple(f"a{n}" for n in range(1, 21)),
            ("Total_Talk_Time", "Total_Not_Ready_Time", "Total_Calls_Handled", "Occupancy"),
        ),
        ("GroupAgents", ("Sales", "Support"), ("Average_Handle_Time", "Total_Login_Time")),
    )
    for object_id in ids
    for stat_type in stat_types
]


def an_engine(site: Site) -> Engine:
    return Engine(site.definitions, site.directory, site.world_options, site.resolution)


async def live(site: Site, path: Path, start: float) -> tuple[dict[StatisticRequest, Any], int]:
    """Run for half an hour of virtual time; values and the moment they hold for."""
    clock = Clock(start)
    hub = Hub(an_engine(site), clock)
    hub.engine.add_source("ts1", "sw1")
    recorder = Recorder(path)
    tserver = TServer(ContactCentre(Random(5), clock.now(), speed=10), clock)

    async with trio.open_nursery() as nursery:

        async def dial() -> trio.abc.Stream:
            ours, theirs = trio.testing.memory_stream_pair()
            nursery.start_soon(tserver.handle, theirs)
            return ours

        feed = FeedTask(
            FeedOptions(name="ts1", switch="sw1"), Tap(hub, {"ts1": recorder}), clock, dial
        )
        open_now = {r: hub.engine.open(r, clock.now_ms()) for r in REQUESTS}
        nursery.start_soon(recorder.run)
        nursery.start_soon(hub.run)
        nursery.start_soon(tserver.pace)
        nursery.start_soon(feed.run)
        await trio.sleep(SECONDS)
        now = clock.now_ms()
        values = {r: hub.engine.value(s, now).value for r, s in open_now.items()}
        nursery.cancel_scope.cancel()
    assert recorder.dropped == 0
    return values, hub.engine.sources["ts1"].clock(now)


async def test_the_recording_gives_the_same_values(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    site = make_site(load(CONF))
    path = tmp_path / "live.jsonl"
    values, at = await live(site, path, START)
    assert sum(bool(v) for v in values.values()) > len(values) / 2, "hardly anything happened"

    engine = an_engine(site)
    engine.add_source("replay", "sw1")
    replay = Replay(engine, REQUESTS, at)
    replay.run(tlib_json([path.read_bytes()], "sw1"))
    assert not replay.bad
    replayed = {
        request: engine.value(statistic, at).value for request, statistic in replay.statistics
    }
    assert replayed == values
