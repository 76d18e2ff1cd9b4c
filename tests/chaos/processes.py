"""The site: a T-Server in this process, the two members, and the oracle."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import trio
from attrs import evolve

from statserver_trio.commands.demo_members import LOOPBACK, Member, free_port, make_pair
from statserver_trio.config.dump import dump
from statserver_trio.config.load import load
from statserver_trio.config.schema import Config
from statserver_trio.server.clock import Clock
from statserver_trio.server.tserver import TICK, TServer
from statserver_trio.simulator.contact_centre import ContactCentre
from statserver_trio.simulator.feed_server import Published

CONF = Path(__file__).parent.parent.parent / "conf"
PAIR = "primary", "backup"
BACKUP_MINUTES = 0.005  # from one backup file to the next
FEED_SECONDS = {"addp_timeout": 1.0, "loss_timeout": 1.0}
READ, NOT_WHOLE = "SST-5003", ("SST-5101", "SST-5103", "SST-5104", "SST-5105")  # in the log
AGENTS, QUEUES = 12, 3
BATCH_EVENTS_MAX = 1000
UP_SECONDS = 30.0  # for a process to say something
QUIET_SECONDS = 60.0  # for a pair to be in step again, whatever was done to it
LOOK_SECONDS = 0.05
# The T-Server's clock is ahead of ours, because its time stands still until all servers are there:
# what they stamp at their start, each at its own moment, must not be later than its first events.
AHEAD_SECONDS = 60.0


class Switch:
    """The T-Server, whose time stands still while nobody lets it live.

    Args:
        servers: Nobody is served before there are so many: they are told what there is, which has
            no time, within the same second.
    """

    def __init__(self, seed: int, speed: float, servers: int = 1) -> None:
        self._clock = Clock.system()
        self._awaited = servers
        self._all_came = trio.Event()
        self._lived = 0.0  # seconds
        self._start = self._clock.now() + AHEAD_SECONDS
        self._centre = ContactCentre(
            Random(seed), self._start, agents=AGENTS, queues=QUEUES, speed=speed
        )
        self.server = TServer(self._centre, self._clock)
        self.lives = False
        self.port = 0
        self._said = trio.Event()  # set, and replaced, whenever something happens

    @property
    def position(self) -> int:
        """Of the last event."""
        return self.server.feed.position

    async def serve(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Let it happen, as long as :attr:`lives` says so."""
        listeners = await trio.open_tcp_listeners(0, host=LOOPBACK)
        self.port = listeners[0].socket.getsockname()[1]
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.serve_listeners, self._admit, listeners)
            task_status.started()
            before = trio.current_time()
            while True:
                await trio.sleep(TICK)
                now = trio.current_time()
                if self.lives:
                    self._lived += now - before
                    self.advance()
                before = now

    async def _admit(self, stream: trio.SocketStream) -> None:
        self._awaited -= 1
        if self._awaited == 0:
            await trio.sleep(1.3 - self._clock.now() % 1)  # to be well within a second
            self._all_came.set()
        await self._all_came.wait()
        await self.server.handle(stream)

    async def say_more(self) -> None:
        """Wait for an event to happen."""
        await self._said.wait()

    def advance(self) -> None:
        """Publish what has happened in the time that it has lived."""
        feed = self.server.feed
        while batch := self._centre.advance(self._start + self._lived, BATCH_EVENTS_MAX):
            feed.publish(batch)
            self._said.set()
            self._said = trio.Event()
        for client in list(self.server._clients):
            client.tell(Published())

    def hang_up(self, application: str) -> None:
        """End the connection of a server, by its name."""
        for client in self.server._clients:
            if client._session.application == application:
                client._scope.cancel()

    def forget(self) -> None:
        """Whoever comes back cannot resume: what happened meanwhile is not here any more."""
        self.server.feed._recent.clear()


