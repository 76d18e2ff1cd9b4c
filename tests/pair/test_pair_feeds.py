"""The feeds of a pair: lost by one or by both, with holes, and T-Servers that start anew."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import trio
from pair_site import BACKUP, FAVOURITES, PRIMARY, SOON, Site

from statserver_trio.ha.messages import JournalRequest
from statserver_trio.ha.rejoining import INTERVAL as REJOIN_INTERVAL
from statserver_trio.tlib.events import EventQueued

Build = Callable[..., Site]
ENTERED = FAVOURITES[0]


async def test_a_hole_in_the_feed_is_filled_by_the_peer(build: Build) -> None:
    site = await build().up(*FAVOURITES)
    site.deafen(site.backup)
    await site.switch.day(20)
    site.switch.forget()
    await site.quiet()
    assert site.backup["sources"][0]["gaps"] == {"repaired": 1, "left": 0, "open": 0}
    assert not site.pushed(site.primary)[1:]


async def test_a_feed_that_can_resume_needs_no_peer(build: Build) -> None:
    site = await build().up(*FAVOURITES)
    site.deafen(site.backup)
    await site.switch.day(20)
    await site.quiet()
    assert site.backup["sources"][0]["gaps"]["repaired"] == 0
    assert not site.messages(JournalRequest)


@pytest.mark.parametrize("name", [PRIMARY, BACKUP])
async def test_clients_are_told_while_their_member_hears_nothing(build: Build, name: str) -> None:
    site = await build().up(*FAVOURITES)
    member = site.primary if name == PRIMARY else site.backup
    member.opens(ENTERED, mode="ChangesBased")
    member.take()
    site.deafen(member)
    await trio.sleep(SOON)
    told = [each for each in member.take() if each["event"] == "StatisticInvalid"]
    assert {each["reason"] for each in told} == {"T-Server sw1 is not connected"}
    assert member["notReady"] == ["T-Server sw1 is not connected"]
    site.switch.say(EventQueued(this_dn="8001", conn_id="c1"))
    site.network.heal()
    await trio.sleep(20)
    told = [each for each in member.take() if each["event"] in ("StatisticValid", "Info")]
    assert {each["value"] for each in told if each["event"] == "Info"} == {1}
    assert "StatisticValid" in {each["event"] for each in told}
    site.agree()


async def test_each_misses_something_else_and_both_get_everything(build: Build) -> None:
    site = await build().up(*FAVOURITES)
    for member in (site.primary, site.backup, site.primary):
        site.deafen(member)
        await site.switch.day(10)
        site.switch.forget()
        site.network.heal()
        await trio.sleep(20)
    await site.quiet()
    repaired = [m["sources"][0]["gaps"]["repaired"] for m in site.both]
    assert repaired == [2, 1]


async def test_two_switches_of_which_each_member_loses_one(build: Build) -> None:
    site = await build(switches=("sw1", "sw2")).up(*FAVOURITES, "Queue:8001@sw2:Entered")
    one, other = site.switches
    site.deafen(site.primary, one)
    site.deafen(site.backup, other)
    for _ in range(20):
        one.live()
        other.live(2)
        await trio.sleep(1)
    one.forget()
    other.forget()
    await site.quiet()
    gaps = [[each["gaps"]["repaired"] for each in m["sources"]] for m in site.both]
    assert gaps == [[1, 0], [0, 1]]


@pytest.mark.parametrize("deaf", [PRIMARY, BACKUP])
async def test_what_one_member_missed_before_a_switch_counts_anew_is_the_others(
    build: Build, deaf: str
) -> None:
    """No number tells of it any more; the statistics do (simulation, rough day 366)."""
    site = await build().up(*FAVOURITES)
    site.switch.say(EventQueued(this_dn="8001", conn_id="c0"))
    await trio.sleep(SOON)
    site.partition()
    site.deafen(site.primary if deaf == PRIMARY else site.backup)
    for n in (1, 2, 3):
        site.switch.say(EventQueued(this_dn="8001", conn_id=f"c{n}"))
    await trio.sleep(SOON)
    assert sorted(m.value(ENTERED) for m in site.both) == [1, 4]
    site.switch.restart()
    site.network.heal()
    await trio.sleep(60)
    assert [m.value(ENTERED) for m in site.both] == [4, 4]
    site.switch.say(EventQueued(this_dn="8001", conn_id="d1"))
    await trio.sleep(SOON)
    assert [m.value(ENTERED) for m in site.both] == [5, 5]


@pytest.mark.parametrize("who", ["nobody", PRIMARY, BACKUP])
async def test_a_switch_that_numbers_its_events_anew_goes_on_counting(
    build: Build, who: str
) -> None:
    """Also at a server that stands alone, the oracle: old numbers are not taken for repeated."""
    site = await build().up(*FAVOURITES)
    if who != "nobody":  # whose picture was the other one's
        member = site.primary if who == PRIMARY else site.backup
        await member.kill()
        await member.start()
        await trio.sleep(11 + SOON)
    for n in range(20):
        site.switch.say(EventQueued(this_dn="8001", conn_id=f"c{n}"))
    await trio.sleep(SOON)
    site.begin()
    site.switch.restart()
    await trio.sleep(15)
    for n in range(10):
        site.switch.say(EventQueued(this_dn="8001", conn_id=f"d{n}"))
    await trio.sleep(SOON)
    assert site.oracle.value(ENTERED) == 30
    assert [m.value(ENTERED) for m in site.both] == [30, 30]
    assert [len(m.log("counts anew from 0", "ERROR")) for m in site.both] == [1, 1]
    await trio.sleep(REJOIN_INTERVAL)  # each asks how good the other's is, and it is as good
    for _ in range(5):
        await site.quiet()
    assert sum(len(m.log("the picture of")) for m in site.both) == 1
    assert [m.value(ENTERED) for m in site.both] == [30, 30]
