"""A whole site in virtual time: T-Servers, both members of a pair, and the oracle.

    Switch --feed--> primary <--ha--> backup <--feed-- Switch
       \\--feed--> oracle

Each member is a whole server, :func:`~statserver_trio.server.serve.serve` and all of it,
on a host of its own in one network (pair_network.py), where everything may fail. The
oracle is a third server that stands alone, hears every event and never fails: after any
story, and once it is quiet, both members hold what it holds (:meth:`Site.agree`).
"""

from __future__ import annotations

import contextvars
import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from math import inf
from pathlib import Path
from random import Random
from typing import Any, TypeVar

import pytest
import trio
import trio.testing
from pair_network import End, Network, Port

from statserver_trio.api.open_spec import parse_open
from statserver_trio.client.connection import connect_over, parse_url
from statserver_trio.config.load import load
from statserver_trio.config.schema import Config, Listen, TServer
from statserver_trio.ha.messages import Chunk, Message
from statserver_trio.server import reload as reload_module
from statserver_trio.server.assembly import Parts
from statserver_trio.server.clock import Clock
from statserver_trio.server.feed_task import FeedOptions
from statserver_trio.server.ha import dialling
from statserver_trio.server.ha.link import Link
from statserver_trio.server.ha.pair_store import key_text
from statserver_trio.server.serve import serve
from statserver_trio.server.tserver import TServer as FeedServer
from statserver_trio.simulator.contact_centre import ContactCentre
from statserver_trio.simulator.feed_server import Published
from statserver_trio.simulator.snapshots import Snapshots
from statserver_trio.stats.transfer import adopt_statistic, export_statistic
from statserver_trio.tlib.events import TEvent

M = TypeVar("M", bound=Message)

EPOCH = 1_767_268_800.0  # when virtual time is 0: 2026-01-01T12:00:00Z
PRIMARY, BACKUP, ORACLE = "stat-primary", "stat-backup", "stat-oracle"
CLIENTS, HA, MANAGEMENT, FEED = 7100, 7101, 7102, 7200
SOON = 3.0  # seconds in which everything that needs no timeout is done
CONTACT_CENTRE = f'include = ["{Path(__file__).parents[2] / "conf" / "contact-center.toml"}"]'

COMMON = """
[filters]
Vip = 'PairExists("Class","Vip")'
[time-profiles]
"Default,Growing" = "0:00"
"Hour,Growing" = "0:00 +1:00"
"FiveMinutes,Growing" = "0:00 +0:05"
"LastHour,Sliding" = "3600:60"
[stat-types.Entered]
Objects = "Queue"
Category = "TotalNumber"
MainMask = "CallEntered"
Subject = "DNAction"
[stat-types.Waiting]
Objects = "Queue"
Category = "CurrentNumber"
MainMask = "CallWait"
Subject = "DNAction"
[stat-types.Wait_Time]
Objects = "Queue"
Category = "TotalTime"
MainMask = "CallWait"
Subject = "DNAction"
[stat-types.Longest_Wait]
Objects = "Queue"
Category = "MaxTime"
MainMask = "CallWait"
Subject = "DNAction"
[stat-types.Talk_Time]
Objects = "Agent"
Category = "TotalTime"
MainMask = "CallInbound"
Subject = "DNAction"
[stat-types.Login_Time]
Objects = "Agent"
Category = "TotalTime"
MainMask = "*,~LoggedOut,~NotMonitored"
Subject = "AgentStatus"
[stat-types.State]
Objects = "Agent"
Category = "CurrentState"
MainMask = "*"
Subject = "DNStatus"
"""
# Opened by most stories: what happened, what lasted, what goes on, what was longest.
FAVOURITES = (
    "Queue:8001@sw1:Entered",
    "Queue:8001@sw1:Wait_Time",
    "Queue:8001@sw1:Waiting",
    "Queue:8001@sw1:Longest_Wait",
    "Queue:8001@sw1:Entered,profile=LastHour,filter=Vip",
    "Agent:a1:Login_Time,profile=Hour",
    "Agent:a1:Talk_Time",
)

