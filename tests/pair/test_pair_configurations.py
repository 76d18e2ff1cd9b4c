"""Scenarios 13, 14, 16, 17 and 27: the two configurations differ, or are changed."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
import trio
from pair_site import FAVOURITES, PRIMARY, SOON, Server, Site

from statserver_trio.config.mistakes import ConfigError
from statserver_trio.ha.messages import Chunk, Delete, DeleteAck, Gone
from statserver_trio.tlib.events import EventQueued

Build = Callable[..., Site]
VIP = "Queue:8001@sw1:Entered,filter=Vip"
VIP_LINE = 'Vip = \'PairExists("Class","Vip")\'\n'
PLAIN = "Queue:8001@sw1:Entered"
ABANDONED = """
[stat-types.Abandoned]
Objects = "Queue"
Category = "TotalNumber"
MainMask = "CallAbandoned"
Subject = "DNAction"
"""
CANNOT_OPEN = "the peer cannot open"
WHY = "filter 'Vip' was deleted"


def names(member: Server) -> list[str]:
    """The stat types and filters of what is open there."""
    return sorted(key.stat_type + key.filter for key in member.engine.statistics)


async def test_a_tenant_that_nobody_names_is_the_same_at_both(build: Build) -> None:
    site = build()
    for server in (site.oracle, *site.both):
        server.edit("[filters]", '[objects]\ntenant = "Bank"\n\n[filters]')
    await site.up(PLAIN)
    site.backup.opens(PLAIN)
    await trio.sleep(SOON)
    keys = [list(member.engine.statistics) for member in site.both]
    assert [key.tenant for key in keys[0]] == ["Bank"]
    assert keys[0] == keys[1]
    assert site.primary["replication.parked"] == site.backup["replication.parked"] == []


# -- 13, 14: different definitions -----------------------------------------------------------------


async def test_scenario_13_what_only_one_has_configured_waits_for_the_other(build: Build) -> None:
    site = await build().up(PLAIN)
    await site.primary.reload("[filters]", f"{ABANDONED}[filters]")
    site.primary.opens("Queue:8001@sw1:Abandoned", VIP)
    await trio.sleep(SOON)
    assert "cannot open" in site.primary["degraded"][0]
    parked = site.primary["replication.parked"]
    assert [(json.loads(each["key"])[3], each["reason"]) for each in parked] == [
        ("Abandoned", "unresolved")
    ]
    assert names(site.backup) == ["Entered", "EnteredVip"]  # the others are not held up
    assert [m.phase for m in site.both] == ["SYNCED", "SYNCED"]
    (warning,) = site.primary.log(CANNOT_OPEN, "WARNING")
    assert "Abandoned" in warning
    site.primary.opens("Queue:8002@sw1:Abandoned")
    await trio.sleep(300)
    assert len(site.primary.log(CANNOT_OPEN)) == 1  # not before ten minutes
    await site.backup.reload("[filters]", f"{ABANDONED}[filters]")
    await trio.sleep(SOON)
    assert site.primary["replication.parked"] == []
    assert names(site.backup) == names(site.primary)
    assert not site.primary.log("the link to the peer is lost")


async def test_scenario_13_it_is_offered_again_every_ten_minutes(build: Build) -> None:
    site = await build(ha="addp-timeout = 60\naddp-remote-timeout = 60").up(PLAIN)
    await site.primary.reload("[filters]", f"{ABANDONED}[filters]")
    site.primary.opens("Queue:8001@sw1:Abandoned")
    await trio.sleep(SOON)
    site.begin()
    await trio.sleep(1805)
    assert [round(b - a) for a, b in zip(site.at(Chunk), site.at(Chunk)[1:], strict=False)] == [
        600,
        600,
    ]


async def test_scenario_14_the_same_name_for_something_else_is_not_mixed_up(build: Build) -> None:
    site = build()
    site.backup.edit('"Hour,Growing" = "0:00 +1:00"', '"Hour,Growing" = "0:00 +0:05"')
    await site.run_network()
    for server in (site.oracle, *site.both):
        await server.start()
    await trio.sleep(SOON)
    assert all(m.log("the configurations of the pair differ", "WARNING") for m in site.both)
    hourly = "Queue:8001@sw1:Entered,profile=Hour"
    site.primary.opens(hourly, PLAIN)
    await trio.sleep(SOON)
    assert [each["reason"] for each in site.primary["replication.parked"]] == ["unresolved"]
    assert names(site.backup) == ["Entered"]
    site.backup.opens(hourly)
    await site.switch.day(330)
    keys = [next(k for k in m.open_statistics() if '"Hour' in k) for m in site.both]
    assert keys[0] != keys[1]  # each counts by its own profile
    assert [m.phase for m in site.both] == ["SYNCED", "SYNCED"]


@pytest.mark.parametrize("first", ["primary", "backup"])
async def test_scenario_14_open_on_both_with_other_contents_each_keeps_its_own(
    build: Build, first: str
) -> None:
    site = build()
    site.backup.edit('PairExists("Class","Vip")', 'PairExists("Class","Gold")')
    await site.run_network()
    for server in (site.oracle, *site.both):
        await server.start()
    await trio.sleep(SOON)
    for member in (getattr(site, first), site.other(getattr(site, first))):
        member.opens(VIP, PLAIN)
        for n, kind in enumerate(("Vip", "Vip", "Vip", "Gold")):
            data = {"Class": kind}
            name = f"{member.name} {n}"
            site.switch.say(EventQueued(this_dn="8001", conn_id=name, user_data=data))
        await trio.sleep(SOON)
    expected = {"primary": [6, 1], "backup": [3, 2]}[first]
    assert [m.value(VIP) for m in site.both] == expected
    assert [m.value(PLAIN) for m in site.both] == [8, 8]
    parked = [m["replication.parked"] for m in site.both]
    assert [[each["reason"] for each in each_one] for each_one in parked] == [["unresolved"]] * 2


# -- 16, 17: deleted while apart -------------------------------------------------------------------


async def test_scenario_16_a_deletion_while_apart_is_told_first_and_holds(build: Build) -> None:
    site = await build().up(PLAIN, VIP)
    async with site.apart():
        changes = await site.primary.reload(VIP_LINE, "")
        assert changes.closed == {WHY: 1}
        assert site.primary["replication.tombstones"] == 1
        site.backup.opens(VIP)  # somebody there still wants it
        await site.switch.day(20)
    site.begin()
    await trio.sleep(11 + SOON)
    order = [type(m).__name__ for _, who, m in site.said if who == PRIMARY]
    assert "Delete" in order
    assert order.index("Delete") < min(order.index(n) for n in ("ChunkAck", "Chunk") if n in order)
    assert names(site.primary) == ["Entered"]  # the backup's push did not bring it back
    assert names(site.backup) == ["Entered", "EnteredVip"]
    await site.backup.reload(VIP_LINE, "")
    await trio.sleep(SOON)
    assert [(each["event"], each["reason"]) for each in site.backup.take()[-1:]] == [
        ("StatisticClosed", WHY)
    ]
    assert names(site.backup) == ["Entered"]
    assert [m["replication.tombstones"] for m in site.both] == [0, 0]


async def test_scenario_16_both_delete_it_while_apart(build: Build) -> None:
    site = await build().up(PLAIN, VIP)
    async with site.apart():
        for member in site.both:
            await member.reload(VIP_LINE, "")
    await trio.sleep(11 + SOON)
    assert [names(m) for m in site.both] == [["Entered"], ["Entered"]]
    assert [m["replication.tombstones"] for m in site.both] == [0, 0]
    assert len(site.messages(Delete)) == 2


async def test_scenario_16_a_peer_that_never_deletes_it_keeps_it(build: Build) -> None:
    site = await build(ha="session-expiration-timeout = 60").up(PLAIN, VIP)
    site.backup.opens(VIP)
    await trio.sleep(SOON)
    await site.primary.reload(VIP_LINE, "")
    await trio.sleep(55)
    assert not site.messages(DeleteAck)
    await trio.sleep(10)
    assert [ack.results[0][2] for ack in site.messages(DeleteAck)] == [Gone.STILL_OPEN]
    assert [names(m) for m in site.both] == [["Entered"], ["Entered", "EnteredVip"]]
    assert site.primary.log("the peer's configuration keeps 1 statistics that ours deleted")


async def test_scenario_17_deleted_and_created_again_while_apart_it_begins_anew(
    build: Build,
) -> None:
    site = await build().up(PLAIN, VIP)
    await site.switch.day(60)
    async with site.apart():
        for member in site.both:
            await member.reload(VIP_LINE, "")
        await site.oracle.reload(VIP_LINE, "")
        await site.switch.day(10)
        for member in (*site.both, site.oracle):
            await member.reload("[filters]\n", f"[filters]\n{VIP_LINE}")
        site.opens(site.primary, VIP)
        assert site.primary.value(VIP) == 0
    await trio.sleep(11 + SOON)
    assert [m.value(VIP) for m in site.both] == [0, 0]
    await site.switch.day(60)
    await site.quiet()


async def test_scenario_17_created_again_at_the_one_that_deleted_it_only(build: Build) -> None:
    """The other one's old numbers must not come back by way of the synchronisation."""
    site = await build().up(PLAIN, VIP)
    await site.switch.day(60)
    async with site.apart():
        await site.primary.reload(VIP_LINE, "")
        await site.oracle.reload(VIP_LINE, "")
        await site.switch.day(10)
        for member in (site.primary, site.oracle):
            await member.reload("[filters]\n", f"[filters]\n{VIP_LINE}")
        site.opens(site.primary, VIP)
    await site.quiet()


