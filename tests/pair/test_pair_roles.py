"""Scenarios 23 and 25, and what clients and peers are told of who is who."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import trio
from pair_site import BACKUP, FAVOURITES, MANAGEMENT, PRIMARY, SOON, Server, Site

from statserver_trio.client import ConnectionLost, StatServer
from statserver_trio.config.load import load
from statserver_trio.ha.messages import Mode
from statserver_trio.server.ha.options import client_url, management_url
from statserver_trio.tlib.events import EventQueued

Build = Callable[..., Site]
TWO = "both members of the pair are primary"
URLS = {PRIMARY: f"ws://{PRIMARY}:7100/", BACKUP: f"ws://{BACKUP}:7100/"}


def modes(member: Server) -> list[tuple[str, str | None, bool]]:
    """What its client has just been told about the mode."""
    told = [each for each in member.take() if each["event"] == "ServerMode"]
    return [(each["role"], each["peer"], each["synchronised"]) for each in told]


async def exhausted(stats: StatServer) -> None:
    """Take what a server says until there is nothing more to come."""
    async for _ in stats:
        pass


# -- 23: a switchover in the middle of a synchronisation ------------------------------------------


async def test_scenario_23_a_switchover_does_not_disturb_the_synchronisation(
    build: Build,
) -> None:
    site = await build(ha="chunk-size = 1\nchunk-timeout = 1").up(FAVOURITES[0])
    site.backup.opens(FAVOURITES[0])
    site.opens(site.primary, *FAVOURITES[1:])
    await trio.sleep(2.5)
    assert site.primary.phase == "SYNCING"
    session = site.primary["session.id"]
    for member in site.both:
        member.take()
    await site.backup.orders("/api/role/primary")
    await site.primary.orders("/api/role/backup")
    await trio.sleep(0.1)
    assert modes(site.primary) == [("backup", URLS[BACKUP], True)]
    assert modes(site.backup) == [("primary", URLS[PRIMARY], True)]
    assert site.primary.phase == "SYNCING"
    await site.switch.day(20)
    await site.quiet()
    assert site.primary["session.id"] == session
    assert len(site.pushed(site.primary)) == len(FAVOURITES) - 1  # one by one, each once


# -- 25: split brain ------------------------------------------------------------------------------


async def test_scenario_25_two_primaries_are_an_alarm_and_no_harm(build: Build) -> None:
    site = await build().up(*FAVOURITES)
    async with site.apart():
        await site.backup.orders("/api/role/primary")
        await site.switch.day(20)
        assert not any(member.log(TWO) for member in site.both)  # nobody can know
    await site.quiet()
    assert [member.log(TWO, "ERROR") for member in site.both] == [[TWO], [TWO]]
    assert [member["mode"] for member in site.both] == ["primary", "primary"]  # nobody gives in
    site.cut()
    await site.quiet()
    assert [len(member.log(TWO)) for member in site.both] == [1, 1]  # once per time that it is so
    await site.primary.orders("/api/role/backup")
    await trio.sleep(SOON)
    await site.primary.orders("/api/role/primary")
    await trio.sleep(SOON)
    assert [len(member.log(TWO)) for member in site.both] == [2, 2]


# -- what is told ----------------------------------------------------------------------------------


async def test_a_mode_is_told_to_clients_and_to_the_peer(build: Build) -> None:
    site = await build().up(*FAVOURITES)
    site.backup.opens(*FAVOURITES)
    for member in site.both:
        member.take()
    assert await site.backup.orders("/api/role/primary") == 200
    assert await site.primary.orders("/api/role/backup") == 200
    await trio.sleep(SOON)
    assert modes(site.primary) == [("backup", URLS[BACKUP], True)]
    assert modes(site.backup) == [("primary", URLS[PRIMARY], True)]
    assert [m["peer.mode"] for m in site.both] == ["primary", "backup"]
    assert [m.mode for m in site.messages(Mode)] == ["primary", "backup"]
    assert await site.backup.orders("/api/role/primary") == 200  # it is already
    assert modes(site.backup) == []


async def test_clients_are_told_when_the_peer_goes_and_comes(build: Build) -> None:
    site = await build(ha="connect-timeout = 2").up(*FAVOURITES)
    site.primary.take()
    await site.backup.kill()
    await trio.sleep(SOON)
    # The address stays: a client may try it, and the other one may be back.
    assert modes(site.primary) == [("primary", URLS[BACKUP], False)]
    await site.backup.start()
    await trio.sleep(SOON)
    assert modes(site.primary)[-1] == ("primary", URLS[BACKUP], True)


async def test_a_client_over_a_websocket_goes_on_with_the_other_member(build: Build) -> None:
    site = await build().up(*FAVOURITES)
    site.switch.say(*(EventQueued(this_dn="8001", conn_id=f"c{n}") for n in range(5)))
    await trio.sleep(SOON)
    async with site.primary.client() as stats:
        statistic = await stats.open(FAVOURITES[0])
        seen = (await stats.peek(statistic)).value
        assert seen == site.oracle.value(FAVOURITES[0]) == 5
        other = stats.mode.peer
        await site.primary.kill()
        with pytest.raises(ConnectionLost):
            await exhausted(stats)
    assert other == URLS[BACKUP]
    async with site.backup.client() as stats:
        assert (await stats.peek(await stats.open(FAVOURITES[0]))).value == seen
        assert stats.mode.role == "backup"


async def test_the_address_for_clients_can_be_one_that_they_reach(build: Build) -> None:
    site = build()
    config = load(site.primary.path)
    assert client_url(config, [("10.0.0.1", 7100)]) == "ws://10.0.0.1:7100/"
    assert client_url(config, [("::1", 7100)]) == "ws://[::1]:7100/"
    assert client_url(config, []) == ""
    assert management_url(config, [("::1", 7102)]) == "http://[::1]:7102"
    assert management_url(config, []) == ""
    outside = "[[listen]]\nport = 7109\nurl = 'wss://Stat-A.example.com:7100/stat'\n"
    site.primary.edit("[ha]", f"{outside}[wallboard]\nurl = 'https://Stat-A.example.com'\n[ha]")
    config = load(site.primary.path)
    assert management_url(config, [("10.0.0.1", 7102)]) == "https://stat-a.example.com"
    assert client_url(config, [("10.0.0.1", 7109)]) == "wss://Stat-A.example.com:7100/stat"


async def test_a_wallboard_is_told_where_both_members_are(build: Build) -> None:
    site = build()
    await site.run_network()
    await site.primary.start()
    await trio.sleep(SOON)
    urls = {name: f"http://{name}:{MANAGEMENT}" for name in (PRIMARY, BACKUP)}
    assert [each["url"] for each in board(site.primary)] == [urls[PRIMARY], None]
    await site.backup.start()
    await trio.sleep(SOON)
    for member, other in (site.both, site.both[::-1]):
        assert board(member) == [
            {"name": each.name, "url": urls[each.name], "self": each is member}
            for each in (member, other)
        ]
    await site.primary.kill()
    assert board(site.backup)[1]["url"] == urls[PRIMARY]  # it will be there again


def board(member: Server) -> list[dict[str, object]]:
    """Where it tells a board that the members are."""
    page = member.parts.management.wallboard
    assert page is not None
    members: list[dict[str, object]] = page.board(f"http://{member.name}:{MANAGEMENT}")["members"]
    return members
