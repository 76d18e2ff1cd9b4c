"""Both members of a pair as one server: real servers of ours, over memory, one of them hurt."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest
import trio
import trio.lowlevel
from test_statserver_client import WAITING, new_hub
from trio.testing import memory_stream_pair

from statserver_trio.api import messages as m
from statserver_trio.client import (
    ConnectionLost,
    Reach,
    Refused,
    StatServer,
    StatServerPair,
    Update,
)
from statserver_trio.client import pair as pair_module
from statserver_trio.client import statserver as statserver_module
from statserver_trio.client.connection import connect_over, parse_url
from statserver_trio.client.liveness import HEARTBEAT_SECONDS
from statserver_trio.client.pair import ASK_AGAIN_SECONDS, keep_open
from statserver_trio.server.client_task import ClientServer
from statserver_trio.tlib.events import EventAbandoned, EventQueued

A, B = "ws://a:7100/", "ws://b:7100/"
START = 1_700_000_000


class Line(trio.abc.Stream):
    """A stream that can be cut, or swallow everything."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self.stream = stream
        self.swallows = False
        self.delay = 0.0  # seconds, of what we send

    async def send_all(self, data: Any) -> None:
        await trio.sleep(self.delay)
        if not self.swallows:
            await self.stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self.stream.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> Any:
        data = await self.stream.receive_some(max_bytes)
        if self.swallows:
            await trio.sleep_forever()
        return data

    async def aclose(self) -> None:
        await self.stream.aclose()


