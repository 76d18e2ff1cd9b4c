"""Scenarios 10, 24 and 35, and starts in general: members are killed, stopped, started again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import trio
from pair_site import BACKUP, FAVOURITES, PRIMARY, SOON, Site

from statserver_trio.ha.messages import Bye
from statserver_trio.tlib.events import (
    EventAgentLogin,
    EventAgentReady,
    EventDiverted,
    EventEstablished,
    EventQueued,
    EventReleased,
    EventRinging,
)

Build = Callable[..., Site]
MEMBERS = [PRIMARY, BACKUP]
NEW_TALK = "Agent:a2:Talk_Time"


# -- starting --------------------------------------------------------------------------------


async def test_both_are_started_while_the_switch_is_busy(build: Build) -> None:
    """The backup joins a primary that has only just begun itself: it gets all of it."""
    site = build()
    await site.run_network()
    await site.switch.day(200)
    for server in (site.oracle, *site.both):
        await server.start()
    await trio.sleep(SOON)
    site.opens(site.primary, *FAVOURITES)
    await trio.sleep(SOON)
    assert all(each.valid for each in site.backup.engine.statistics.values())
    site.agree()
    await site.switch.day(30)
    site.agree()


@pytest.mark.parametrize("first", MEMBERS)
async def test_the_second_one_is_started_an_hour_later(build: Build, first: str) -> None:
    site = build(ha="join-timeout = 20")
    await site.run_network()
    one, other = (site.primary, site.backup) if first == PRIMARY else (site.backup, site.primary)
    await site.oracle.start()
    await one.start()
    # The backup is told by the primary's host that nobody listens; the primary has to wait.
    alone = 20.0 if first == PRIMARY else 0.0
    await trio.sleep(alone + 1)
    assert not one["notReady"]
    site.opens(one, *FAVOURITES)
    await site.switch.day(120, between=30)
    await other.start()
    await trio.sleep(11 + SOON)
    assert len(other.open_statistics()) == len(FAVOURITES)
    await site.quiet()


async def test_a_primary_that_finds_nobody_is_not_ready_until_it_begins_alone(
    build: Build,
) -> None:
    site = build(ha="join-timeout = 8")
    await site.run_network()
    await site.primary.start()
    await trio.sleep(7.5)
    assert site.primary["notReady"] == ["waiting for the picture of the other member"]
    ids = site.primary.opens(FAVOURITES[0], mode="ChangesBased")
    assert site.primary.heard[-1]["event"] == "StatisticInvalid"
    await trio.sleep(1)
    assert site.primary["notReady"] == []
    told = [(each["event"], each["statisticId"]) for each in site.primary.take()]
    assert told == [("StatisticValid", ids[0]), ("Info", ids[0])]


async def test_both_are_killed_at_once_and_neither_waits_for_the_other(build: Build) -> None:
    site = await build().up(*FAVOURITES)
    for member in site.both:
        await member.kill()
    await trio.sleep(5)
    for member in site.both:
        await member.start()
    await trio.sleep(SOON)
    assert [member.phase for member in site.both] == ["SYNCED", "SYNCED"]
    assert [member["notReady"] for member in site.both] == [[], []]


# -- 10: one restarts while the other one holds the data ------------------------------------------


@pytest.mark.parametrize("how", ["killed", "stopped", "power"])
@pytest.mark.parametrize("name", MEMBERS)
async def test_scenario_10_a_restarted_member_gets_everything_back(
    build: Build, name: str, how: str
) -> None:
    site = await build().up(*FAVOURITES)
    member = site.primary if name == PRIMARY else site.backup
    await site.switch.day(50)
    await {"killed": member.kill, "stopped": member.stop, "power": member.lose_power}[how]()
    await site.switch.day(20)
    await member.start()
    site.begin()
    await trio.sleep(11 + SOON)
    assert member["session.new"] == 1
    assert len(member.open_statistics()) == len(FAVOURITES)
    # The restarted one has nothing of its own to tell, and says so by saying nothing.
    assert not site.pushed(member)
    assert len(site.pushed(site.other(member))[0]) == len(FAVOURITES)
    await site.quiet()


@pytest.mark.parametrize("name", MEMBERS)
async def test_scenario_10_what_goes_on_keeps_its_true_start(build: Build, name: str) -> None:
    site = await build().up(*FAVOURITES)
    switch, member = site.switch, site.primary if name == PRIMARY else site.backup
    call = {"conn_id": "c1", "call_type": "Inbound", "user_data": {"Class": "Vip"}}
    switch.say(EventAgentLogin(this_dn="7001", agent_id="a1"))
    switch.say(EventAgentReady(this_dn="7001", agent_id="a1"))
    switch.say(EventQueued(this_dn="8001", **call))
    await trio.sleep(20)
    switch.say(EventDiverted(this_dn="8001", third_party_dn="7001", **call))
    switch.say(EventRinging(this_dn="7001", this_queue="8001", **call))
    switch.say(EventEstablished(this_dn="7001", this_queue="8001", **call))
    await trio.sleep(10)
    switch.say(EventQueued(this_dn="8001", conn_id="c2", call_type="Inbound"))
    await member.kill()
    await trio.sleep(5)
    await member.start()
    await trio.sleep(25)
    site.agree()
    switch.say(EventReleased(this_dn="7001", this_queue="8001", **call))
    await trio.sleep(SOON)
    site.agree()
    assert [m.value("Agent:a1:Talk_Time") for m in site.both] == [40, 40]
    assert [m.value("Queue:8001@sw1:Waiting") for m in site.both] == [1, 1]
    assert [m.value("Queue:8001@sw1:Longest_Wait") for m in site.both] == [20, 20]


async def test_scenario_10_clients_of_a_restarted_primary_need_not_wait(build: Build) -> None:
    """They get what there is at once, and the whole of it when the peer has sent it."""
    site = await build().up(*FAVOURITES)
    for n in range(10):
        site.switch.say(EventQueued(this_dn="8001", conn_id=f"c{n}"))
    await trio.sleep(SOON)
    await site.primary.kill()
    await site.primary.start()
    (id,) = site.primary.opens(FAVOURITES[0], mode="ChangesBased")
    values = [each["value"] for each in site.primary.heard if each["event"] == "Info"]
    assert values == [0]
    await trio.sleep(11 + SOON)
    told = [each for each in site.primary.take() if each.get("statisticId") == id]
    assert told[-1]["value"] == 10
    assert site.primary.value(FAVOURITES[0]) == 10
    await site.quiet()
    assert site.primary["replication.statisticsSent"] == 1  # what its own client has opened


@pytest.mark.parametrize("name", MEMBERS)
async def test_scenario_10_again_and_again_in_turn(build: Build, name: str) -> None:
    site = await build().up(*FAVOURITES)
    member = site.primary if name == PRIMARY else site.backup
    for _ in range(4):
        await site.switch.day(15)
        await member.kill()
        await site.switch.day(5)
        await member.start()
        await trio.sleep(11 + SOON)
        site.agree()
        member = site.other(member)


# -- 24: the old primary returns, and is made the backup -------------------------------------------


async def test_scenario_24_after_a_switchover_the_backup_still_dials(build: Build) -> None:
    site = await build(ha="connect-timeout = 2").up(*FAVOURITES)
    await site.primary.kill()
    assert await site.backup.orders("/api/role/primary") == 200
    await site.switch.day(20)
    await site.primary.start()
    assert await site.primary.orders("/api/role/backup") == 200
    site.begin()
    await trio.sleep(SOON)
    assert [m["mode"] for m in site.both] == ["backup", "primary"]
    assert [m["role"] for m in site.both] == ["primary", "backup"]
    assert [m["peer.mode"] for m in site.both] == ["primary", "backup"]
    assert {(who, whom) for _, who, whom in site.network.dialled} == {(BACKUP, PRIMARY)}
    site.opens(site.primary, NEW_TALK)
    site.opens(site.backup, "Agent:a2:Login_Time")
    await site.quiet()
    assert not any(member.log("both members") for member in site.both)


# -- 35: shut down in the middle of it -------------------------------------------------------------


@pytest.mark.parametrize("name", MEMBERS)
async def test_scenario_35_a_goodbye_keeps_the_session_and_is_quick(
    build: Build, name: str
) -> None:
    site = await build(ha="chunk-size = 1\nchunk-timeout = 2").up(*FAVOURITES[:2])
    member = site.primary if name == PRIMARY else site.backup
    other = site.other(member)
    site.opens(site.primary, *FAVOURITES[2:])
    await trio.sleep(SOON)
    assert [m.phase for m in site.both] == ["SYNCING", "SYNCED"]
    start = trio.current_time()
    await member.stop()
    assert trio.current_time() - start <= 10
    await trio.sleep(0.1)
    assert site.messages(Bye) == [Bye("shutdown")]
    assert other.log("the link to the peer is lost: shutdown, as announced")
    assert other.phase == "LOST"
    assert other["session.id"] is not None
    await member.start()
    site.opens(site.primary, *FAVOURITES)
    await site.quiet()
    assert not site.primary.errors() + site.backup.errors()


@pytest.mark.parametrize("name", MEMBERS)
async def test_scenario_35_the_file_is_written_after_the_goodbye(build: Build, name: str) -> None:
    """It holds also what the peer had pushed of an unfinished synchronisation, and goes on."""
    ha = "chunk-size = 1\nchunk-timeout = 2"
    site = await build(ha=ha, backup_minutes=60).up(*FAVOURITES[:2])
    await site.switch.day(20)
    member = site.primary if name == PRIMARY else site.backup
    site.opens(site.primary, *FAVOURITES[2:])
    await trio.sleep(SOON)
    here = len(member.open_statistics())
    assert (here < len(FAVOURITES)) == (member is site.backup)
    start = trio.current_time()
    await member.stop()
    assert trio.current_time() - start <= 10
    lines = member.log()
    goodbye = next(n for n, line in enumerate(lines) if "lost: shutdown" in line)
    written = [n for n, line in enumerate(lines) if f": {here} statistics, " in line]
    assert written[-1] > goodbye
    await site.switch.day(10)
    await member.start()
    await trio.sleep(0.5)
    assert len(member.open_statistics()) >= here  # before anybody has pushed anything
    site.opens(site.primary, *FAVOURITES)
    await site.quiet()


async def test_scenario_35_a_shutdown_does_not_wait_for_a_peer_that_does_not_read(
    build: Build,
) -> None:
    site = await build().up(*FAVOURITES)
    site.partition()
    start = trio.current_time()
    await site.backup.stop()
    assert trio.current_time() - start <= 10
    assert not site.backup.errors()