NO_FILE = "auto-backup-interval = 0\n"

_who: contextvars.ContextVar[str] = contextvars.ContextVar("who", default="")


class Journal(logging.Handler):
    """What the servers log, each line with the name of its server."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[tuple[float, str, str, str]] = []  # when, who, level, what

    def emit(self, record: logging.LogRecord) -> None:
        line = record.levelname, record.getMessage()
        self.lines.append((trio.current_time(), _who.get(), *line))


class Switch:
    """A T-Server, on a host of its own.

    What happens there happens when the story says so, at that time: either single
    events (:meth:`say`), or the next ones of a simulated contact centre (:meth:`live`).
    """

    def __init__(self, site: Site, name: str = "sw1", seed: int = 1) -> None:
        self.host, self.name = f"ts-{name}", name
        self._site = site
        self._centre = ContactCentre(Random(seed), EPOCH, agents=6, queues=2)
        self._snapshots = Snapshots(self._centre.dns)
        self._server = FeedServer(self._centre, site.clock, name)
        self.feed = self._server.feed
        self.feed.snapshot = self._snapshots.take
        self._port = site.network.listen(self.host, FEED)

    async def run(self) -> None:
        await trio.serve_listeners(self._server.handle, [self._port])

    def say(self, *events: TEvent) -> None:
        """These happen now."""
        for event in events:
            event.position = self.feed.position + 1
            event.time = self._site.clock.now()
            self._snapshots.apply(event)
            self.feed.publish([event])
        for client in list(self._server._clients):
            client.tell(Published())

    def live(self, events: int = 1) -> None:
        """So many events of a contact centre at work happen now."""
        self.say(*self._centre.take(events))

    async def day(self, events: int, between: float = 1.0) -> None:
        """The same, one by one."""
        for _ in range(events):
            self.live()
            await trio.sleep(between)

    def forget(self) -> None:
        """It cannot tell any more what a client has missed."""
        self.feed._recent.clear()

    def restart(self) -> None:
        """It is started anew, and numbers its events from 1 again."""
        self.forget()
        self.feed.position = 0
        for name in (PRIMARY, BACKUP, ORACLE):
            self._site.network.cut(name, self.host)


class Host:
    """A server's view of the network."""

    def __init__(self, network: Network, name: str) -> None:
        self.network, self.name = network, name

    async def listen(self, listen: Listen) -> list[Port]:
        return [self.network.listen(self.name, listen.port)]

    def tserver(self, tserver: TServer, options: FeedOptions) -> Callable[[], Any]:
        return lambda: self.network.connect(self.name, tserver.host, tserver.port)

    def peer(self, config: Config) -> Callable[[], Any]:
        host, port = config.ha.peer_host, config.ha.peer_port
        assert host is not None
        assert port is not None
        return lambda: self.network.connect(self.name, host, port)

    def address(self, listener: Port) -> tuple[str, int]:
        return listener.host, listener.number


class Stoppable:
    """A member's machines, whose timers do not run while the process is stopped."""

    def __init__(self, peer: Any) -> None:
        self.__dict__.update(peer=peer, stopped=False)

    def next_deadline(self) -> float:
        return inf if self.stopped else self.peer.next_deadline()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.peer, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self.peer, name, value)


