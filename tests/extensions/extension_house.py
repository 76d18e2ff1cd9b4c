"""A server's engine, hub and host of extensions, made from a file; and a client of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import trio
import trio.testing

from statserver_trio.config.load import load
from statserver_trio.config.site import make_site
from statserver_trio.server.clock import Clock
from statserver_trio.server.extensions.host import Host
from statserver_trio.server.hub import Hub
from statserver_trio.server.reload import Reloader
from statserver_trio.stats.engine import Engine
from statserver_trio.stats.reconfigure import Changes

EPOCH = 1_767_268_800.0  # 2026-01-01T12:00:00Z
SOON = 1.0  # seconds in which everything is done that nobody has to wait for

# An extension that does what it is told, and remembers what it was told.
OBEDIENT = """
import trio
from statserver_trio.extensions import Extension, Refused, StatDef

class Obedient(Extension):
    def __init__(self, params):
        self.params, self.calls, self.sinks, self.begin = params, [], {}, trio.Event
        self.requests = []

    def breaks(self, where):
        if self.params.get("breaks") == where:
            raise ValueError(f"{where} is broken")

    def stat_types(self):
        self.breaks("stat_types")
        return [
            StatDef("Now", ["Queue", "Agent"], description="What is now"),
            StatDef("Since", ["Queue"], "historical"),
            StatDef("Share", ["Queue"], result="float"),
            StatDef("Text", ["Queue"], result="str"),
            StatDef("Tree", ["Queue"], result="object"),
        ]

    async def open(self, request, sink):
        self.calls.append(f"open {request.object_id}")
        if request.object_id == "nobody":
            raise Refused("nobody is called that")
        if request.object_id == "slow":
            await trio.sleep(9)
        if request.object_id == "forever":
            await trio.sleep_forever()
        self.breaks("open")
        self.requests.append(request)
        self.sinks[request.object_id] = sink
        if request.object_id == "early":
            sink.set(7)
        return request.object_id

    async def reset(self, handle):
        self.calls.append(f"reset {handle}")
        self.breaks("reset")

    async def close(self, handle):
        self.calls.append(f"close {handle}")
        self.breaks("close")

    async def run(self, task_status):
        self.breaks("run")
        if self.params.get("breaks") == "never started":
            await trio.sleep_forever()
        task_status.started()
        await trio.sleep(self.params.get("lives", 1e9))
        self.breaks("later")

def extension(params):
    if params.get("breaks") == "extension":
        raise ValueError("extension is broken")
    return Obedient(params)
"""
MAIN = """
[time-profiles]
"Hour,Growing" = "0:00 +1:00"
"Window,Sliding" = "600:60"
[filters]
Vip = 'PairExists("Class","Vip")'
[stat-types.Entered]
Objects = "Queue"
Category = "TotalNumber"
Subject = "DNAction"
MainMask = "CallEntered"
[stat-types.Named]
Objects = "Queue"
Category = "JavaCategory"
JavaSubCategory = "a.py:Now"
[python-config]
python-extensions-dir = "EXT"
[python-extensions]
"""


class House:
    """See above; nothing is loaded before :meth:`up`."""

    def __init__(self, nursery: trio.Nursery, folder: Path) -> None:
        self.nursery, self.folder = nursery, folder / "ext"
        self.folder.mkdir()
        self.file = folder / "main.toml"
        self.offered: list[str] = []

    def write(self, name: str = "a.py", text: str = OBEDIENT) -> None:
        (self.folder / name).parent.mkdir(exist_ok=True)
        (self.folder / name).write_text(text)

    def say(self, *lines: str) -> None:
        """What stands in ``[python-extensions]``."""
        head = MAIN.replace("EXT", str(self.folder))
        self.file.write_text(head + "\n".join(lines) + "\n")

    async def up(self, *lines: str) -> House:
        self.say(*lines)
        config = load(self.file)
        site = make_site(config)
        engine = Engine(site.definitions, site.directory, site.world_options)
        engine.add_source("ts1", "sw1")
        self.hub = Hub(engine, Clock(EPOCH))
        self.host = Host(self.hub, config)
        self.host.changed = self.offered.append
        self.reloader = Reloader(self.file, config, self.hub)
        self.reloader.extensions = self.host
        self.nursery.start_soon(self.hub.run)
        await self.nursery.start(self.host.run)
        await trio.testing.wait_all_tasks_blocked()
        self.client = self.hub.join(lambda: None, lambda reason: None)
        self.hears()
        return self

    async def reload(self, *lines: str) -> Changes:
        self.say(*lines)
        changes = await self.reloader.reload()
        assert changes is not None
        await trio.sleep(SOON)
        return changes

    def extension(self, path: str = "a.py") -> Any:
        """The extension as it runs at the moment."""
        return self.host.hosted[path]._instance

    def status(self, path: str = "a.py") -> Any:
        (found,) = [each for each in self.host.status() if each["path"] == path]
        return found

    # -- the client --------------------------------------------------------------------

    def asks(self, request: str, **fields: Any) -> list[Any]:
        self.reference = getattr(self, "reference", 0) + 1
        said = {"request": request, "referenceId": self.reference, **fields}
        self.hub.receive(self.client, json.dumps(said))
        return self.hears()

    def opens(
        self,
        stat: str,
        id: str = "q1",
        kind: str = "Queue",
        mode: str = "ChangesBased",
        **more: Any,
    ) -> list[Any]:
        notification = {"mode": mode, **{k: more.pop(k) for k in list(more) if k in ("frequency",)}}
        return self.asks(
            "OpenStatistic",
            object={"objectId": id, "objectType": kind},
            metric={"statisticType": stat, **more},
            notification=notification,
        )

    def hears(self) -> list[Any]:
        """Every event since the last time."""
        heard: list[Any] = []
        while frame := self.client.outbox.take():
            events = json.loads(frame)
            heard += events if isinstance(events, list) else [events]
        return heard

    def told(self) -> list[Any]:
        """The same, of each what matters: its value, or what happened to it."""
        return [e["value"] if e["event"] == "Info" else e["event"] for e in self.hears()]