class Site:
    """Everything that runs.

    Attributes:
        folder: Of configurations, logs and backup files.
        members: The pair; the primary is the first.
    """

    def __init__(self, folder: Path, seed: int, speed: float) -> None:
        self.folder = folder
        self.switch = Switch(seed, speed, len(PAIR) + 1)
        self.members: tuple[Member, ...] = ()
        self.oracle: Member = None  # type: ignore[assignment]
        self.ha_port = 0
        self.config: Config = None  # type: ignore[assignment]

    async def start(self, nursery: trio.Nursery) -> None:
        """Start everything, and wait until it is in step."""
        await nursery.start(self.switch.serve)
        primary, backup = (_in_a_hurry(load(CONF / f"{name}.toml")) for name in PAIR)
        self.config = primary
        self.members = make_pair(primary, backup, self.folder, self.switch.port, 0)
        backups = load(self.members[1].conf)
        self.ha_port = backups.ha.peer_port
        self.oracle = standalone(self.folder, self.switch.port)
        for each in self.all:
            await each.start()
        await self.in_step()  # before anything happens: so all three have heard everything
        await self.quiet()

    @property
    def all(self) -> tuple[Member, ...]:
        """The three processes."""
        return (*self.members, self.oracle)

    def backup_files(self) -> tuple[int, list[str]]:
        """How many the members have gone on from, and what they say of any that is not whole."""
        lines = [line for each in self.members for line in each.log.read_text().splitlines()]
        broken = [line for line in lines if any(id in line for id in NOT_WHOLE)]
        return sum(READ in line for line in lines), broken

    async def stop(self) -> None:
        """End all processes, frozen ones as well."""
        for each in self.all:
            if each is not None and each.runs:
                each.process.kill()
                await each.process.wait()

    # -- quiet ------------------------------------------------------------------------------

    async def in_step(self) -> None:
        """Wait until the pair is in step, though the T-Server lives.

        Raises:
            TooLong: It is not, and what it lacks.
        """
        with trio.move_on_after(QUIET_SECONDS):
            await self._until(self._lacks)
            return
        raise TooLong(f"not in step after {QUIET_SECONDS:g} s: {self.why}")

    async def quiet(self) -> float:
        """Wait until the pair is in step while the T-Server lives, then let that stand still.

        Returns:
            How long that has taken, in seconds.

        Raises:
            TooLong: It is not, and what it lacks.
        """
        began = trio.current_time()
        self.switch.lives = True
        with trio.move_on_after(QUIET_SECONDS):
            await self._until(self._lacks)
            took = trio.current_time() - began
            # Each goes by when the last event came to it, which may have been late: so another one.
            await self.switch.say_more()
            self.switch.lives = False
            self.switch.advance()
            await self._until(self._stands_elsewhere)
            return took
        raise TooLong(f"not in step after {QUIET_SECONDS:g} s: {self.why}")

    async def _until(self, lacks: Any) -> None:
        self.why = "nobody was asked"
        while self.why:
            statuses = [await each.status() for each in self.all]
            self.why = next(
                (
                    f"{each.name} {why}"
                    for each, status in zip(self.all, statuses, strict=True)
                    if (why := lacks(each, status))
                ),
                "",
            )
            if self.why:
                await trio.sleep(LOOK_SECONDS)

    def _lacks(self, member: Member, status: dict[str, Any] | None) -> str:
        """What a server lacks; empty if nothing."""
        if status is None:
            return "does not answer"
        if not all(each["connected"] for each in status["sources"]):
            return "does not hear the T-Server"
        if member is self.oracle:
            return ""
        if not (status.get("peer") or {}).get("synchronised"):
            return "is not synchronised"
        replication = status["replication"]
        waits = [k for k in ("pending", "inFlight", "tombstones", "parked") if replication[k]]
        return f"has {', '.join(waits)}" if waits else ""

    def _stands_elsewhere(self, member: Member, status: dict[str, Any] | None) -> str:
        if why := self._lacks(member, status):
            return why
        assert status is not None
        position = status["sources"][0]["position"]
        return "" if position == self.switch.position else f"stands at {position}"


def memory_of(member: Member) -> int:
    """Bytes that a server has, in memory."""
    assert member.process is not None
    pages = Path(f"/proc/{member.process.pid}/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * 4096


def files_of(member: Member) -> int:
    """How many files it has open, connections included."""
    assert member.process is not None
    return len(list(Path(f"/proc/{member.process.pid}/fd").iterdir()))


def _in_a_hurry(config: Config) -> Config:
    """So that a member dies while it writes its file now and then, and has always one to read.

    And so that it finds out within seconds that its feed is only said to be there.
    """
    server = evolve(config.server, auto_backup_interval=BACKUP_MINUTES)
    tserver = tuple(evolve(each, **FEED_SECONDS) for each in config.tserver)
    return evolve(config, server=server, tserver=tserver)


def standalone(folder: Path, tserver_port: int) -> Member:
    """A server that stands alone; its configuration is written, and it is not started yet."""
    config = load(CONF / "standalone.toml")
    port, operators = free_port(0), free_port(0)
    ports = {"default": port, "management": operators}
    name = config.server.name
    config = evolve(
        config,
        server=evolve(config.server, data_dir=str(folder / name)),
        listen=tuple(evolve(each, host=LOOPBACK, port=ports[each.id]) for each in config.listen),
        tserver=(evolve(config.tserver[0], host=LOOPBACK, port=tserver_port),),
    )
    conf = folder / f"{name}.toml"
    conf.write_text(dump(config), encoding="utf-8")
    return Member(name, port, operators, conf, folder / f"{name}.log")


class TooLong(Exception):
    """Something that must come did not."""