class House:
    """Two servers, what happens at their switch, and lines to them."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self.hubs = {url: new_hub() for url in (A, B)}
        self.servers = {url: ClientServer(hub) for url, hub in self.hubs.items()}
        self.down: set[str] = set()
        self.lines: dict[str, Line] = {}
        self._opens: list[str] = []  # whom a client has asked to open something
        self._nursery = nursery
        self._calls = 0

    @asynccontextmanager
    async def dial(self, url: str) -> AsyncIterator[StatServer]:
        if url in self.down:
            raise ConnectionLost("refused")
        ours, theirs = memory_stream_pair()
        line = self.lines[url] = Line(ours)
        self._nursery.start_soon(self.servers[url].handle, theirs)
        async with connect_over(line, parse_url(url)) as server:
            open_as = server.open_as

            async def counted(*what: Any) -> None:
                self._opens.append(url)
                await open_as(*what)

            server.open_as = counted  # type: ignore[method-assign]
            yield server

    def opens(self, url: str) -> int:
        """How often a server was asked to open something."""
        return self._opens.count(url)

    async def kill(self, url: str) -> None:
        """A reset, and nobody there any more."""
        self.down.add(url)
        await trio.aclose_forcefully(self.lines[url].stream)

    def calls(self, count: int, *urls: str) -> None:
        """So many calls come to the queue, in different seconds, as these servers hear it."""
        for number in range(self._calls, self._calls + count):
            self.hear(number, *urls)
        self._calls += count

    def hear(self, number: int, *urls: str) -> None:
        event = EventQueued(time=START + number, this_dn="8001", conn_id=f"c{number}")
        for url in urls or (A, B):
            self.hubs[url].apply("ts1", [event], (START + number) * 1000)

    def hang_up(self, number: int, at: int) -> None:
        event = EventAbandoned(time=START + at, this_dn="8001", conn_id=f"c{number}")
        for hub in self.hubs.values():
            hub.apply("ts1", [event], (START + at) * 1000)


@asynccontextmanager
async def a_pair(**more: Any) -> AsyncIterator[tuple[House, StatServerPair]]:
    async with trio.open_nursery() as nursery:
        house = House(nursery)
        house.down |= more.get("down", set())
        async with keep_open([A, B], house.dial) as stats:
            await trio.sleep(0.05)  # until both are there
            yield house, stats
        nursery.cancel_scope.cancel()


@contextmanager
def timed(at_most: float) -> Iterator[None]:
    began = trio.current_time()
    yield
    assert trio.current_time() - began <= at_most


async def values(stats: StatServerPair, count: int) -> list[Any]:
    """The next values; whatever else is said is passed over."""
    found: list[Any] = []
    with trio.fail_after(60):
        while len(found) < count:
            update = await anext(stats)
            if isinstance(update.event, m.Info):
                found.append(update.value)
    return found


async def until(stats: StatServerPair, wanted: int) -> list[Any]:
    """The values up to that one."""
    found: list[Any] = []
    while not found or found[-1] != wanted:
        found += await values(stats, 1)
    return found


async def is_silent(stats: StatServerPair) -> bool:
    """Whether no more values come for a while."""
    with trio.move_on_after(0.5):
        await values(stats, 1)
        return False
    return True


async def test_what_both_say_comes_once(autojump_clock: Any) -> None:
    async with a_pair() as (house, stats):
        waiting = await stats.open(WAITING)
        assert await values(stats, 1) == [0]
        for _ in range(5):
            house.calls(1)
            await trio.sleep(0.1)
        assert await values(stats, 5) == [1, 2, 3, 4, 5]
        assert waiting.value == 5
        assert await is_silent(stats)
        assert set(stats.reachable) == set(stats.modes) == {A, B}


@pytest.mark.parametrize("victim", [A, B])
async def test_whoever_dies_the_other_one_goes_on(autojump_clock: Any, victim: str) -> None:
    async with a_pair() as (house, stats):
        await stats.open(WAITING)
        survivor = B if victim == A else A
        house.calls(2)
        await trio.sleep(0.1)
        await house.kill(victim)
        with timed(0.2):
            house.calls(1, survivor)
            assert (found := await until(stats, 3)) == sorted(set(found))
        assert stats.reachable == [survivor]
        house.hear(2, victim)  # it comes back, and hears what it has missed
        house.down.clear()
        await trio.sleep(1)
        await house.kill(survivor)
        house.calls(1, victim)
        assert await values(stats, 1) == [4]
        assert await is_silent(stats)


async def test_changes_that_the_dead_one_kept_to_itself_are_not_lost(autojump_clock: Any) -> None:
    async with a_pair() as (house, stats):
        await stats.open(WAITING)
        assert await values(stats, 1) == [0]
        leader = stats.leader_of(next(iter(stats.statistics)))
        other = B if leader == A else A
        for number in range(3):
            house.hear(number, other)
            await trio.sleep(0.1)
        assert await is_silent(stats)
        await house.kill(leader)
        assert await values(stats, 3) == [1, 2, 3]


async def test_a_line_that_swallows_everything_is_noticed(autojump_clock: Any) -> None:
    async with a_pair() as (house, stats):
        await stats.open(WAITING)
        assert await values(stats, 1) == [0]
        leader = stats.leader_of(next(iter(stats.statistics)))
        house.lines[leader].swallows = True
        with timed(2 * HEARTBEAT_SECONDS + 0.2):
            house.calls(1)
            assert await values(stats, 1) == [1]
        assert leader not in stats.reachable


async def test_silence_alone_is_no_reason_to_hang_up(autojump_clock: Any) -> None:
    async with a_pair() as (_, stats):
        waiting = await stats.open(WAITING)
        await trio.sleep(3600)
        assert stats.reachable == [A, B]
        assert (await stats.peek(waiting)).value == 0


async def test_what_was_opened_meanwhile_is_opened_where_it_is_missing(autojump_clock: Any) -> None:
    async with a_pair(down={B}) as (house, stats):
        await stats.open(WAITING)
        house.calls(2)
        await until(stats, 2)
        house.down.clear()
        await trio.sleep(10)
        assert house.hubs[B].engine.statistics
        assert await is_silent(stats)
        await house.kill(A)
        house.calls(1, B)
        assert await values(stats, 1) == [3]


async def test_while_nobody_is_there_one_waits(autojump_clock: Any) -> None:
    async with a_pair() as (house, stats):
        waiting = await stats.open(WAITING)
        assert await values(stats, 1) == [0]
        for url in (A, B):
            await house.kill(url)
        await trio.sleep(1)
        assert stats.reachable == []
        with pytest.raises(ConnectionLost, match=r"no server can be reached \(ws://a:7100/: "):
            await stats.peek(waiting)
        house.calls(1)
        house.down.clear()
        assert await values(stats, 1) == [1]


async def test_nobody_was_ever_there(autojump_clock: Any) -> None:
    async with trio.open_nursery() as nursery:
        house = House(nursery)
        house.down |= {A, B}
        with pytest.raises(ConnectionLost, match=r"ws://a:7100/: refused; ws://b:7100/: refused"):
            async with keep_open([A, B], house.dial):
                raise AssertionError("never reached")


async def test_one_member_knows_enough(autojump_clock: Any) -> None:
    async with a_pair() as (house, stats):
        del house.hubs[A].engine.definitions.stat_types["Waiting"]
        await stats.open(WAITING)
        assert await values(stats, 1) == [0]
        with pytest.raises(Refused, match="'Nothing' is not configured"):
            await stats.open("Queue:8001@sw1:Nothing")
        assert len(stats.statistics) == 1


async def test_what_a_member_refused_is_asked_again(autojump_clock: Any) -> None:
    async with a_pair() as (house, stats):
        definition = house.hubs[A].engine.definitions.stat_types.pop("Waiting")
        waiting = await stats.open(WAITING)
        house.calls(2)
        await until(stats, 2)
        await trio.sleep(600)
        assert not house.hubs[A].engine.statistics
        assert 8 <= house.opens(A) <= 14, "about once a minute"
        house.hubs[A].engine.definitions.stat_types["Waiting"] = definition
        await trio.sleep(ASK_AGAIN_SECONDS * 1.25 + 2)
        assert house.hubs[A].engine.statistics
        assert await is_silent(stats)
        await house.kill(B)
        house.calls(1)
        assert await values(stats, 1) == [3]
        assert stats.leader_of(waiting) == A
        before = house.opens(A)
        await trio.sleep(600)
        assert house.opens(A) == before, "what is open is not opened again"


async def test_what_one_member_closed_is_asked_for_again(autojump_clock: Any) -> None:
    async with a_pair() as (house, stats):
        waiting = await stats.open(WAITING)
        assert await values(stats, 1) == [0]
        hub = house.hubs[A]
        hub.close_statistics(list(hub.engine.statistics.values()), "Waiting was deleted")
        await trio.sleep(1)
        assert waiting.is_valid
        await trio.sleep(ASK_AGAIN_SECONDS * 1.25 + 2)
        assert hub.engine.statistics
        assert await is_silent(stats)


async def test_a_member_that_is_not_ready_yet_is_asked_in_a_second(autojump_clock: Any) -> None:
    async with a_pair() as (house, stats):
        house.hubs[A].set_ready("the backup file is being read")
        await stats.open(WAITING)
        await trio.sleep(10)
        assert not house.hubs[A].engine.statistics
        assert 8 <= house.opens(A) <= 15
        house.hubs[A].set_ready()
        await trio.sleep(2)
        assert house.hubs[A].engine.statistics


async def test_what_nobody_wants_any_more_is_not_asked_for_again(autojump_clock: Any) -> None:
    async with a_pair() as (house, stats):
        del house.hubs[A].engine.definitions.stat_types["Waiting"]
        waiting = await stats.open(WAITING)
        with pytest.raises(Refused):
            await stats.open("Queue:8001@sw1:Nothing")
        await stats.close(waiting)
        before = house.opens(A), house.opens(B)
        await trio.sleep(600)
        assert (house.opens(A), house.opens(B)) == before


async def test_closed_before_the_slower_one_has_opened_it(autojump_clock: Any) -> None:
    async with a_pair() as (house, stats):
        house.lines[A].delay = 0.5
        waiting = await stats.open(WAITING)
        assert house.hubs[B].engine.statistics
        await stats.close(waiting)
        await trio.sleep(5)
        assert not any(hub.engine.statistics for hub in house.hubs.values())


async def test_questions_go_to_whoever_leads(autojump_clock: Any) -> None:
    async with a_pair() as (house, stats):
        waiting = await stats.open(WAITING)
        house.calls(2)
        await house.kill(A)
        assert (await stats.peek(waiting)).value == 2
        assert (await stats.explain(waiting)).definition["statisticType"] == "Waiting"
        assert [each["name"] for each in await stats.profile("StatTypes")] == ["Waiting", "Factor"]


async def test_closed_is_closed_with_both(autojump_clock: Any) -> None:
    async with a_pair() as (house, stats):
        waiting = await stats.open(WAITING)
        await values(stats, 1)
        await stats.close(waiting)
        assert not any(hub.engine.statistics for hub in house.hubs.values())
        house.calls(1)
        assert await is_silent(stats)


async def test_who_opens_while_everything_ends_is_no_error(autojump_clock: Any) -> None:
    """As ``statserver watch`` does, when a signal comes just then."""

    async def opens_late(stats: StatServerPair) -> None:
        try:
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                await trio.sleep(1)
                with trio.move_on_after(1):
                    await stats.open(WAITING)

    with trio.CancelScope() as everything:
        async with a_pair() as (_, stats), trio.open_nursery() as nursery:
            nursery.start_soon(opens_late, stats)
            await trio.lowlevel.checkpoint()
            everything.cancel()


async def test_nor_at_any_other_moment_of_the_end(
    autojump_clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As ``statserver top`` does, which opens hundreds one after the other."""

    async def takes_its_time(server: Any) -> None:
        try:
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                for _ in range(10):
                    await trio.lowlevel.checkpoint()

    async def opens_after(ticks: int, stats: StatServerPair) -> None:
        for _ in range(ticks):
            await trio.lowlevel.checkpoint()
        with trio.CancelScope() as scope:
            scope.cancel()  # so it asks, and does not wait for the answer
            await stats.open(WAITING)

    monkeypatch.setattr(pair_module, "hang_up_on_silence", takes_its_time)
    for ticks in range(20):  # each alone: what is asked keeps the nursery open for a while
        async with trio.open_nursery() as outside:
            with trio.CancelScope() as everything:
                async with a_pair() as (_, stats):
                    outside.start_soon(opens_after, ticks, stats)
                    await trio.lowlevel.checkpoint()
                    everything.cancel()


