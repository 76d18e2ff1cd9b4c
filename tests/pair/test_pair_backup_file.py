"""Scenarios 11 and 12: members that are restarted and have a backup file.

What came after the file is, in this order, in the feed, in the other member's journal, in
its picture and its statistics, or lost. Whatever it is, nothing counts twice.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
import trio
from pair_site import BACKUP, FAVOURITES, PRIMARY, SOON, Server, Site

from statserver_trio.ha.messages import ChunkAck, JoinRequest, JournalRequest, Result
from statserver_trio.server.backup.files import previous
from statserver_trio.tlib.events import EventQueued

Build = Callable[..., Site]
MEMBERS = [PRIMARY, BACKUP]
ENTERED = FAVOURITES[0]


def of(site: Site, name: str) -> Server:
    return site.primary if name == PRIMARY else site.backup


def results(site: Site, member: Server) -> set[Result]:
    """What became here of what the other one pushed."""
    return {result for ack in site.messages(ChunkAck, member) for result in ack.results}


def asked(site: Site, member: Server) -> list[type]:
    """What this one had to ask the other one for."""
    kinds = (JournalRequest, JoinRequest)
    return [kind for kind in kinds if site.messages(kind, member)]


def entered(member: Server) -> int:
    """How many calls it has counted at the queue."""
    [value] = [v for k, v in member.values().items() if '"Entered"' in k and '"Vip"' not in k]
    return int(value)


async def alive(build: Build, **options: object) -> Site:
    """A pair with a past, and with a backup file each."""
    site = await build(backup_minutes=1, **options).up(*FAVOURITES)
    await site.switch.day(70)
    assert [member["backupFile.writes"] for member in site.both] == [1, 1]
    await site.switch.day(20)
    site.agree()
    return site


# -- 11: one of them is restarted ----------------------------------------------------------------


@pytest.mark.parametrize("name", MEMBERS)
@pytest.mark.parametrize("orderly", [True, False])
async def test_scenario_11_the_feed_still_has_what_came_after_the_file(
    build: Build, name: str, orderly: bool
) -> None:
    site = await alive(build)
    member = of(site, name)
    await (member.stop() if orderly else member.kill())
    await site.switch.day(15)
    site.begin()
    await member.start()
    assert not member.log("is not used")
    await trio.sleep(11 + SOON)  # the backup connects again, at the latest
    assert asked(site, member) == []
    assert results(site, member) == {Result.KEPT}  # it lacks nothing
    assert results(site, site.other(member)) == {Result.KEPT}
    assert member["session.restored"] == 0
    assert member["session.new"] == 1
    assert all(each.valid for each in member.open_statistics().values())
    site.agree()
    await site.quiet()


@pytest.mark.parametrize("name", MEMBERS)
async def test_scenario_11_the_other_member_has_it_in_its_journal(build: Build, name: str) -> None:
    site = await alive(build)
    member = of(site, name)
    await member.kill()
    await site.switch.day(15)
    site.switch.forget()
    site.begin()
    await member.start()
    await trio.sleep(0.5)
    # The primary has to wait for the backup to connect before it can ask.
    waits = name == PRIMARY
    assert all(each.valid is not waits for each in member.open_statistics().values())
    await site.switch.day(11)
    await trio.sleep(SOON)
    assert asked(site, member) == [JournalRequest]
    assert [each["gaps"]["repaired"] for each in member["sources"]] == [1]
    assert all(each.valid for each in member.open_statistics().values())
    assert not member.errors()
    site.agree()
    await site.quiet()


@pytest.mark.parametrize("name", MEMBERS)
async def test_scenario_11_the_other_member_has_only_what_came_of_it(
    build: Build, name: str
) -> None:
    site = await alive(build, ha="journal-events = 3")
    member = of(site, name)
    await member.kill()
    await site.switch.day(15)
    site.switch.forget()
    site.begin()
    await member.start()
    await site.switch.day(14)
    await trio.sleep(SOON)
    assert asked(site, member) == [JournalRequest, JoinRequest]
    assert member.log("joined")
    assert Result.ADOPTED in results(site, member)
    assert results(site, site.other(member)) <= {Result.KEPT}
    site.agree()
    await site.quiet()


async def test_scenario_11_an_old_file_is_as_good(build: Build) -> None:
    """The file is minutes older than what the peer has, and the newest one is broken."""
    site = await alive(build)
    await site.switch.day(60)
    await site.backup.kill()
    path = site.backup.parts.backup.path
    path.write_bytes(path.read_bytes()[:100])
    site.begin()
    await site.backup.start()
    assert site.backup.log("is not used: its checksum is wrong")
    assert site.backup["backupFile.restored.path"] == str(previous(path))
    await trio.sleep(SOON)
    site.agree()
    await site.quiet()


async def test_a_switch_that_counts_anew_is_not_taken_for_one_that_goes_on(build: Build) -> None:
    site = await alive(build)
    await site.backup.kill()
    site.switch.restart()
    await site.switch.day(10)
    await site.backup.start()
    await trio.sleep(SOON)
    assert site.backup["sources"][0]["position"] < 30
    await site.quiet()


# -- 12: both are restarted --------------------------------------------------------------------


@pytest.mark.parametrize("keeper", MEMBERS)
@pytest.mark.parametrize("pause", [0.0, 40.0])
async def test_scenario_12_only_one_has_a_file_and_the_feed_remembers(
    build: Build, keeper: str, pause: float
) -> None:
    site = await alive(build)
    one = of(site, keeper)
    other = site.other(one)
    for member in site.both:
        await member.kill()
    forget_files(other)
    await site.switch.day(10)
    for member in (other, one):  # the one without begins, and perhaps is alone for a while
        await member.start()
        await trio.sleep(pause)
    await site.switch.day(20)
    await trio.sleep(SOON)
    assert len(other.open_statistics()) == len(FAVOURITES)
    await site.quiet()


@pytest.mark.parametrize("keeper", MEMBERS)
async def test_scenario_12_what_nobody_has_is_missing_once_and_nothing_counts_twice(
    build: Build, keeper: str
) -> None:
    site = await alive(build)
    one = of(site, keeper)
    other = site.other(one)
    await one.stop()  # its file is as good as it was itself
    before = entered(other)
    await other.kill()
    forget_files(other)
    for number in range(7):
        site.switch.say(queued(f"lost{number}"))
    site.switch.forget()
    await other.start()
    await one.start()
    await trio.sleep(40)
    for number in range(5):
        site.switch.say(queued(f"seen{number}"))
    await trio.sleep(30)
    assert [member.phase for member in site.both] == ["SYNCED", "SYNCED"]
    assert [entered(member) for member in site.both] == [before + 5, before + 5]
    assert entered(site.oracle) == before + 12
    assert site.primary.values() == site.backup.values()
    [key] = [k for k in one.open_statistics() if '"Login_Time"' in k]
    statistic, now = one.open_statistics()[key], site.clock.now_ms()
    assert not one.engine.value(statistic, now).complete


async def test_scenario_12_two_files_of_different_age(build: Build) -> None:
    """Neither has what came after its file, nor can get it: they agree all the same."""
    site = await alive(build)
    await site.backup.kill()  # its file is half a minute old
    await site.switch.day(30)
    await site.primary.stop()  # and its is new
    before = entered(site.oracle)
    for number in range(4):
        site.switch.say(queued(f"lost{number}"))
    site.switch.forget()
    for member in (site.backup, site.primary):
        await member.start()
    await trio.sleep(40)
    await site.switch.day(30)
    await trio.sleep(70)
    assert [member.phase for member in site.both] == ["SYNCED", "SYNCED"]
    assert site.primary.values() == site.backup.values()
    assert before <= entered(site.primary) == entered(site.oracle) - 4


def forget_files(member: Server) -> None:
    path: Path = member.parts.backup.path
    path.unlink()
    previous(path).unlink(missing_ok=True)


def queued(call: str) -> EventQueued:
    return EventQueued(this_dn="8001", this_queue="8001", conn_id=call, call_type="Inbound")


# -- besides -------------------------------------------------------------------------------------


async def test_a_file_of_a_server_alone_is_good_for_a_member(build: Build) -> None:
    """Somebody makes a pair of a server that has been alone until now."""
    site = build(backup_minutes=1)
    await site.run_network()
    paired = site.primary.text
    start = paired.index('role = "primary"')
    alone = paired.replace('role = "primary"', 'role = "standalone"')
    alone = alone[: alone.index('[[listen]]\nid = "ha"')] + alone[alone.index("[[tserver]]") :]
    assert start > 0
    site.primary.text = alone
    await site.oracle.start()
    await site.primary.start()
    await trio.sleep(SOON)
    site.opens(site.primary, *FAVOURITES)
    await site.switch.day(40)
    await site.primary.stop()
    site.primary.text = paired
    for member in site.both:
        await member.start()
    await trio.sleep(SOON)
    assert len(site.backup.open_statistics()) == len(FAVOURITES)
    await site.quiet()


async def test_what_nobody_wants_after_a_restart_is_closed_at_both(build: Build) -> None:
    site = await alive(build)
    for member in site.both:
        await member.stop()
    for member in site.both:
        await member.start()
    await trio.sleep(60)
    site.backup.opens(ENTERED)
    await trio.sleep(15 * 60)
    assert [len(each.open_statistics()) for each in site.both] == [1, 1]


async def test_a_file_that_was_cut_while_the_peers_picture_came_is_begun_again(
    build: Build,
) -> None:
    """Whatever is in a file belongs together."""
    site = await alive(build, ha="journal-events = 3")
    await site.backup.kill()
    await site.switch.day(10)
    site.switch.forget()
    await site.backup.start()
    async with trio.open_nursery() as nursery:
        for _ in range(10):
            nursery.start_soon(site.switch.day, 5, 0.3)
            await site.backup.parts.backup.write(60)
    await trio.sleep(SOON)
    await site.backup.kill()
    await site.backup.start()
    await trio.sleep(SOON)
    site.agree()
    await site.quiet()


@pytest.mark.parametrize("seed", range(12))
async def test_days_of_restarts_with_files(build: Build, seed: int) -> None:
    """The feed remembers everything, so whatever is restarted when, nothing is missing."""
    rng = Random(seed)
    site = await alive(build)
    for _ in range(8):
        member = rng.choice(site.both)
        match rng.choice(["kill", "stop", "kill both", "cut", "deafen", "heal"]):
            case "kill":
                await restart(site, rng, member)
            case "stop":
                await restart(site, rng, member, orderly=True)
            case "kill both":
                await restart(site, rng, *site.both)
            case "cut":
                site.cut()
            case "deafen":
                site.deafen(member)
            case "heal":
                site.network.heal()
        await site.switch.day(rng.randrange(20), rng.choice([0.05, 1.0, 9.0]))
    await site.quiet(60)


async def restart(site: Site, rng: Random, *members: Server, orderly: bool = False) -> None:
    """Down for a while, or hardly at all."""
    site.network.heal()
    await trio.sleep(rng.choice([0, 20]))
    for member in members:
        await (member.stop() if orderly else member.kill())
    await site.switch.day(rng.randrange(10), rng.choice([0.01, 5.0]))
    for member in members:
        await member.start()
        await trio.sleep(rng.choice([0, 0.001, 1, 20]))