# -- 27: both are reloaded at once -----------------------------------------------------------------

DELAY = "config-reload-delay-if-primary = true"


async def reload_both(site: Site) -> list[object]:
    """What came of a reload of the primary, and then of the backup; a filter is gone."""
    first = await site.primary.reload(VIP_LINE, "")
    await trio.sleep(20)
    assert "EnteredVip" in names(site.primary)
    second = await site.backup.reload(VIP_LINE, "")
    return [first, second]


async def test_scenario_27_the_primary_reloads_after_the_backup(build: Build) -> None:
    site = await build(server=DELAY).up(PLAIN, VIP)
    first, second = await reload_both(site)
    assert first is None
    assert second is not None
    assert site.primary.log("reload postponed: waiting for stat-backup to reload first")
    await trio.sleep(SOON)
    assert names(site.primary) == names(site.backup) == ["Entered"]
    assert [m.parts.reloader.reloads for m in site.both] == [1, 1]


async def test_scenario_27_it_goes_by_the_mode_and_not_by_the_configured_role(
    build: Build,
) -> None:
    site = await build(server=DELAY).up(PLAIN, VIP)
    await site.primary.orders("/api/role/backup")
    await site.backup.orders("/api/role/primary")
    assert await site.backup.reload(VIP_LINE, "") is None
    assert await site.primary.reload(VIP_LINE, "") is not None
    await trio.sleep(SOON)
    assert site.backup.parts.reloader.reloads == 1