async def test_a_value_can_be_relied_upon_while_one_member_says_so(autojump_clock: Any) -> None:
    async with a_pair() as (house, stats):
        waiting = await stats.open(WAITING)
        await values(stats, 1)
        house.hubs[A].source_lost("ts1")
        await trio.sleep(0.1)
        assert waiting.is_valid
        house.hubs[B].source_lost("ts1")
        said = []
        while waiting.is_valid:
            said.append((await anext(stats)).event)
        assert isinstance(said[-1], m.StatisticInvalid)


async def test_who_does_not_iterate_is_not_flooded(
    autojump_clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (pair_module, statserver_module):
        monkeypatch.setattr(module, "UNREAD_EVENTS_PAUSE", 10)
    async with a_pair() as (house, stats):
        waiting = await stats.open(WAITING)
        for number in range(500):
            house.hear(number)
            await trio.sleep(0.01)
        await trio.sleep(10)
        assert set(stats.reachable) == {A, B}
        assert (await stats.peek(waiting)).value == 500
        assert (found := await until(stats, 500)) == sorted(set(found))


async def test_where_an_update_comes_from_is_told(autojump_clock: Any) -> None:
    async with a_pair() as (_, stats):
        await stats.open(WAITING)
        updates: list[Update] = []
        while not updates or updates[-1].statistic is None:
            updates.append(await anext(stats))
        assert {each.server for each in updates} <= {A, B}
        assert updates[-1].server == stats.leader_of(next(iter(stats.statistics)))


async def test_a_member_that_is_about_to_stop_hands_over(autojump_clock: Any) -> None:
    async with a_pair() as (house, stats):
        waiting = await stats.open(WAITING)
        assert await values(stats, 1) == [0]
        leader = stats.leader_of(waiting)
        assert leader is not None
        other = B if leader == A else A
        house.hear(0, other)  # the leader has stopped listening to its feed
        house.hubs[leader].leave_soon("the server is stopping")
        with timed(0.2):
            assert await values(stats, 1) == [1]
        assert stats.leader_of(waiting) == other
        assert stats.modes[leader].leaving
        assert set(stats.reachable) == {A, B}  # before any connection is closed
        await house.servers[leader].drain(other)
        house.hear(1, other)
        assert await values(stats, 1) == [2]
        assert await is_silent(stats)


QUEUE = m.ObjectRef(object_id="8001@sw1", object_type="Queue")
OURS = m.MetricEx(category="CurrentNumber", subject="DNAction", main_mask="CallWait")


async def test_a_definition_of_our_own_is_open_with_both_and_again(autojump_clock: Any) -> None:
    async with a_pair() as (house, stats):
        waiting = await stats.open_ex(QUEUE, OURS)
        assert str(waiting) == "Queue:8001@sw1:CurrentNumber(CallWait)"
        house.calls(2)
        await until(stats, 2)
        await house.kill(A)
        house.down.discard(A)
        await trio.sleep(10)
        await house.kill(B)
        house.calls(1)
        await until(stats, 3)
        assert stats.leader_of(waiting) == A


async def test_a_definition_that_makes_no_sense_is_refused(autojump_clock: Any) -> None:
    async with a_pair() as (_, stats):
        wrong = m.MetricEx(category="TotalNumber", subject="DNAction", main_mask="Nonsense")
        with pytest.raises(Refused, match=r"metric\.mainMask"):
            await stats.open_ex(QUEUE, wrong)
        assert not stats.statistics


async def test_who_can_be_reached_and_why_not(autojump_clock: Any) -> None:
    async with a_pair(down={B}) as (house, stats):
        assert stats.members == [Reach(A, True, ""), Reach(B, False, "refused")]
        house.down.clear()
        while len(stats.reachable) < 2:
            await stats.members_changed()
        await house.kill(A)
        while len(stats.reachable) == 2:
            await stats.members_changed()
        lost, other = stats.members
        assert (lost.is_there, other) == (False, Reach(B, True, ""))
        assert lost.why


async def test_a_statistic_that_is_closed_can_be_asked_nothing(autojump_clock: Any) -> None:
    async with a_pair() as (_, stats):
        waiting = await stats.open(WAITING)
        await stats.close(waiting)
        with pytest.raises(Refused, match="not open any more"):
            await stats.peek(waiting)