class Server:
    """One process, and what its operator and its clients can do.

    Attributes:
        parts: Of the present process.
        skew: Seconds by which the clock of its host is ahead of everybody else's.
        heard: What its client was told, the events of the protocol.
    """

    parts: Parts
    is_running = False

    def __init__(self, site: Site, name: str, text: str) -> None:
        self.site, self.name = site, name
        self.path = site.folder / f"{name}.toml"
        self.text = text
        self.skew = 0.0
        self.heard: list[dict[str, Any]] = []
        self._ended = trio.Event()
        self._host = Host(site.network, name)
        self._life = trio.CancelScope()
        self._stop = trio.Event()
        self._context = contextvars.copy_context()
        self._context.run(_who.set, name)
        self._references = 0

    # -- the process -------------------------------------------------------------------

    @property
    def text(self) -> str:
        """Its configuration file."""
        return self.path.read_text()

    @text.setter
    def text(self, text: str) -> None:
        self.path.write_text(text)

    async def start(self) -> None:
        """A new process."""
        assert not self.is_running
        self.site.network.power_on(self.name)
        self._life, self._stop, self._ended = trio.CancelScope(), trio.Event(), trio.Event()
        self.is_running = True
        self.parts = await self.site.nursery.start(self._run)
        self._client: Any = None
        pair = self.parts.pair
        if pair is not None:
            pair.member.peer = Stoppable(pair.member.peer)

    async def _run(self, task_status: trio.TaskStatus[Parts]) -> None:
        _who.set(self.name)
        ahead = EPOCH + self.skew
        clock = Clock(trio.current_time() + ahead, lambda: trio.current_time() + EPOCH + self.skew)
        with self._life:
            config = load(self.path)
            await serve(config, self._stop, self.path, self._host, clock, task_status=task_status)
        self.is_running = False
        self._ended.set()

    async def stop(self) -> None:
        """SIGTERM; returns when the process has ended."""
        self._stop.set()
        await self._ended.wait()

    async def kill(self) -> None:
        """SIGKILL; the kernel tells whoever is connected."""
        self.site.network.kill(self.name)
        await self._die()

    async def lose_power(self) -> None:
        """The host is off: nobody is told."""
        self.site.network.power_off(self.name)
        await self._die()

    async def _die(self) -> None:
        self._life.cancel()
        await self._ended.wait()

    def freeze(self) -> None:
        """SIGSTOP: nothing runs, nothing is read, and the connections stay."""
        self.site.network.stop(self.name)
        self.peer.__dict__["stopped"] = True
        self.member._alarm.deadline = inf

    def thaw(self) -> None:
        """SIGCONT: timers come late, and what has arrived is read."""
        self.peer.__dict__["stopped"] = False
        self.member._alarm.deadline = self.peer.next_deadline()
        self.site.network.go_on(self.name)

    def do(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call something of this server's, so that what is logged is its log."""
        return self._context.copy().run(function, *args)

    def edit(self, old: str, new: str) -> None:
        """Change its configuration file."""
        assert old in self.text, f"{old!r} is not in {self.path.name}"
        self.text = self.text.replace(old, new)

    async def reload(self, old: str = "", new: str = "") -> Any:
        """Change the file, and send SIGHUP; what came of it."""
        if old:
            self.edit(old, new)
        token = _who.set(self.name)
        try:
            return await self.parts.reloader.reload()
        finally:
            _who.reset(token)

    async def orders(self, path: str) -> int:
        """An operator says ``POST``; the status of the answer."""
        stream = await self.site.network.connect("operator", self.name, MANAGEMENT)
        async with stream:
            head = f"POST {path} HTTP/1.1\r\nHost: here\r\nX-Requested-With: curl\r\n"
            await stream.send_all(f"{head}Connection: close\r\n\r\n".encode())
            answer = await stream.receive_some()
        return int(answer.split()[1])

    # -- what can be seen --------------------------------------------------------------

    @property
    def member(self) -> Any:
        assert self.parts.pair is not None
        return self.parts.pair.member

    @property
    def peer(self) -> Any:
        return self.member.peer

    @property
    def engine(self) -> Any:
        return self.parts.hub.engine

    @property
    def status(self) -> dict[str, Any]:
        """What ``GET /api/status`` answers."""
        status: dict[str, Any] = self.parts.management.status()
        return json.loads(json.dumps(status))  # it has to be JSON

    @property
    def phase(self) -> str:
        phase: str = self.status["session"]["phase"]
        return phase

    def __getitem__(self, path: str) -> Any:
        """One number of the status: ``server["replication.pending"]``."""
        found: Any = self.status
        for name in path.split("."):
            found = found[name]
        return found

    def log(self, text: str = "", level: str = "") -> list[str]:
        """The lines of its log that contain this."""
        return [
            what
            for _, who, how, what in self.site.journal.lines
            if who == self.name and text in what and level in ("", how)
        ]

    def errors(self) -> list[str]:
        """What it has logged as an error: alarms among it."""
        return self.log(level="ERROR")

    def logged_at(self, text: str) -> list[float]:
        """When."""
        lines = self.site.journal.lines
        return [when for when, who, _, what in lines if who == self.name and text in what]

    # -- its clients -------------------------------------------------------------------

    def ask(self, **request: Any) -> list[dict[str, Any]]:
        """What its own client is answered; it is there as long as the process."""
        hub = self.parts.hub
        if self._client is None:
            self._client = hub.join(lambda: None, lambda reason: None)
        self.take()
        self._references += 1
        message = {"referenceId": self._references, **request}
        self.do(hub.receive, self._client, json.dumps(message))
        return self.take()

    def take(self) -> list[dict[str, Any]]:
        """What its client has been told since the last time."""
        told: list[dict[str, Any]] = []
        while self._client is not None and (frame := self._client.outbox.take()):
            events = json.loads(frame)
            told += events if isinstance(events, list) else [events]
        self.heard += told
        return told

    def opens(self, *names: str, mode: str = "NoNotification") -> list[int]:
        """Its client opens statistics; their ids."""
        ids = []
        for name in names:
            asked = parse_open(name)
            answer = self.ask(
                request="OpenStatistic",
                object={"objectId": asked.object_id, "objectType": asked.object_type},
                metric={
                    "statisticType": asked.stat_type,
                    "timeProfile": asked.time_profile,
                    "timeRange": asked.time_range,
                    "filter": asked.filter,
                },
                notification={"mode": mode},
            )
            assert answer[0]["event"] == "StatisticOpened", answer
            ids.append(answer[0]["statisticId"])
        return ids

    def client_leaves(self) -> None:
        """Its client is gone, with everything that it had open."""
        if self._client is not None:
            self.do(self.parts.hub.leave, self._client)
            self._client = None

    @asynccontextmanager
    async def client(self) -> Any:
        """A client over a WebSocket."""
        stream = await self.site.network.connect("somebody", self.name, CLIENTS)
        async with connect_over(stream, parse_url(f"ws://{self.name}:{CLIENTS}/")) as stats:
            yield stats

    # -- what it holds -----------------------------------------------------------------

    def open_statistics(self) -> dict[str, Any]:
        """All of them, by key."""
        return {key_text(key): each for key, each in self.engine.statistics.items()}

    def values(self) -> dict[str, Any]:
        """The value of every open statistic, all at the same instant of each source."""
        at = {s.ledger: self.site.instant(name) for name, s in self.engine.sources.items()}
        found = self.open_statistics().items()
        return {key: self.engine.value_at(each, at).value for key, each in found}

    def value(self, name: str) -> Any:
        """The value of one."""
        asked = parse_open(name)
        wanted = (asked.object_type, asked.object_id, asked.stat_type, asked.filter or "")
        profile = asked.time_profile or "Default"
        for key, statistic in self.engine.statistics.items():
            its = "Default" if statistic.profile is None else statistic.profile.name
            if (key.object_type, key.object_id, key.stat_type, key.filter) == wanted and (
                its == profile
            ):
                at = {s.ledger: self.site.instant(n) for n, s in self.engine.sources.items()}
                return self.engine.value_at(statistic, at).value
        raise AssertionError(f"{name} is not open at {self.name}: {list(self.values())}")


class Site:
    """Everything; see above.

    Args:
        ha: More lines for ``[ha]``, of both members.
        server: More lines for ``[server]``, of both members.
        common: What is counted; of all three, each in its own file.
        include: A file that says it instead.
        switches: One T-Server each.
        protocol: Of the link.
        backup_minutes: From one backup file to the next; none unless a story is about them.
    """

    def __init__(
        self,
        nursery: trio.Nursery,
        folder: Path,
        ha: str = "",
        server: str = "",
        common: str = COMMON,
        include: str = "",
        switches: tuple[str, ...] = ("sw1",),
        protocol: str = "addp",
        backup_minutes: float = 0,
    ) -> None:
        self.nursery, self.folder = nursery, folder
        self.clock = Clock(EPOCH)
        self.journal = Journal()
        self.network = Network()
        self.switches = [Switch(self, name, seed) for seed, name in enumerate(switches)]
        feeds = "".join(
            f'[[tserver]]\nname = "{s.name}"\nswitch = "{s.name}"\nhost = "{s.host}"\n'
            f"port = {FEED}\n"
            for s in self.switches
        )
        ports = (("default", CLIENTS), ("management", MANAGEMENT))
        clients = "".join(f'[[listen]]\nid = "{id}"\nport = {port}\n' for id, port in ports)
        files = f'data-dir = "{folder}"\nauto-backup-interval = {backup_minutes}\n'
        head = f"{include}\n[server]\n{files}"
        feeds += common
        redundancy = 'redundancy-type = "hot-standby"\n'
        self.primary = Server(
            self,
            PRIMARY,
            f'{head}name = "{PRIMARY}"\nrole = "primary"\npeer = "{BACKUP}"\n{redundancy}{server}\n'
            f'{clients}[[listen]]\nid = "ha"\nport = {HA}\nprotocol = "{protocol}"\n'
            f"[ha]\n{ha}\n{feeds}",
        )
        self.backup = Server(
            self,
            BACKUP,
            f'{head}name = "{BACKUP}"\nrole = "backup"\npeer = "{PRIMARY}"\n{redundancy}{server}\n'
            f'{clients}[ha]\npeer-host = "{PRIMARY}"\npeer-port = {HA}\nprotocol = "{protocol}"\n'
            f"{ha}\n{feeds}",
        )
        self.oracle = Server(
            self, ORACLE, f'{include}\n[server]\n{NO_FILE}name = "{ORACLE}"\n{clients}{feeds}'
        )
        self.said: list[tuple[float, str, Message]] = []  # on the link: when, who, what

    @property
    def both(self) -> tuple[Server, Server]:
        return self.primary, self.backup

    @property
    def switch(self) -> Switch:
        return self.switches[0]

    def other(self, member: Server) -> Server:
        return self.backup if member is self.primary else self.primary

    async def run_network(self) -> None:
        """Everything that is not one of the servers."""
        self.nursery.start_soon(self.network.run)
        for switch in self.switches:
            self.nursery.start_soon(switch.run)

    async def up(self, *statistics: str) -> Site:
        """All three run and hear the T-Servers; the primary's client has statistics open."""
        await self.run_network()
        for server in (self.oracle, self.primary, self.backup):
            await server.start()
        await trio.sleep(SOON)
        assert [member.phase for member in self.both] == ["SYNCED", "SYNCED"]
        self.opens(self.primary, *statistics)
        await trio.sleep(SOON)
        self.begin()
        return self

    def begin(self) -> None:
        """What was logged and said until now does not matter to the story."""
        self.journal.lines.clear()
        self.network.dialled.clear()
        self.said.clear()

    # -- the oracle --------------------------------------------------------------------

    def opens(self, member: Server, *names: str) -> None:
        """A member's client opens statistics, and the oracle's does in the same moment.

        Of the same *source* time: where a member has got its last event late, by way of
        the other one, the clock of the source is behind there until the next event.
        """
        member.opens(*names)
        before = self.oracle.open_statistics()
        self.oracle.opens(*names)
        engine, now = self.oracle.engine, self.clock.now_ms()
        for key, mine in self.oracle.open_statistics().items():
            theirs = member.open_statistics().get(key)
            if key not in before and theirs is not None and theirs.opened_at < mine.opened_at:
                adopt_statistic(engine, mine, export_statistic(theirs), now)

    def instant(self, source: str) -> int:
        """A moment a little after the last event of a source: the same for everybody."""
        running = [each for each in (*self.both, self.oracle) if each.is_running]
        clocks = [each.engine.sources[source].world(0).now for each in running]
        return max(clocks) + 5000

    def agree(self) -> None:
        """Both members hold what the oracle holds, to the last second and call."""
        truth = self.oracle.values()
        assert truth, "nothing is open: nothing would be compared"
        for member in self.both:
            values = member.values()
            differs = {key: (values.get(key), truth.get(key)) for key in {*values, *truth}}
            wrong = {key: each for key, each in differs.items() if each[0] != each[1]}
            assert not wrong, f"{member.name}, and the truth: {wrong}"

    async def quiet(self, seconds: float = 30.0) -> None:
        """Everything is healed; the members find each other, and agree with the oracle."""
        self.network.heal()
        await trio.sleep(seconds)
        assert [member.phase for member in self.both] == ["SYNCED", "SYNCED"]
        for switch in self.switches:
            switch.live(3)
        await trio.sleep(SOON)
        self.agree()

    # -- faults between the members, and of feeds -------------------------------------------

    def cut(self) -> None:
        self.network.cut(PRIMARY, BACKUP)

    def cut_at(self, member: Server) -> None:
        """Only this one notices; for the other the connection is half open."""
        self.network.forget(PRIMARY, BACKUP)
        self.network.cut(PRIMARY, BACKUP, at=member.name)

    def partition(self) -> None:
        self.network.partition(PRIMARY, BACKUP)

    def deafen_link(self, member: Server) -> None:
        """Nothing that the other one says reaches this member."""
        self.network.sever(self.other(member).name, member.name)

    @asynccontextmanager
    async def apart(self) -> AsyncIterator[None]:
        """The link is cut, which both notice, and cannot be made anew within this block."""
        self.partition()
        self.cut()
        await trio.testing.wait_all_tasks_blocked()
        yield
        self.network.heal()

    def deafen(self, member: Server, switch: Switch | None = None) -> None:
        """A member loses its feed, and cannot get it back until the network heals."""
        host = (switch or self.switch).host
        self.network.partition(member.name, host)
        self.network.cut(member.name, host)

    # -- what was said on the link ------------------------------------------------------------

    def messages(self, kind: type[M], member: Server | None = None) -> list[M]:
        """All of one kind that were sent, perhaps in vain, by one member or both."""
        name = None if member is None else member.name
        return [m for _, who, m in self.said if isinstance(m, kind) and name in (None, who)]

    def sent(self) -> tuple[int, int]:
        """Statistics pushed so far by primary and backup, since their processes began."""
        one, other = (member["replication.statisticsSent"] for member in self.both)
        return one, other

    def pushed(self, member: Server | None = None) -> list[list[str]]:
        """The stat types that were pushed, chunk by chunk."""
        chunks = self.messages(Chunk, member)
        return [[json.loads(item.key)[3] for item in chunk.items] for chunk in chunks]

    def at(self, kind: type[M]) -> list[float]:
        """When messages of that kind were sent."""
        return [when for when, _, message in self.said if isinstance(message, kind)]


def listen_in(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take note of everything that members say to each other."""
    put = Link.put

    def noted(link: Link, message: Message) -> None:
        site.said.append((trio.current_time(), _who.get(), message))
        put(link, message)

    monkeypatch.setattr(Link, "put", noted)


def inline(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a server does in a thread is done at once: virtual time waits for no thread."""

    async def run_sync(function: Callable[..., Any], *args: Any, **options: Any) -> Any:
        await trio.lowlevel.checkpoint()
        return function(*args)

    monkeypatch.setattr(reload_module.trio.to_thread, "run_sync", run_sync)
    monkeypatch.setattr(dialling, "Random", lambda: Random(1))


__all__ = ["BACKUP", "COMMON", "EPOCH", "FAVOURITES", "ORACLE", "PRIMARY", "End", "Site"]