@pytest.mark.parametrize("how", ["kill", "stop", "link"])
async def test_scenario_27_a_primary_whose_peer_is_lost_waits_no_longer(
    build: Build, how: str
) -> None:
    site = await build(server=DELAY).up(PLAIN, VIP)
    assert await site.primary.reload(VIP_LINE, "") is None
    if how == "link":
        site.cut()
    else:
        await getattr(site.backup, how)()
    await trio.sleep(SOON)
    assert site.primary.parts.reloader.reloads == 1
    assert names(site.primary) == ["Entered"]


async def test_scenario_27_nobody_waits_longer_than_half_an_hour(build: Build) -> None:
    site = await build(server=DELAY, ha="addp-timeout = 60\naddp-remote-timeout = 60").up(PLAIN)
    assert await site.primary.reload(VIP_LINE, "") is None
    await trio.sleep(1795)
    assert site.primary.parts.reloader.reloads == 0
    await trio.sleep(10)
    assert site.primary.parts.reloader.reloads == 1
    assert site.primary.errors() == ["the other member has not reloaded in 1800 s; going on"]


async def test_scenario_27_a_later_file_replaces_the_one_that_waits(build: Build) -> None:
    site = await build(server=DELAY).up(PLAIN)
    assert await site.primary.reload(VIP_LINE, "") is None
    assert await site.primary.reload("[filters]\n", f"[filters]\n{VIP_LINE}") is not None
    await trio.sleep(SOON)
    assert site.primary.parts.reloader.postponed is None
    assert "Vip" in site.primary.engine.definitions.filters


async def test_scenario_27_without_the_option_nobody_waits(build: Build) -> None:
    site = await build().up(PLAIN, VIP)
    assert await site.primary.reload(VIP_LINE, "") is not None
    assert await site.primary.orders("/api/reload") == 200


async def test_scenario_27_an_operator_is_told_that_it_waits(build: Build) -> None:
    site = await build(server=DELAY).up(PLAIN, VIP)
    site.primary.edit(VIP_LINE, "")
    assert await site.primary.orders("/api/reload") == 202
    site.backup.edit(VIP_LINE, "")
    assert await site.backup.orders("/api/reload") == 200


async def test_a_bad_file_changes_nothing_at_either(build: Build) -> None:
    site = await build().up(*FAVOURITES)
    for member in site.both:
        with pytest.raises(ConfigError, match="chunk-size"):
            await member.reload("[ha]\n", "[ha]\nchunk-size = 0\n")
    await site.quiet()
    assert not site.primary.log("the link to the peer is lost")
