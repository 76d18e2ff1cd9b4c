"""Whole servers that are stopped and started again, on virtual time, beside one that never is.

The simulated T-Server goes on meanwhile, and keeps some of the past for those who come back.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest
import trio
import trio.testing
from attrs import evolve
from backups import CONF, START, some_requests

from statserver_trio.api.outbox import Outbox
from statserver_trio.config.load import load
from statserver_trio.config.schema import Config, Listen, TServer
from statserver_trio.server.assembly import Parts
from statserver_trio.server.backup import owners, task
from statserver_trio.server.backup.files import Reader, Writer, previous
from statserver_trio.server.clock import Clock
from statserver_trio.server.feed_task import FeedOptions, OpenStream
from statserver_trio.server.network import Listener
from statserver_trio.server.serve import serve
from statserver_trio.server.tserver import TServer as SimulatedTServer
from statserver_trio.simulator.contact_centre import ContactCentre
from statserver_trio.simulator.feed_server import Feed
from statserver_trio.stats.requests import StatisticRequest
from statserver_trio.stats.statistic import Key
from statserver_trio.stats.telling.notifications import Mode, Notification

LOGIN = StatisticRequest("Agent", "a2", "Total_Login_Time")
LAST_HOUR = evolve(LOGIN, time_profile="LastHour")
REQUESTS = [*some_requests(Random(4)), LOGIN, LAST_HOUR]


class Silent(trio.abc.Listener[trio.abc.Stream]):
    """A port to which nobody ever connects."""

    async def accept(self) -> trio.abc.Stream:
        await trio.sleep_forever()
        raise AssertionError("for ever is over")

    async def aclose(self) -> None:
        await trio.lowlevel.checkpoint()


class InMemory:
    """A network of one T-Server."""

    def __init__(self, nursery: trio.Nursery, tserver: SimulatedTServer) -> None:
        self.is_up = True
        self._nursery = nursery
        self._tserver = tserver

    async def listen(self, listen: Listen) -> list[Listener]:
        return [Silent()]

    def address(self, listener: Listener) -> tuple[str, int]:
        return ("nowhere", 1)

    def tserver(self, tserver: TServer, options: FeedOptions) -> OpenStream:
        return self._dial

    async def _dial(self) -> trio.abc.Stream:
        if not self.is_up:
            raise ConnectionRefusedError("the T-Server is down")
        ours, theirs = trio.testing.memory_stream_pair()
        self._nursery.start_soon(self._tserver.handle, theirs)
        return ours


class Here:
    """The T-Server, the oracle, and the server that is restarted."""

    def __init__(self, nursery: trio.Nursery, folder: Path) -> None:
        self.nursery, self.folder = nursery, folder
        self.clock = Clock(START)
        centre = ContactCentre(Random(4), START, agents=6, queues=2, speed=2)
        self.tserver = SimulatedTServer(centre, self.clock)
        self.network = InMemory(nursery, self.tserver)
        nursery.start_soon(self.tserver.pace)

    def config(self, name: str, **changes: Any) -> Config:
        config = load(CONF)
        server = evolve(
            config.server, name=name, data_dir=str(self.folder), time_resolution="millisecond"
        )
        return evolve(config, server=evolve(server, **changes), listen=(Listen(port=0),))

    @asynccontextmanager
    async def running(
        self, name: str, orderly: bool = True, **changes: Any
    ) -> AsyncIterator[Parts]:
        stop = trio.Event()
        clock = Clock(self.clock.now())
        run = partial(serve, network=self.network, clock=clock)  # type: ignore[arg-type]
        async with trio.open_nursery() as nursery:
            parts = await nursery.start(run, self.config(name, **changes), stop)
            yield parts
            if orderly:
                stop.set()
            else:
                nursery.cancel_scope.cancel()

    def open(self, parts: Parts) -> None:
        engine, now = parts.hub.engine, self.clock.now_ms()
        for request in REQUESTS:
            statistic = engine.open(request, now)
            engine.subscribe(statistic, Notification(Mode.NO_NOTIFICATION), NOBODY, now)

    def values(self, parts: Parts, like: Parts | None = None) -> dict[Key, Any]:
        """What everything is worth, when it is as late at its source as it is at that of ``like``.

        What a feed repeats arrives late, so that the clock of the source is behind until
        the next event; that is the same after a connection that was lost.
        """
        engine = parts.hub.engine
        clock = (like or parts).hub.engine.sources["ts1"].clock(self.clock.now_ms())
        at = {engine.sources["ts1"].ledger: clock}
        return {key: engine.value_at(each, at).value for key, each in engine.statistics.items()}


class Nobody:
    session = None
    statistic_id, head, outbox = 0, b"", Outbox()


NOBODY = Nobody()


@pytest.fixture
def unthreaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """What another thread would do is done at once: virtual time knows no threads."""

    async def run_sync(work: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        await trio.lowlevel.checkpoint()
        return work(*arguments)

    monkeypatch.setattr(trio.to_thread, "run_sync", run_sync)


@pytest.fixture
async def here(nursery: trio.Nursery, tmp_path: Path, unthreaded: None) -> Here:
    return Here(nursery, tmp_path / "var")


@pytest.mark.parametrize("away", [0.0, 40.0, 1500.0])
@pytest.mark.parametrize("orderly", [True, False])
async def test_a_server_whose_feed_remembers_equals_one_that_never_stopped(
    here: Here, autojump_clock: Any, away: float, orderly: bool
) -> None:
    async with here.running("oracle") as oracle:
        async with here.running("server", orderly) as server:
            await trio.sleep(100)
            here.open(oracle)
            here.open(server)
            await trio.sleep(700)  # a file was written after 300 s and after 600 s
            assert here.values(server, oracle) == here.values(oracle)
        await trio.sleep(away)
        assert len(here.values(oracle)) > 200
        async with here.running("server") as server:
            await trio.sleep(0.1)  # the feed has been asked, and has answered
            here.open(server)  # and so has everybody who was here before
            for pause in (0.1, 5, 60, 1000):
                await trio.sleep(pause)
                assert here.values(server, oracle) == here.values(oracle)
            engine = server.hub.engine
            assert engine.sources["ts1"].last_gap is None
            assert all(engine.is_valid(each) for each in engine.statistics.values())


async def test_clients_that_are_there_before_the_feed_do_no_harm(
    here: Here, autojump_clock: Any
) -> None:
    """Who opens something asks what time it is at a source that has not been heard yet."""
    async with here.running("oracle") as oracle:
        async with here.running("server") as server:
            here.open(oracle)
            here.open(server)
            await trio.sleep(500)
        here.network.is_up = False
        await trio.sleep(200)
        async with here.running("server") as server:
            here.open(server)
            before = here.values(server)
            await trio.sleep(1)
            engine = server.hub.engine
            assert not any(map(engine.is_valid, engine.statistics.values()))
            assert here.values(server) == before, "time passes at a source nobody hears"
            here.network.is_up = True
            await trio.sleep(30)
            assert here.values(server, oracle) == here.values(oracle)


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """A T-Server that keeps nothing for anybody."""
    monkeypatch.setattr(Feed, "can_resume", lambda self, after: after == self.position)


@pytest.mark.parametrize("is_up", [True, False])
async def test_what_nobody_has_kept_is_a_gap_from_the_stop_on(
    here: Here, autojump_clock: Any, forgetful: None, is_up: bool
) -> None:
    async with here.running("server") as server:
        here.open(server)
        await trio.sleep(900)
        stopped = here.clock.now_ms()
        before = here.values(server)
    await trio.sleep(3600)
    here.network.is_up = is_up
    async with here.running("server") as server:
        engine, source = server.hub.engine, server.hub.engine.sources["ts1"]
        here.open(server)
        await trio.sleep(7)  # more than the loss-timeout
        assert source.last_gap is not None
        lost = here.clock.now_ms() - 7000 if is_up else stopped
        assert abs(source.last_gap - lost) < 1100
        here.network.is_up = True
        await trio.sleep(1000)
        assert abs(source.clock(here.clock.now_ms()) - here.clock.now_ms()) < 1000
        values = here.values(server)
        now = here.clock.now_ms()
        login, last_hour = (engine.open(each, now) for each in (LOGIN, LAST_HOUR))
        # An hour in which nobody listened is nobody's login time.
        assert before[login.key] > 500
        assert before[login.key] + 300 < values[login.key] < before[login.key] + 1010
        assert not engine.value(login, now).complete
        assert not engine.value(last_hour, now).complete
        await trio.sleep(3600)
        assert engine.value(last_hour, here.clock.now_ms()).complete


async def test_a_file_that_cannot_be_used_gives_way_to_the_one_before(
    here: Here, autojump_clock: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async with here.running("server", orderly=False) as server:
        here.open(server)
        await trio.sleep(650)
        path = server.backup.path
    path.write_bytes(path.read_bytes()[:-7])
    with caplog.at_level(logging.INFO):
        async with here.running("server") as server:
            assert len(server.hub.engine.statistics) == len(set(REQUESTS))
            restored = server.backup.status()["restored"]
    assert restored["path"] == str(previous(path))
    assert f"{path} is not used: its checksum is wrong" in caplog.text

    caplog.clear()
    for each in (path, previous(path)):
        each.write_bytes(b"nonsense")
    async with here.running("server") as server:
        assert server.hub.engine.statistics == {}
        assert server.backup.status()["restored"] is None
    assert caplog.text.count("no backup file of ours") == 2


async def test_the_file_of_another_application_is_not_ours(
    here: Here, autojump_clock: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async with here.running("one") as server:
        here.open(server)
        await trio.sleep(10)
    (here.folder / "one.stat.bak").rename(here.folder / "two.stat.bak")
    async with here.running("two") as server:
        assert server.hub.engine.statistics == {}
    assert "is of application 'one'" in caplog.text


async def test_a_mistake_in_playing_a_file_ends_with_an_empty_server(
    autojump_clock: Any,
    here: Here,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with here.running("server") as server:
        here.open(server)
        await trio.sleep(10)

    def broken(*arguments: Any, **options: Any) -> None:
        raise AssertionError("our mistake")

    monkeypatch.setattr("statserver_trio.server.backup.restoring.adopt_statistic", broken)
    async with here.running("server") as server:
        assert server.hub.engine.statistics == {}
        assert server.hub.engine.sources["ts1"].position is None
        await trio.sleep(10)
        assert server.hub.engine.sources["ts1"].events > 10
    assert "is not used: our mistake" in caplog.text


async def test_nobody_opens_it_again_so_it_is_closed(here: Here, autojump_clock: Any) -> None:
    async with here.running("server") as server:
        here.open(server)
        await trio.sleep(10)
    async with here.running("server") as server:
        engine = server.hub.engine
        total = len(engine.statistics)
        wanted = next(iter(engine.statistics.values()))
        engine.subscribe(wanted, Notification(Mode.CHANGES_BASED), NOBODY, here.clock.now_ms())
        await trio.sleep(owners.LINGER - 1)
        assert len(engine.statistics) == total
        await trio.sleep(2)
        assert list(engine.statistics.values()) == [wanted]


async def test_without_an_interval_there_is_no_file(here: Here, autojump_clock: Any) -> None:
    async with here.running("server") as server:
        here.open(server)
        await trio.sleep(10)
    [file] = here.folder.iterdir()
    before = file.read_bytes()
    async with here.running("server", auto_backup_interval=0.0) as server:
        assert server.hub.engine.statistics == {}
        assert server.backup.status()["interval"] is None
        await trio.sleep(1000)
    assert file.read_bytes() == before


async def test_definitions_only(here: Here, autojump_clock: Any) -> None:
    async with here.running("server", backup_file_aggregates_store=False) as server:
        here.open(server)
        await trio.sleep(500)
    async with here.running("server", backup_file_aggregates_store=False) as server:
        engine = server.hub.engine
        assert len(engine.statistics) == len(set(REQUESTS))
        sums = [v for k, v in here.values(server).items() if k.stat_type.startswith("Total_")]
        assert set(sums) == {0}
        await trio.sleep(500)
        assert server.hub.engine.sources["ts1"].events > 10


async def test_a_changed_interval_is_in_effect_at_once(here: Here, autojump_clock: Any) -> None:
    async with here.running("server") as server:
        await trio.sleep(60)
        config = server.reloader.config
        server.reloader.config = evolve(
            config, server=evolve(config.server, auto_backup_interval=0.5)
        )
        server.backup.reloaded(server.reloader.config)
        await trio.sleep(1)
        assert server.backup.writes == 1  # it would have been due half a minute ago
        await trio.sleep(30)
        assert server.backup.writes == 2


# -- the disk -------------------------------------------------------------------------------


async def test_a_folder_that_is_none_is_said_once(
    here: Here, autojump_clock: Any, caplog: pytest.LogCaptureFixture
) -> None:
    here.folder.write_text("a file")
    async with here.running("server") as server:
        here.open(server)
        await trio.sleep(1000)
        status = server.backup.status()
        assert status["failed"] == 4
        assert status["error"]
        assert server.hub.engine.sources["ts1"].events > 100
    assert caplog.text.count("is not written") == 1


async def test_a_full_disk_is_no_reason_to_stop_and_comes_to_an_end(
    autojump_clock: Any,
    here: Here,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put = Writer.put

    def full(self: Writer, pieces: Any) -> None:
        raise OSError(28, "No space left on device")

    async with here.running("server", auto_backup_interval=1.0) as server:
        here.open(server)
        await trio.sleep(70)
        before = server.backup.path.read_bytes()
        monkeypatch.setattr(Writer, "put", full)
        await trio.sleep(180)
        assert server.backup.status()["error"] == "No space left on device"
        assert [each.read_bytes() for each in here.folder.iterdir()] == [before]
        monkeypatch.setattr(Writer, "put", put)
        await trio.sleep(60)
        assert server.backup.status()["error"] is None
    assert caplog.text.count("No space left on device") == 1


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    gate = threading.Event()
    yield gate
    gate.set()


async def test_a_disk_that_hangs_holds_nobody_up(
    nursery: trio.Nursery,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    gate: threading.Event,
) -> None:
    """On real time, with real threads."""
    here = Here(nursery, tmp_path / "var")
    put = Writer.put

    def hangs(self: Writer, pieces: Any) -> None:
        gate.wait()
        put(self, pieces)

    monkeypatch.setattr(Writer, "put", hangs)
    monkeypatch.setattr(task, "STOP_SECONDS", 0.5)
    monkeypatch.setattr(task, "DISCARD_SECONDS", 0.1)
    async with here.running("server") as server:
        ticks = 0
        with trio.move_on_after(0.5):
            async with trio.open_nursery() as writing:
                writing.start_soon(server.backup.write, 60)
                while True:
                    await trio.sleep(0.01)
                    ticks += 1
        assert ticks > 10
        began = trio.current_time()
    assert trio.current_time() - began < 8
    assert server.backup.error == "not done in 0.5 s"
    assert list(here.folder.iterdir()) != []
    gate.set()
    for _ in range(500):  # the thread clears up when the disk lets it go
        if not list(here.folder.iterdir()):
            break
        await trio.sleep(0.01)
    assert list(here.folder.iterdir()) == []


async def test_a_disk_that_does_not_answer_at_the_start(
    nursery: trio.Nursery,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    gate: threading.Event,
) -> None:
    here = Here(nursery, tmp_path / "var")
    monkeypatch.setattr(task, "_prepare", lambda path: gate.wait())
    monkeypatch.setattr(task, "READ_SECONDS", 0.2)
    monkeypatch.setattr(task, "STOP_SECONDS", 0.2)
    monkeypatch.setattr(task, "DISCARD_SECONDS", 0.1)
    with trio.fail_after(30):
        async with here.running("server") as server:
            assert server.backup.error == "no answer from the disk in 0.2 s"
            assert server.hub.engine.statistics == {}


async def test_a_disturbed_cut_is_begun_again(
    autojump_clock: Any,
    here: Here,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with here.running("server") as server:
        here.open(server)
        source = server.hub.engine.sources["ts1"]
        put, disturbed = Writer.put, []

        def disturbing(self: Writer, pieces: Any) -> None:
            put(self, pieces)
            if len(disturbed) < 3:
                disturbed.append(self)
                source.adoptions += 1

        monkeypatch.setattr(Writer, "put", disturbing)
        await server.backup.write(60)
        assert (server.backup.writes, server.backup.failed) == (1, 0)
        reader = Reader(server.backup.path)
        reader.close()
        monkeypatch.setattr(task, "ATTEMPTS", 2)
        disturbed.clear()
        await server.backup.write(60)
        assert server.backup.failed == 1
        assert "picture was taken over" in server.backup.error
        monkeypatch.setattr(Writer, "put", put)
    assert not list(here.folder.glob("*.new*"))
