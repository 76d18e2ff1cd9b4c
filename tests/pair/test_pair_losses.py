"""Scenarios 1 to 8 and 28: the link is lost, in every way, and comes back."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
import trio
from pair_site import BACKUP, FAVOURITES, PRIMARY, SOON, Server, Site

from statserver_trio.ha.messages import Chunk, ChunkAck
from statserver_trio.tlib.events import EventQueued

T = 10.0  # addp-timeout, unless a story says otherwise
SLACK = 0.2  # seconds that a detection may be late
LOST = "the link to the peer is lost"
MORE = "Queue:8002@sw1:Entered"
Build = Callable[..., Site]


def lost_at(member: Server) -> float:
    """When that member gave the link up."""
    (when,) = member.logged_at(LOST)
    return when


def sessions(site: Site) -> list[tuple[int, int]]:
    """How many each member has restored, and begun anew."""
    return [(m["session.restored"], m["session.new"]) for m in site.both]


RESTORED, RENEWED = [(1, 1), (1, 1)], [(0, 2), (0, 2)]


def dials(site: Site) -> list[float]:
    """When the backup tried to connect."""
    return [when for when, *path in site.network.dialled if path == [BACKUP, PRIMARY]]


def gaps(times: list[float]) -> list[float]:
    return [later - earlier for earlier, later in itertools.pairwise(times)]


# -- 1: a partition ---------------------------------------------------------------------------


async def test_scenario_01_both_find_a_partition_and_go_on_serving(build: Build) -> None:
    site = await build().up(*FAVOURITES)
    site.partition()
    start = trio.current_time()
    await site.switch.day(25)
    for member in site.both:
        assert T - SOON <= lost_at(member) - start <= 2 * T + SLACK
        assert member.log(LOST) == [f"{LOST}: addp-timeout"]
        assert member.phase == "LOST"
    waiting = [member.opens("Queue:8001@sw1:Waiting", mode="ChangesBased") for member in site.both]
    assert waiting == [[8], [1]]
    site.opens(site.primary, MORE)
    assert site.primary["replication.pending"] == 1
    for member in site.both:
        member.take()
    site.switch.say(EventQueued(this_dn="8001", conn_id="one more"))
    await trio.sleep(SOON)
    assert [member.take()[0]["event"] for member in site.both] == ["Info", "Info"]
    await site.quiet()
    assert sessions(site) == RESTORED


async def test_scenario_01_the_backup_tries_once_per_connect_timeout(build: Build) -> None:
    site = await build(ha="connect-timeout = 4").up(*FAVOURITES)
    site.partition()
    await trio.sleep(100)
    assert len(dials(site)) >= 18
    assert all(4 * 0.9 <= gap <= 4 * 1.1 for gap in gaps(dials(site)))
    assert (
        len(site.backup.log("cannot be reached: no answer in time")) == 1
    )  # one line for one reason
    site.network.heal()
    await trio.sleep(4 * 1.1 + SLACK)
    assert site.backup.phase == "SYNCED"


# -- 2: loss in one direction only ------------------------------------------------------------


@pytest.mark.parametrize("load", [False, True], ids=["idle", "busy"])
@pytest.mark.parametrize("deaf", [PRIMARY, BACKUP])
async def test_scenario_02_who_hears_nothing_hangs_up_and_the_other_one_hears_of_it(
    build: Build, deaf: str, load: bool
) -> None:
    site = await build().up(*FAVOURITES)
    member = site.primary if deaf == PRIMARY else site.backup
    site.deafen_link(member)
    start = trio.current_time()
    if load:
        site.opens(site.primary, MORE)
        site.opens(site.backup, "Queue:8002@sw1:Waiting")
    await trio.sleep(4 * T)
    assert lost_at(member) - start <= 2 * T + SLACK
    assert lost_at(site.other(member)) == pytest.approx(lost_at(member), abs=SLACK)
    await site.quiet()
    assert sessions(site) == RESTORED


@pytest.mark.parametrize("deaf", [PRIMARY, BACKUP])
async def test_scenario_02_if_the_goodbye_gets_lost_as_well_it_takes_twice_as_long(
    build: Build, deaf: str
) -> None:
    site = await build().up(*FAVOURITES)
    member = site.primary if deaf == PRIMARY else site.backup
    other = site.other(member)
    site.deafen_link(member)
    start = trio.current_time()
    await trio.sleep(1.5 * T)
    assert not other.log(LOST)
    site.partition()
    await trio.sleep(3 * T)
    assert lost_at(member) - start <= 2 * T + SLACK
    assert lost_at(member) + T / 2 < lost_at(other) <= start + 4 * T + SLACK
    await site.quiet()
    assert sessions(site) == RESTORED


# -- 3: half open -------------------------------------------------------------------------------


async def test_scenario_03_a_host_that_loses_its_power_is_found(build: Build) -> None:
    site = await build().up(*FAVOURITES)
    start = trio.current_time()
    await site.backup.lose_power()
    await trio.sleep(2 * T + SLACK)
    assert lost_at(site.primary) - start >= T - SOON
    await site.backup.start()
    await site.quiet()


@pytest.mark.parametrize("protocol", ["addp", "default"])
async def test_scenario_03_the_newest_connection_wins(build: Build, protocol: str) -> None:
    site = await build(protocol=protocol).up(*FAVOURITES)
    site.cut_at(site.backup)  # a firewall has forgotten it, and only the backup knows
    await trio.sleep(SOON)
    assert [member.phase for member in site.both] == ["LOST", "SYNCED"][::-1]
    await trio.sleep(T)
    assert site.primary.log(LOST) == [f"{LOST}: superseded"]
    await site.quiet()
    assert sessions(site) == RESTORED
    assert site.sent() == (len(FAVOURITES), 0)


# -- 4: a peer that is slow, or stopped -----------------------------------------------------------


@pytest.mark.parametrize("name", [PRIMARY, BACKUP])
async def test_scenario_04_a_stopped_member_is_lost_and_comes_back(build: Build, name: str) -> None:
    site = await build().up(*FAVOURITES)
    member = site.primary if name == PRIMARY else site.backup
    member.freeze()
    await site.switch.day(int(3 * T))
    assert site.other(member).log(LOST)
    assert not member.log(LOST)  # it does not know yet
    member.thaw()
    await site.quiet()
    assert sessions(site) in ([(1, 1), (1, 1)], [(2, 1), (1, 1)])  # an attempt was in its socket
    assert member.log(LOST)


@pytest.mark.parametrize("name", [PRIMARY, BACKUP])
async def test_scenario_04_a_short_stop_is_no_loss(build: Build, name: str) -> None:
    site = await build().up(*FAVOURITES)
    member = site.primary if name == PRIMARY else site.backup
    member.freeze()
    await site.switch.day(int(1.5 * T) - 4)
    member.thaw()
    await site.quiet()
    assert not site.primary.log(LOST) + site.backup.log(LOST)


async def test_scenario_04_who_was_stopped_asks_once_more_before_it_hangs_up(build: Build) -> None:
    site = await build(ha="addp-timeout = 10\naddp-remote-timeout = 60").up(*FAVOURITES)
    site.backup.freeze()
    await trio.sleep(3 * T)
    site.backup.thaw()
    await site.quiet()
    assert not site.backup.log(LOST)
    assert site.backup["addp.pollsSent"] > 1


async def test_scenario_04_one_chunk_waits_for_a_peer_that_does_not_read(build: Build) -> None:
    site = await build(ha="chunk-size = 2\naddp-remote-timeout = 60").up()
    site.backup.freeze()
    site.opens(site.primary, *FAVOURITES)
    await trio.sleep(SOON)
    said = site.primary.status["replication"]
    assert (said["inFlight"], said["pending"], said["chunksSent"]) == (2, len(FAVOURITES) - 2, 1)
    site.backup.thaw()
    await site.quiet()


# -- 5: a crash in the middle of a chunk -------------------------------------------------------


@pytest.mark.parametrize("who", [PRIMARY, BACKUP])
async def test_scenario_05_half_a_chunk_is_no_chunk(build: Build, who: str) -> None:
    site = await build().up()
    site.network.thin(PRIMARY, BACKUP, 500)
    site.opens(site.primary, *FAVOURITES)
    await trio.sleep(1)
    assert site.primary["replication.inFlight"] == len(FAVOURITES)
    victim = site.primary if who == PRIMARY else site.backup
    survivor = site.other(victim)
    await victim.kill()
    await trio.sleep(SOON)
    assert survivor.phase == "LOST"
    assert bool(survivor.open_statistics()) == (survivor is site.primary)
    site.network.rates.clear()
    await victim.start()
    site.opens(site.backup, *FAVOURITES)
    await site.quiet()
    assert survivor["session.new"] == 2


async def test_scenario_05_a_lost_acknowledgement_is_repeated_and_nothing_is_sent_again(
    build: Build,
) -> None:
    site = await build().up(*FAVOURITES)
    site.deafen_link(site.primary)
    site.opens(site.primary, MORE)
    await trio.sleep(SOON)
    assert site.messages(ChunkAck, site.backup)
    assert site.primary["replication.inFlight"] == 1
    site.cut()
    site.said.clear()
    await site.quiet()
    assert sessions(site) == RESTORED
    assert len(site.messages(ChunkAck, site.backup)) == 1
    assert not site.messages(Chunk)
    assert site.primary["replication.inFlight"] == 0


# -- 6, 7, 8: restored, or begun anew --------------------------------------------------------------


async def test_scenario_06_only_what_was_opened_meanwhile_is_replicated(build: Build) -> None:
    site = await build().up(*FAVOURITES)
    async with site.apart():
        site.opens(site.primary, MORE)
        site.opens(site.backup, "Agent:a2:Talk_Time", "Agent:a2:Login_Time")
        await site.switch.day(20)
    await site.quiet()
    assert sessions(site) == RESTORED
    assert site.pushed(site.primary) == [["Entered"]]
    assert site.pushed(site.backup) == [["Talk_Time", "Login_Time"]]


QUICK = "connect-timeout = 0.5\n"
EXPIRES = "session-expiration-timeout = 60\nsession-expiration-period = {}\n"


@pytest.mark.parametrize("period", [7, 3600], ids=["swept", "not swept"])
@pytest.mark.parametrize(
    ("away", "expected"), [(30, RESTORED), (59, RESTORED), (60, RENEWED), (61, RENEWED)]
)
async def test_scenario_07_08_a_session_can_be_restored_until_it_expires(
    build: Build, away: float, expected: list[tuple[int, int]], period: int
) -> None:
    site = await build(ha=QUICK + EXPIRES.format(period)).up(*FAVOURITES)
    start = trio.current_time()
    async with site.apart():
        await site.switch.day(10)
        # An attempt lasts, and attempts begin, half a second apart: the last one is ours.
        await trio.sleep_until(start + away - (0.6 if away < 60 else 0))
    await site.quiet()
    assert sessions(site) == expected
    everything = sorted(name.split(":")[2].split(",")[0] for name in FAVOURITES)
    for member in site.both:
        pushed = sorted(itertools.chain(*site.pushed(member)))
        assert pushed == ([] if expected == RESTORED else everything)
        kept = member["replication.results"]["kept"]
        assert kept == (0 if expected == RESTORED else len(FAVOURITES))
    assert len(site.backup.open_statistics()) == len(FAVOURITES)


@pytest.mark.parametrize("period", [7, 3600], ids=["swept", "not swept"])
@pytest.mark.parametrize("name", [PRIMARY, BACKUP])
async def test_scenario_07_one_side_that_has_expired_is_enough(
    build: Build, name: str, period: int
) -> None:
    site = build(ha=QUICK)
    member = site.primary if name == PRIMARY else site.backup
    member.edit("[ha]\n", f"[ha]\n{EXPIRES.format(period)}")
    await site.up(*FAVOURITES)
    async with site.apart():
        await site.switch.day(70)
        assert site.other(member).phase == "LOST"
        assert member.phase == ("EXPIRED" if period == 7 else "LOST")
    await site.quiet()
    assert sessions(site) == RENEWED


async def test_scenario_07_an_expired_session_says_so(build: Build) -> None:
    site = await build(ha=QUICK + EXPIRES.format(7)).up(*FAVOURITES)
    async with site.apart():
        await trio.sleep(60 + 7)
        assert [member.phase for member in site.both] == ["EXPIRED", "EXPIRED"]
        assert all(member.log("the session has expired") for member in site.both)
    await site.quiet()


# -- 28: a flapping link ------------------------------------------------------------------------


async def test_scenario_28_a_flapping_link_is_restored_each_time_and_makes_progress(
    build: Build,
) -> None:
    site = await build(ha="connect-timeout = 2").up(*FAVOURITES)
    for n in range(1, 15):
        site.opens(site.primary, f"Queue:800{1 + n % 2}@sw1:Entered,range=Default")
        await site.switch.day(3)
        site.cut()
    assert min(gaps(dials(site))) >= 2 * 0.9
    await site.quiet()
    assert [session[1] for session in sessions(site)] == [1, 1]
    assert site.primary["session.restored"] == site.primary["session.lost"] == 14
